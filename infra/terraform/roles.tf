# Who acts: four roles and who may assume each. What a role may do stands beside what it may do it to.

locals {
  root = "arn:${local.partition}:iam::${local.account}:root"

  # SageMaker assumes a role only for this account's own jobs and endpoints.
  sagemaker_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role" "airflow" {
  #checkov:skip=CKV_AWS_61:naming the account's root leaves it to IAM who may assume the role; airflow_principals narrows it
  name        = "${local.prefix}-airflow"
  description = "What Airflow's tasks do, they do as this role"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "Hybrid"
        Effect    = "Allow"
        Principal = { AWS = coalescelist(var.airflow_principals, [local.root]) }
        Action    = "sts:AssumeRole"
      }],
      [for statement in [{
        Sid       = "Mwaa"
        Effect    = "Allow"
        Principal = { Service = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"] }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnEquals    = { "aws:SourceArn" = local.mwaa_arn }
        }
      }] : statement if var.enable_mwaa],
    )
  })
}

resource "aws_iam_role" "sagemaker_jobs" {
  name               = "${local.prefix}-sagemaker-jobs"
  description        = "Training, processing and transform jobs"
  assume_role_policy = local.sagemaker_trust
}

resource "aws_iam_role" "sagemaker_endpoint" {
  name               = "${local.prefix}-sagemaker-endpoint"
  description        = "Models behind endpoints"
  assume_role_policy = local.sagemaker_trust
}

resource "aws_iam_role" "reader" {
  #checkov:skip=CKV_AWS_61:naming the account's root leaves it to IAM who may assume the role; reader_principals narrows it
  name        = "${local.prefix}-reader"
  description = "People who look and change nothing"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = coalescelist(var.reader_principals, [local.root]) }
      Action    = "sts:AssumeRole"
    }]
  })
}
