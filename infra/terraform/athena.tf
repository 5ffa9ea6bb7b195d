# The workgroup in which every query runs: it says where results lie, how they are encrypted, and when a query is too big.

resource "aws_athena_workgroup" "this" {
  name          = local.prefix
  description   = "The pipelines' queries, and people's"
  force_destroy = true # of queries' history: their results are in the bucket

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.athena_bytes_scanned_cutoff

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${aws_s3_bucket.this["artifacts"].bucket}/athena-results/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.this.arn
      }
    }
  }
}

locals {
  workgroup_arn = "arn:${local.partition}:athena:${local.region}:${local.account}:workgroup/${local.prefix}"
}

resource "aws_iam_role_policy" "airflow_athena" {
  name = "athena"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Query"
      Effect = "Allow"
      Action = [
        "athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults",
        "athena:GetWorkGroup",
      ]
      Resource = local.workgroup_arn
    }]
  })
}

# What a query may read or write is the reader's own: it creates no table, because nothing lets it in S3 or Glue.
resource "aws_iam_role_policy" "reader_athena" {
  name = "athena"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Query"
      Effect = "Allow"
      Action = [
        "athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:BatchGetQueryExecution",
        "athena:ListQueryExecutions", "athena:GetQueryResults", "athena:GetWorkGroup",
      ]
      Resource = local.workgroup_arn
    }]
  })
}
