# The platform that others rely on, in an AWS account of its own: data outlive mistakes, somebody is told, Airflow is MWAA.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # `make bootstrap ENV=prod` makes the bucket and writes backend.hcl: terraform init -backend-config=backend.hcl
  backend "s3" {}
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget. Give them in prod.auto.tfvars, which git ignores."
  type        = set(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "Somebody has to be told of alarms in production."
  }
}

variable "runbook_url" {
  description = "Where whoever gets an alarm can open infra/terraform/runbook.md: each one's mail links to its section there."
  type        = string
}

variable "enable_mwaa" {
  description = "Whether Airflow runs in MWAA. Without it nothing runs by schedule but on the machine of whoever starts Airflow."
  type        = bool
  default     = true
}

variable "live_endpoints" {
  description = "Pipelines whose endpoint exists by now and is to scale: empty until each has run once."
  type        = set(string)
  default     = []
}

provider "aws" {
  default_tags {
    tags = {
      Project     = "silverline"
      Environment = "prod"
      ManagedBy   = "terraform"
    }
  }
}

module "silverline" {
  source = "../.."

  environment   = "prod"
  force_destroy = false # `terraform destroy` stops at a bucket that holds anything

  enable_mwaa = var.enable_mwaa
  mwaa = {
    environment_class = "mw1.medium"
    max_workers       = 5
  }

  log_days               = 365
  run_days               = 180
  old_version_days       = 365
  alarm_emails           = var.alarm_emails
  runbook_url            = var.runbook_url
  live_endpoints         = var.live_endpoints
  monthly_budget_dollars = 1500
}

output "platform" {
  description = "The platform document, as the pipelines read it."
  value       = module.silverline.platform
}
