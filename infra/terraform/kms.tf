# One key for everything the platform keeps: data, query results, logs, alarms, volumes.

resource "aws_kms_key" "this" {
  description             = "What ${local.prefix} keeps"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # AWS's own default: IAM policies of this account decide. Without it nobody could administer the key.
        Sid       = "IamDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*" # in a key policy: this key
      },
      {
        Sid       = "CloudWatchLogs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action = [
          "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
          "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
        ]
        Resource = "*" # this key
        Condition = {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*" }
        }
      },
      {
        Sid       = "AlarmsAndBudgetsPublish"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*" # this key
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.prefix}"
  target_key_id = aws_kms_key.this.key_id
}

locals {
  # Every role uses the key only by way of S3, for objects.
  key_for_objects = {
    Sid       = "Objects"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = aws_kms_key.this.arn
    Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
  }
}

resource "aws_iam_role_policy" "airflow_kms" {
  name = "kms"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_for_objects,
      {
        # SageMaker encrypts the disks of jobs and endpoints by a grant that whoever starts them gives it.
        Sid       = "Disks"
        Effect    = "Allow"
        Action    = "kms:CreateGrant"
        Resource  = aws_kms_key.this.arn
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  })
}

resource "aws_iam_role_policy" "sagemaker_jobs_kms" {
  name = "kms"
  role = aws_iam_role.sagemaker_jobs.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.key_for_objects]
  })
}

resource "aws_iam_role_policy" "sagemaker_endpoint_kms" {
  name = "kms"
  role = aws_iam_role.sagemaker_endpoint.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.key_for_objects]
  })
}

resource "aws_iam_role_policy" "reader_kms" {
  name = "kms"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.key_for_objects]
  })
}
