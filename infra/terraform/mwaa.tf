# Airflow as a service, where it is wanted: Amazon MWAA, and what its role may do for Airflow itself.

variable "enable_mwaa" {
  description = "Whether Airflow runs in Amazon MWAA (hundreds of dollars a month); otherwise it runs where you start it (hybrid)."
  type        = bool
  default     = false
}

variable "mwaa" {
  description = "The MWAA environment, where enable_mwaa is set. Subnets (two, private, in two zones) and security groups of a VPC that you have are used as they are; without subnets a VPC is made, with endpoints and no way to the internet."
  type = object({
    airflow_version    = optional(string, "3.2.1")
    environment_class  = optional(string, "mw1.small")
    max_workers        = optional(number, 2)
    webserver_access   = optional(string, "PRIVATE_ONLY")
    vpc_cidr           = optional(string, "10.40.0.0/24")
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = can(regex("^3\\.\\d+\\.\\d+$", var.mwaa.airflow_version))
    error_message = "The DAGs are written for Airflow 3: airflow_version is one like 3.2.1."
  }

  validation {
    condition     = can(regex("^mw1\\.(micro|small|medium|large|xlarge|2xlarge)$", var.mwaa.environment_class))
    error_message = "environment_class is mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."
  }

  validation {
    condition     = var.mwaa.max_workers >= 1 && floor(var.mwaa.max_workers) == var.mwaa.max_workers
    error_message = "max_workers is a whole number, 1 at least."
  }

  validation {
    condition     = contains(["PRIVATE_ONLY", "PUBLIC_ONLY"], var.mwaa.webserver_access)
    error_message = "webserver_access is PRIVATE_ONLY or PUBLIC_ONLY."
  }

  validation {
    condition     = contains([0, 2], length(var.mwaa.subnet_ids))
    error_message = "MWAA takes two private subnets in two zones; leave subnet_ids empty to have a VPC made."
  }

  validation {
    condition     = (length(var.mwaa.subnet_ids) > 0) == (length(var.mwaa.security_group_ids) > 0)
    error_message = "subnet_ids and security_group_ids belong to one VPC: give both or neither."
  }

  validation {
    condition     = can(cidrsubnet(var.mwaa.vpc_cidr, 1, 0))
    error_message = "vpc_cidr is a range like 10.40.0.0/24."
  }
}

locals {
  mwaa_arn = "arn:${local.partition}:airflow:${local.region}:${local.account}:environment/${local.prefix}"
  # MWAA makes groups of these names itself, unencrypted ones that never expire, unless they are there.
  mwaa_logs = var.enable_mwaa ? toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"]) : []
}

resource "aws_mwaa_environment" "this" {
  count = var.enable_mwaa ? 1 : 0

  name                  = local.prefix
  airflow_version       = var.mwaa.airflow_version
  environment_class     = var.mwaa.environment_class
  max_workers           = var.mwaa.max_workers
  execution_role_arn    = aws_iam_role.airflow.arn
  kms_key               = aws_kms_key.this.arn
  source_bucket_arn     = local.bucket_arns["airflow"]
  dag_s3_path           = "dags"
  webserver_access_mode = var.mwaa.webserver_access

  # The platform document is the Airflow variable `platform`, here as on a laptop (infra/laptop/settings.py).
  airflow_configuration_options = {
    "secrets.backend" = "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend"
    "secrets.backend_kwargs" = jsonencode({
      variables_prefix   = "/${var.project}/${var.environment}"
      connections_prefix = null
      config_prefix      = null
    })
  }

  network_configuration {
    subnet_ids         = local.own_vpc ? aws_subnet.this[*].id : var.mwaa.subnet_ids
    security_group_ids = local.own_vpc ? aws_security_group.mwaa[*].id : var.mwaa.security_group_ids
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "WARNING"
    }
    scheduler_logs {
      enabled   = true
      log_level = "WARNING"
    }
    task_logs {
      enabled   = true
      log_level = "INFO"
    }
    webserver_logs {
      enabled   = true
      log_level = "WARNING"
    }
    worker_logs {
      enabled   = true
      log_level = "WARNING"
    }
  }

  lifecycle {
    # `make deploy` uploads these and tells MWAA which version of each to take.
    ignore_changes = [
      requirements_s3_path, requirements_s3_object_version, plugins_s3_path, plugins_s3_object_version,
    ]
  }

  # MWAA looks at what its role may do and whether the bucket is versioned and closed, and makes log groups of its own.
  depends_on = [
    aws_iam_role_policy_attachment.airflow_mwaa,
    aws_cloudwatch_log_group.mwaa,
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_public_access_block.this,
  ]
}

resource "aws_cloudwatch_log_group" "mwaa" {
  for_each = local.mwaa_logs

  name              = "airflow-${local.prefix}-${each.value}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}

# What AWS asks of an execution role, and of its wildcards what reading a versioned bucket takes:
# https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-create-role.html
# Attached, where all other policies are inline: of these IAM takes 10,240 characters a role.
resource "aws_iam_policy" "airflow_mwaa" {
  count = var.enable_mwaa ? 1 : 0

  name = "${local.prefix}-airflow-mwaa"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Health"
        Effect   = "Allow"
        Action   = "airflow:PublishMetrics"
        Resource = local.mwaa_arn
      },
      {
        # MWAA reads versions of objects, and refuses a bucket that isn't versioned or is open to the public.
        Sid    = "DeployedFiles"
        Effect = "Allow"
        Action = [
          "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions",
          "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock",
          "s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:GetBucketPolicyStatus",
        ]
        Resource = [local.bucket_arns["airflow"], "${local.bucket_arns["airflow"]}/*"]
      },
      {
        Sid      = "PublicAccessBlockOfTheAccount"
        Effect   = "Allow"
        Action   = "s3:GetAccountPublicAccessBlock"
        Resource = "*" # the account's setting
      },
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:GetLogEvents",
          "logs:GetLogRecord", "logs:GetLogGroupFields", "logs:GetQueryResults",
        ]
        Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:airflow-${local.prefix}-*"
      },
      {
        Sid      = "FindLogs"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*"
      },
      {
        Sid       = "AirflowMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # CloudWatch knows no narrower one: the condition is what there is
        Condition = { StringEquals = { "cloudwatch:namespace" = ["AmazonMWAA", "AWS/MWAA"] } }
      },
      {
        # The queue of tasks belongs to an account of MWAA's, whose number nobody is told.
        Sid    = "TaskQueue"
        Effect = "Allow"
        Action = [
          "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
          "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage",
        ]
        Resource = "arn:${local.partition}:sqs:${local.region}:*:airflow-celery-*"
      },
      {
        Sid    = "QueueAndFilesAreEncrypted"
        Effect = "Allow"
        Action = [
          "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        ]
        Resource  = aws_kms_key.this.arn
        Condition = { StringEquals = { "kms:ViaService" = ["sqs.${local.region}.amazonaws.com", "s3.${local.region}.amazonaws.com"] } }
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "airflow_mwaa" {
  count = var.enable_mwaa ? 1 : 0

  role       = aws_iam_role.airflow.name
  policy_arn = aws_iam_policy.airflow_mwaa[0].arn
}
