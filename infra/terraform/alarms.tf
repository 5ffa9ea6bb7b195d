# What wakes somebody: an alarm a symptom, and one composite alarm that tells of them all, once.

locals {
  alarms = merge(
    {
      for key, filter in aws_cloudwatch_log_metric_filter.errors : "${key}-errors" => {
        what       = "uncaught exceptions in ${filter.log_group_name}"
        section    = startswith(key, "endpoint-") ? "endpoint-errors" : "failed-jobs"
        namespace  = local.metrics_namespace
        metric     = filter.metric_transformation[0].name
        dimensions = {}
        statistic  = "Sum"
        threshold  = var.alarm_thresholds.log_errors
      }
    },
    {
      "failed-queries" = {
        what       = "Athena queries that failed"
        section    = "failed-queries"
        namespace  = "AWS/Athena"
        metric     = "TotalExecutionTime"
        dimensions = { WorkGroup = local.prefix, QueryState = "FAILED", QueryType = "DML" }
        statistic  = "SampleCount"
        threshold  = var.alarm_thresholds.failed_queries
      }
    },
    {
      for pipeline, name in local.aws_names : "${name}-5xx" => {
        what       = "requests that the endpoint ${name} answered with 5xx"
        section    = "endpoint-5xx"
        namespace  = "AWS/SageMaker"
        metric     = "Invocation5XXErrors"
        dimensions = { EndpointName = name, VariantName = local.variant }
        statistic  = "Sum"
        threshold  = var.alarm_thresholds.endpoint_5xx
      }
    },
    {
      for pipeline, name in local.aws_names : "${name}-latency" => {
        what       = "99th percentile of the microseconds that the endpoint ${name} took"
        section    = "endpoint-latency"
        namespace  = "AWS/SageMaker"
        metric     = "ModelLatency"
        dimensions = { EndpointName = name, VariantName = local.variant }
        statistic  = "p99"
        threshold  = var.alarm_thresholds.endpoint_latency_milliseconds * 1000
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = "${each.value.what}. What to do: ${var.runbook_url}#${each.value.section}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_composite_alarm" "platform" {
  alarm_name        = "${local.prefix}-platform"
  alarm_description = "Something of ${local.prefix} is wrong; its alarms say what. What to do: ${var.runbook_url}"
  alarm_rule        = join(" OR ", [for alarm in aws_cloudwatch_metric_alarm.this : "ALARM(\"${alarm.alarm_name}\")"])
  alarm_actions     = [aws_sns_topic.alarms.arn]
  ok_actions        = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "platform" {
  dashboard_name = local.prefix

  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    region    = local.region
    prefix    = local.prefix
    namespace = local.metrics_namespace
    groups    = keys(local.log_groups)
    endpoints = values(local.aws_names)
    variant   = local.variant
    alarms    = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn]
  })
}

resource "aws_iam_role_policy" "reader_cloudwatch" {
  name = "cloudwatch"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Alarms"
        Effect   = "Allow"
        Action   = ["cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory"]
        Resource = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*"
      },
      {
        Sid      = "Dashboard"
        Effect   = "Allow"
        Action   = "cloudwatch:GetDashboard"
        Resource = aws_cloudwatch_dashboard.platform.dashboard_arn
      },
      {
        Sid      = "Metrics"
        Effect   = "Allow"
        Action   = ["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListDashboards", "cloudwatch:ListMetrics"]
        Resource = "*" # CloudWatch's metrics know no narrower one
      },
    ]
  })
}
