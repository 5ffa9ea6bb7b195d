# The platform for developing, in an AWS account of its own: cheap, and nothing in it is worth keeping.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # `make bootstrap ENV=dev` makes the bucket and writes backend.hcl: terraform init -backend-config=backend.hcl
  backend "s3" {}
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget, nobody by default. Give them in dev.auto.tfvars, which git ignores."
  type        = set(string)
  default     = []
}

provider "aws" {
  default_tags {
    tags = {
      Project     = "silverline"
      Environment = "dev"
      ManagedBy   = "terraform"
    }
  }
}

module "silverline" {
  source = "../.."

  environment   = "dev"
  force_destroy = true

  log_days               = 30
  run_days               = 14
  old_version_days       = 7
  alarm_emails           = var.alarm_emails
  monthly_budget_dollars = 150
}

output "platform" {
  description = "The platform document, as the pipelines read it."
  value       = module.silverline.platform
}
