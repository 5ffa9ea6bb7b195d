# The versions of Terraform and of the AWS provider that the module is written for; 1.11 locks its state in S3 by itself.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
