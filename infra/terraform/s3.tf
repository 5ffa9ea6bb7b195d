# A bucket a layer: bronze for raw files, silver and gold for tables, artifacts for code and models, logs for who read what.

locals {
  data_buckets = toset([for layer in keys(local.buckets) : layer if layer != "logs"])

  # Prefixes that hold what one run needed, or what an endpoint was asked, for `run_days`. What silver's partitions and the
  # registry point to also lies under a run's prefix: it goes when its pipeline deletes it, never by age.
  run_prefixes = {
    silver    = [for pipeline in local.pipelines : "${pipeline}/splits/"]
    gold      = flatten([for pipeline in local.pipelines : ["${pipeline}/batch/", "${pipeline}/captured/"]])
    artifacts = ["athena-results/"]
    logs      = concat(["s3/"], length(local.exports) > 0 ? ["export/"] : [])
  }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_6:checkov loses what is joined to a bucket by for_each; tests/terraform/test_policies.py looks at each bucket's block
  #checkov:skip=CKV2_AWS_61:the same; the test looks at each bucket's lifecycle
  #checkov:skip=CKV2_AWS_62:it is bronze whose files somebody may wait for
  #checkov:skip=CKV_AWS_18:access to the access logs would be logged in themselves
  #checkov:skip=CKV_AWS_21:access logs are written once; the test looks at the other buckets' versions
  #checkov:skip=CKV_AWS_144:a second region doubles the price; whoever needs one adds the replication for bronze, from which all else is made
  #checkov:skip=CKV_AWS_145:S3 delivers access logs to no bucket whose default is a KMS key; the test looks at the other buckets' keys
  for_each = local.buckets

  bucket        = each.value
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.data_buckets # access logs are written once

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = each.key != "logs"

    apply_server_side_encryption_by_default {
      # S3 delivers access logs to no bucket whose default is a KMS key.
      sse_algorithm     = each.key == "logs" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "logs" ? null : aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Bronze keeps every version of every file: nothing else could make it again.
  dynamic "rule" {
    for_each = contains(["silver", "gold", "artifacts"], each.key) ? ["old-versions"] : []
    content {
      id     = rule.value
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = var.old_version_days
      }

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  dynamic "rule" {
    for_each = lookup(local.run_prefixes, each.key, [])
    content {
      id     = trimsuffix(replace(rule.value, "/", "-"), "-")
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      expiration {
        days = var.run_days
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  for_each = local.data_buckets

  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.this["logs"].id
  target_prefix = "s3/${each.key}/"

  depends_on = [aws_s3_bucket_policy.this]
}

# Whoever waits for files can say so by an EventBridge rule: bronze tells it of every object.
resource "aws_s3_bucket_notification" "bronze" {
  bucket      = aws_s3_bucket.this["bronze"].id
  eventbridge = true
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyByTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arns[each.key], "${local.bucket_arns[each.key]}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      each.key != "logs" ? [] : [{
        Sid       = "AccessLogs"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arns.logs}/s3/*"
        Condition = {
          ArnLike      = { "aws:SourceArn" = [for layer in local.data_buckets : local.bucket_arns[layer]] }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

locals {
  # What models say is not Airflow's to write: it makes tables of it, under the runs' prefixes.
  airflow_writes = concat(
    ["${local.bucket_arns.silver}/*", "${local.bucket_arns.artifacts}/athena-results/*"],
    [for pipeline in local.pipelines : "${local.bucket_arns.gold}/${pipeline}/runs/*"],
  )
}

resource "aws_iam_role_policy" "airflow_s3" {
  name = "s3"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindObjects"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"] # Athena asks for the place of a bucket
        Resource = [for layer in ["bronze", "silver", "gold", "artifacts"] : local.bucket_arns[layer]]
      },
      {
        # A model's lineage names the version of each raw file.
        Sid      = "FindVersions"
        Effect   = "Allow"
        Action   = "s3:ListBucketVersions"
        Resource = local.bucket_arns.bronze
      },
      {
        # Athena reads and writes as whoever starts the query.
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = [for layer in ["bronze", "silver", "gold", "artifacts"] : "${local.bucket_arns[layer]}/*"]
      },
      {
        # Not the scripts that are trained: those come by `make deploy` and in no other way.
        Sid    = "Write"
        Effect = "Allow"
        Action = ["s3:PutObject", "s3:AbortMultipartUpload"] # Athena writes in parts
        Resource = concat(local.airflow_writes, flatten([for pipeline in local.pipelines : [
          "${local.bucket_arns.artifacts}/${pipeline}/evaluation/*",
          "${local.bucket_arns.artifacts}/${pipeline}/lineage/*",
          "${local.bucket_arns.gold}/${pipeline}/batch/requests/*",
        ]]))
      },
      {
        Sid      = "DropWhatWasStaged"
        Effect   = "Allow"
        Action   = "s3:DeleteObject"
        Resource = local.airflow_writes
      },
    ]
  })
}

resource "aws_iam_role_policy" "sagemaker_jobs_s3" {
  name = "s3"
  role = aws_iam_role.sagemaker_jobs.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "FindSplits"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arns.silver
        Condition = { StringLike = { "s3:prefix" = [for pipeline in local.pipelines : "${pipeline}/splits/*"] } }
      },
      {
        Sid       = "FindSourceAndModels"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arns.artifacts
        Condition = { StringLike = { "s3:prefix" = [for pipeline in local.pipelines : "${pipeline}/*"] } }
      },
      {
        Sid       = "FindRequests"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arns.gold
        Condition = { StringLike = { "s3:prefix" = [for pipeline in local.pipelines : "${pipeline}/batch/requests/*"] } }
      },
      {
        Sid      = "ReadRequests"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = [for pipeline in local.pipelines : "${local.bucket_arns.gold}/${pipeline}/batch/requests/*"]
      },
      {
        Sid      = "WriteAnswers"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = [for pipeline in local.pipelines : "${local.bucket_arns.gold}/${pipeline}/batch/answers/*"]
      },
      {
        Sid    = "ReadSplitsSourceAndModels"
        Effect = "Allow"
        Action = "s3:GetObject"
        Resource = flatten([for pipeline in local.pipelines : [
          "${local.bucket_arns.silver}/${pipeline}/splits/*",
          "${local.bucket_arns.artifacts}/${pipeline}/source/*",
          "${local.bucket_arns.artifacts}/${pipeline}/training/*",
        ]])
      },
      {
        Sid    = "WriteModelsAndEvaluations"
        Effect = "Allow"
        Action = "s3:PutObject"
        Resource = flatten([for pipeline in local.pipelines : [
          "${local.bucket_arns.artifacts}/${pipeline}/training/*",
          "${local.bucket_arns.artifacts}/${pipeline}/evaluation/*",
        ]])
      },
    ]
  })
}

resource "aws_iam_role_policy" "sagemaker_endpoint_s3" {
  name = "s3"
  role = aws_iam_role.sagemaker_endpoint.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadModels"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = [for pipeline in local.pipelines : "${local.bucket_arns.artifacts}/${pipeline}/training/*"]
      },
      {
        Sid      = "Capture"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = [for pipeline in local.pipelines : "${local.bucket_arns.gold}/${pipeline}/captured/*"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "reader_s3" {
  name = "s3"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindObjects"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [for layer in local.data_buckets : local.bucket_arns[layer]]
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = [for layer in local.data_buckets : "${local.bucket_arns[layer]}/*"]
      },
      {
        # Athena writes the results of a query as whoever asks.
        Sid      = "QueryResults"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = "${local.bucket_arns.artifacts}/athena-results/*"
      },
    ]
  })
}
