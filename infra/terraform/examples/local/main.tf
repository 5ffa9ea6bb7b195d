# The platform on local AWS, at AWS_ENDPOINT_URL: the same module as anywhere, behind a provider that needs no DNS.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "environment" {
  description = "Which environment local AWS plays."
  type        = string
  default     = "dev"
}

provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true

  default_tags {
    tags = {
      Project     = "silverline"
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}

module "silverline" {
  source = "../.."

  environment   = var.environment
  force_destroy = true

  # So that another run takes a minute, not ten. The canary's alarms, which look at whole minutes, may come too late here.
  canary_seconds = 20
}

output "platform" {
  description = "The platform document, as the pipelines read it."
  value       = module.silverline.platform
}
