# Logs and metrics go to a receiver when one is named, and only these.

mock_provider "aws" {
  source = "./tests/account"
}

variables {
  environment = "dev"
}

run "without_a_receiver_nothing_is_sent" {
  command = plan

  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.export) + length(aws_cloudwatch_metric_stream.export) + length(aws_cloudwatch_log_subscription_filter.export) == 0
    error_message = "telemetry_export is null."
  }

  assert {
    condition     = length(aws_iam_role.export) + length(aws_iam_role.export_source) + length(aws_cloudwatch_log_group.export) == 0
    error_message = "Nobody may read a secret or write to Firehose."
  }

  assert {
    condition     = !contains(aws_s3_bucket_lifecycle_configuration.this["logs"].rule[*].id, "export")
    error_message = "The logs bucket holds access logs."
  }
}

run "a_receiver_of_opentelemetry_gets_every_log_group_and_the_metrics_of_what_the_pipelines_use" {
  command = plan

  variables {
    enable_mwaa = true
    telemetry_export = {
      kind    = "opentelemetry"
      logs    = { url = "https://logs.example.com/aws-logs/api/v1/push", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" }
      metrics = { url = "https://metrics.example.com:443/aws-metrics?x=y", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:metrics-d4E5f6" }
    }
  }

  assert {
    condition = { for signal, stream in aws_kinesis_firehose_delivery_stream.export : stream.name => stream.http_endpoint_configuration[0].url } == {
      silverline-dev-export-logs    = "https://logs.example.com/aws-logs/api/v1/push"
      silverline-dev-export-metrics = "https://metrics.example.com:443/aws-metrics?x=y"
    }
    error_message = "A stream each, to its own address."
  }

  assert {
    condition = alltrue([for signal, stream in aws_kinesis_firehose_delivery_stream.export :
      stream.destination == "http_endpoint" && stream.server_side_encryption[0].key_type == "CUSTOMER_MANAGED_CMK"
      && stream.http_endpoint_configuration[0].access_key == null
      && stream.http_endpoint_configuration[0].secrets_manager_configuration[0].secret_arn == var.telemetry_export[signal].secret_arn
      && stream.http_endpoint_configuration[0].s3_backup_mode == "FailedDataOnly"
      && stream.http_endpoint_configuration[0].s3_configuration[0].bucket_arn == "arn:aws:s3:::silverline-dev-logs-123456789012"
    ])
    error_message = "Encrypted, the key read from the secret and in no state, what failed kept in the logs bucket."
  }

  assert {
    condition     = contains(aws_s3_bucket_lifecycle_configuration.this["logs"].rule[*].id, "export")
    error_message = "What failed is not kept for ever."
  }

  assert {
    condition = toset([for filter in aws_cloudwatch_log_subscription_filter.export : filter.log_group_name]) == toset(concat(
      values(local.log_groups),
      [for log in ["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"] : "airflow-silverline-dev-${log}"],
    ))
    error_message = "Every log group of the module is subscribed to, but the one that tells of failed deliveries."
  }

  assert {
    condition     = alltrue([for filter in aws_cloudwatch_log_subscription_filter.export : filter.filter_pattern == ""])
    error_message = "No line is left out."
  }

  assert {
    condition     = aws_cloudwatch_metric_stream.export["metrics"].name == "silverline-dev-export-metrics" && aws_cloudwatch_metric_stream.export["metrics"].output_format == "opentelemetry1.0"
    error_message = "Metrics come as OpenTelemetry 1.0."
  }

  assert {
    condition = toset(aws_cloudwatch_metric_stream.export["metrics"].include_filter[*].namespace) == toset([
      "Silverline", "Silverline/dev", "AWS/SageMaker", "AWS/Athena", "AmazonMWAA", "AWS/MWAA",
      "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs", "/aws/sagemaker/Endpoints",
    ])
    error_message = "No metric is streamed, and paid, that isn't the platform's."
  }
}

run "splunk_gets_lines_and_json_by_its_collector" {
  command = plan

  variables {
    telemetry_export = {
      kind    = "splunk"
      logs    = { url = "https://splunk.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" }
      metrics = { url = "https://splunk.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" }
    }
  }

  assert {
    condition = alltrue([for stream in aws_kinesis_firehose_delivery_stream.export :
      stream.destination == "splunk" && length(stream.http_endpoint_configuration) == 0
      && stream.splunk_configuration[0].hec_endpoint == "https://splunk.example.com:8088"
      && stream.splunk_configuration[0].hec_token == null
      && stream.splunk_configuration[0].secrets_manager_configuration[0].enabled
    ])
    error_message = "Splunk has a destination of its own, and a port of its choice."
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.export["logs"].splunk_configuration[0].processing_configuration[0].processors[*].type == tolist(["Decompression", "CloudWatchLogProcessing"])
    error_message = "Logs are unzipped, and taken out of CloudWatch's envelope."
  }

  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.export["metrics"].splunk_configuration[0].processing_configuration) == 0 && aws_cloudwatch_metric_stream.export["metrics"].output_format == "json"
    error_message = "Metrics are JSON as they come."
  }
}

run "logs_alone_without_mwaa" {
  command = plan

  variables {
    telemetry_export = {
      kind = "json"
      logs = { url = "https://logs.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" }
    }
  }

  assert {
    condition     = keys(aws_kinesis_firehose_delivery_stream.export) == ["logs"] && keys(aws_iam_role.export_source) == ["logs"] && length(aws_cloudwatch_metric_stream.export) == 0
    error_message = "What has no address is not sent."
  }

  assert {
    condition     = toset([for filter in aws_cloudwatch_log_subscription_filter.export : filter.log_group_name]) == toset(values(local.log_groups))
    error_message = "There are no log groups of MWAA's."
  }
}

run "metrics_alone_as_json" {
  command = plan

  variables {
    telemetry_export = {
      kind    = "json"
      metrics = { url = "https://metrics.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" }
    }
  }

  assert {
    condition     = keys(aws_kinesis_firehose_delivery_stream.export) == ["metrics"] && aws_cloudwatch_metric_stream.export["metrics"].output_format == "json" && length(aws_cloudwatch_log_subscription_filter.export) == 0
    error_message = "What has no address is not sent."
  }
}

run "a_kind_that_nobody_knows" {
  command = plan

  variables {
    telemetry_export = { kind = "datadog", logs = { url = "https://logs.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" } }
  }

  expect_failures = [var.telemetry_export]
}

run "no_address_at_all" {
  command = plan

  variables {
    telemetry_export = { kind = "json" }
  }

  expect_failures = [var.telemetry_export]
}

run "an_address_without_tls" {
  command = plan

  variables {
    telemetry_export = { kind = "splunk", logs = { url = "http://splunk.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" } }
  }

  expect_failures = [var.telemetry_export]
}

run "a_port_that_firehose_does_not_deliver_to_by_http" {
  command = plan

  variables {
    telemetry_export = { kind = "opentelemetry", metrics = { url = "https://collector.example.com:4318", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver-a1B2c3" } }
  }

  expect_failures = [var.telemetry_export]
}

run "a_key_where_the_arn_of_its_secret_belongs" {
  command = plan

  variables {
    telemetry_export = { kind = "json", logs = { url = "https://logs.example.com", secret_arn = "0123456789abcdef" } }
  }

  expect_failures = [var.telemetry_export]
}

run "a_secret_named_without_the_end_of_its_arn" {
  command = plan

  variables {
    telemetry_export = { kind = "json", logs = { url = "https://logs.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:receiver" } }
  }

  expect_failures = [var.telemetry_export]
}
