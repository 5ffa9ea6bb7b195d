# The bucket that keeps Terraform's state of one environment, its own among it. `make bootstrap ENV=dev` applies it.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
  # Filled in by backend.hcl, which apply.sh writes.
  backend "s3" {}
}

provider "aws" {
  default_tags {
    tags = {
      Project     = "silverline"
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}

variable "environment" {
  description = "Environment whose state the bucket keeps: dev, prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "environment is 2 to 16 lower-case letters and digits, a letter first."
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  bucket = "silverline-${var.environment}-terraform-${data.aws_caller_identity.current.account_id}"
  arn    = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
}

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV_AWS_144:a second region for a few kilobytes that a versioned bucket keeps costs more than it saves
  #checkov:skip=CKV2_AWS_62:nobody waits for events about state
  #checkov:skip=CKV_AWS_18:the account's CloudTrail has who read or wrote state; a log bucket here would need a bootstrap of its own
  #checkov:skip=CKV2_AWS_61:every version of the state is kept; a hundred of them are a megabyte
  bucket = local.bucket

  lifecycle {
    # Without its state nobody can change or remove an environment in an orderly way.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Enabled"
  }
}

# AWS's own key for S3 (aws/s3): a key of ours that were deleted would take the state with it.
resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.arn, "${local.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
  # S3 refuses two changes of one bucket's access at a time.
  depends_on = [aws_s3_bucket_public_access_block.state]
}

output "bucket" {
  description = "Name of the bucket that keeps the state."
  value       = aws_s3_bucket.state.bucket
}
