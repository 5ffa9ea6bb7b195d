# As what CloudWatch and Firehose bring logs and metrics to telemetry.tf's receiver.

# Who delivers. https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-http
resource "aws_iam_role" "export" {
  count = length(local.exports) > 0 ? 1 : 0

  name        = "${local.prefix}-export"
  description = "Firehose, which brings logs and metrics to their receiver"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = local.account } } # Firehose names the stream's account so
    }]
  })
}

resource "aws_iam_role_policy" "export" {
  count = length(local.exports) > 0 ? 1 : 0

  name = "export"
  role = aws_iam_role.export[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Keys"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = distinct(values(local.exports)[*].secret_arn)
      },
      {
        # Where they are encrypted by the platform's key.
        Sid       = "KeysAreEncrypted"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = aws_kms_key.this.arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      },
      {
        Sid      = "FindBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = local.bucket_arns.logs
      },
      {
        Sid      = "KeepWhatFailed"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = "${local.bucket_arns.logs}/export/*"
      },
      {
        Sid      = "SayWhatFailed"
        Effect   = "Allow"
        Action   = "logs:PutLogEvents"
        Resource = [for signal in keys(local.exports) : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.export_log_group}:log-stream:${signal}"]
      },
    ]
  })
}

# Who hands over: CloudWatch Logs and CloudWatch's metric stream, each to its own stream of Firehose.
resource "aws_iam_role" "export_source" {
  for_each = local.exports

  name        = local.export_names[each.key]
  description = "CloudWatch, which hands ${each.key} over to Firehose"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.export_sources[each.key], { Effect = "Allow", Action = "sts:AssumeRole" })]
  })
}

resource "aws_iam_role_policy" "export_source" {
  for_each = local.exports

  name = "export"
  role = aws_iam_role.export_source[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "HandOver"
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = local.export_arns[each.key]
    }]
  })
}
