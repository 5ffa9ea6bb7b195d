# Where logs and metrics go besides CloudWatch, if anywhere: Firehose brings them to a receiver that is yours.

variable "telemetry_export" {
  description = "A receiver of `logs`, of `metrics` or of both: its address, and the ARN of the secret with its key, {\"api_key\": \"…\"} or of Splunk {\"hec_token\": \"…\"}. `kind` says what it takes: opentelemetry or json (Firehose's HTTP requests with such metrics), or splunk (an HTTP Event Collector). null: none."
  type = object({
    kind    = string
    logs    = optional(object({ url = string, secret_arn = string }))
    metrics = optional(object({ url = string, secret_arn = string }))
  })
  default = null

  validation {
    condition     = alltrue([for export in var.telemetry_export[*] : contains(["opentelemetry", "json", "splunk"], export.kind)])
    error_message = "kind is opentelemetry, json or splunk."
  }

  validation {
    condition     = alltrue([for export in var.telemetry_export[*] : export.logs != null || export.metrics != null])
    error_message = "Give logs, metrics or both: otherwise nothing is sent."
  }

  validation {
    condition = alltrue(flatten([for export in var.telemetry_export[*] : [
      for to in concat(export.logs[*], export.metrics[*]) :
      can(regex(export.kind == "splunk" ? "^https://[^/:\\s]+(:\\d+)?(/\\S*)?$" : "^https://[^/:\\s]+(:443)?(/\\S*)?$", to.url))
    ]]))
    error_message = "Firehose delivers to https:// addresses only, and by HTTP (all but Splunk) to no port but 443."
  }

  validation {
    condition = alltrue(flatten([for export in var.telemetry_export[*] : [
      for to in concat(export.logs[*], export.metrics[*]) :
      can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:\\S+-[A-Za-z0-9]{6}$", to.secret_arn))
    ]]))
    error_message = "secret_arn is the whole ARN of a secret in Secrets Manager, with the six characters at its end."
  }
}

locals {
  # A stream for logs and one for metrics: receivers tell the two apart by address or by key.
  exports = merge([for export in var.telemetry_export[*] : {
    for signal, to in { logs = export.logs, metrics = export.metrics } : signal => to if to != null
  }]...)
  exports_to_splunk = contains(var.telemetry_export[*].kind, "splunk")
  export_names      = { for signal in keys(local.exports) : signal => "${local.prefix}-export-${signal}" }
  export_arns       = { for signal, name in local.export_names : signal => "arn:${local.partition}:firehose:${local.region}:${local.account}:deliverystream/${name}" }

  export_log_group = "/aws/kinesisfirehose/${local.prefix}-export"

  # A log group of MWAA's is there with MWAA.
  exported_log_groups = contains(keys(local.exports), "logs") ? merge(aws_cloudwatch_log_group.this, aws_cloudwatch_log_group.mwaa) : {}

  # Every namespace by its full name: CloudWatch charges for each metric that is streamed.
  exported_namespaces = concat(
    [title(var.project), local.metrics_namespace, "AWS/SageMaker", "AWS/Athena"],
    [for kind in ["TrainingJobs", "ProcessingJobs", "TransformJobs", "Endpoints"] : "/aws/sagemaker/${kind}"],
    var.enable_mwaa ? ["AmazonMWAA", "AWS/MWAA"] : [],
  )

  export_sources = {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions-confused-deputy.html
    logs = {
      Principal = { Service = "logs.amazonaws.com" }
      Condition = { StringLike = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account}:*" } }
    }
    # AWS documents no condition: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-trustpolicy.html
    metrics = { Principal = { Service = "streams.metrics.cloudwatch.amazonaws.com" } }
  }
}

# https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
resource "aws_kinesis_firehose_delivery_stream" "export" {
  for_each = local.exports

  name        = local.export_names[each.key]
  destination = local.exports_to_splunk ? "splunk" : "http_endpoint"

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = aws_kms_key.this.arn
  }

  dynamic "http_endpoint_configuration" {
    for_each = local.exports_to_splunk ? [] : [each.value]
    content {
      name               = local.export_names[each.key]
      url                = http_endpoint_configuration.value.url
      role_arn           = aws_iam_role.export[0].arn
      buffering_interval = 60 # the least that AWS recommends for metrics
      buffering_size     = 1
      s3_backup_mode     = "FailedDataOnly"

      request_configuration {
        content_encoding = "GZIP"
      }

      secrets_manager_configuration {
        enabled    = true
        secret_arn = each.value.secret_arn
        role_arn   = aws_iam_role.export[0].arn
      }

      s3_configuration {
        bucket_arn          = local.bucket_arns.logs
        role_arn            = aws_iam_role.export[0].arn
        prefix              = "export/${each.key}/"
        error_output_prefix = "export/${each.key}/"
      }

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.export[0].name
        log_stream_name = aws_cloudwatch_log_stream.export[each.key].name
      }
    }
  }

  dynamic "splunk_configuration" {
    for_each = local.exports_to_splunk ? [each.value] : []
    content {
      hec_endpoint      = splunk_configuration.value.url
      hec_endpoint_type = "Raw"
      s3_backup_mode    = "FailedEventsOnly"

      secrets_manager_configuration {
        enabled    = true
        secret_arn = each.value.secret_arn
        role_arn   = aws_iam_role.export[0].arn
      }

      # CloudWatch Logs zips what it sends, and Splunk doesn't unzip: it gets the lines.
      dynamic "processing_configuration" {
        for_each = each.key == "logs" ? [each.key] : []
        content {
          enabled = true

          processors {
            type = "Decompression"

            parameters {
              parameter_name  = "CompressionFormat"
              parameter_value = "GZIP"
            }
          }

          processors {
            type = "CloudWatchLogProcessing"

            parameters {
              parameter_name  = "DataMessageExtraction"
              parameter_value = "true"
            }
          }
        }
      }

      s3_configuration {
        bucket_arn          = local.bucket_arns.logs
        role_arn            = aws_iam_role.export[0].arn
        prefix              = "export/${each.key}/"
        error_output_prefix = "export/${each.key}/"
      }

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.export[0].name
        log_stream_name = aws_cloudwatch_log_stream.export[each.key].name
      }
    }
  }

  depends_on = [aws_iam_role_policy.export]
}

# Why something did not arrive. It is not exported itself: a failed delivery would make the next one.
resource "aws_cloudwatch_log_group" "export" {
  count = length(local.exports) > 0 ? 1 : 0

  name              = local.export_log_group
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_cloudwatch_log_stream" "export" {
  for_each = local.exports

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.export[0].name
}

resource "aws_cloudwatch_log_subscription_filter" "export" {
  for_each = local.exported_log_groups

  name            = local.export_names["logs"]
  log_group_name  = each.value.name
  filter_pattern  = "" # every line
  destination_arn = aws_kinesis_firehose_delivery_stream.export["logs"].arn
  role_arn        = aws_iam_role.export_source["logs"].arn

  depends_on = [aws_iam_role_policy.export_source] # CloudWatch Logs sends a test message
}

resource "aws_cloudwatch_metric_stream" "export" {
  for_each = { for signal, name in local.export_names : signal => name if signal == "metrics" }

  name          = each.value
  firehose_arn  = aws_kinesis_firehose_delivery_stream.export[each.key].arn
  role_arn      = aws_iam_role.export_source[each.key].arn
  output_format = var.telemetry_export.kind == "opentelemetry" ? "opentelemetry1.0" : "json"

  dynamic "include_filter" {
    for_each = local.exported_namespaces
    content {
      namespace = include_filter.value
    }
  }

  # By default a stream has minimum, maximum, sum and count; the alarm on latency looks at this one.
  statistics_configuration {
    additional_statistics = ["p99"]

    include_metric {
      namespace   = "AWS/SageMaker"
      metric_name = "ModelLatency"
    }
  }

  depends_on = [aws_iam_role_policy.export_source]
}
