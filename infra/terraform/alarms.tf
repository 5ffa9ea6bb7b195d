# What wakes somebody: an alarm a symptom, each of which tells the topic. One alarm for all would tell of the first and,
# until that is over, of no other.

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
        tells      = false # a person's typo fails, too; of a pipeline's its task tells
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
        periods    = 3
        datapoints = 2 # of few answers the slowest is the percentile: one is no reason to wake anybody
      }
    },
    {
      for pipeline, name in local.aws_names : "${name}-failed-runs" => {
        what       = "runs of ${pipeline} or of its batch that failed"
        section    = "failed-runs"
        namespace  = "Silverline"
        metric     = "RunsFailed"
        dimensions = { Environment = var.environment, Pipeline = pipeline }
        statistic  = "Sum"
        threshold  = var.alarm_thresholds.failed_runs
      }
    },
    {
      # Measures of what is well are the pipeline's own: `watch` in its spec.
      for pair in setproduct(keys(local.aws_names), ["bronze", "orphans", "silver", "endpoint", "traffic", "scores", "quality"]) : "${local.aws_names[pair[0]]}-${pair[1]}" => {
        what       = "what monitoring has found wrong with ${pair[0]}: ${pair[1]}"
        section    = "monitoring-${pair[1]}"
        namespace  = "Silverline"
        metric     = "Findings"
        dimensions = { Environment = var.environment, Pipeline = pair[0], Check = pair[1] }
        statistic  = "Maximum"
        threshold  = var.alarm_thresholds.findings
        period     = 60
        missing    = "ignore" # until monitoring looks again it is as it was
      }
    },
    {
      # Every other alarm is quiet, too, where Airflow is down. A laptop's may be.
      for pipeline, name in local.aws_names : "${name}-monitoring" => {
        what       = "whether monitoring looks at ${pipeline} every hour"
        section    = "monitoring"
        namespace  = "Silverline"
        metric     = "Findings"
        dimensions = { Environment = var.environment, Pipeline = pipeline, Check = "runs" }
        statistic  = "SampleCount"
        comparison = "LessThanThreshold"
        threshold  = 1
        period     = 3600
        periods    = 3
        missing    = "breaching"
      } if var.enable_mwaa
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
  period              = try(each.value.period, 300)
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.datapoints, null)
  threshold           = each.value.threshold
  comparison_operator = try(each.value.comparison, "GreaterThanOrEqualToThreshold")
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = try(each.value.tells, true) ? [aws_sns_topic.alarms.arn] : []
  ok_actions          = try(each.value.tells, true) ? [aws_sns_topic.alarms.arn] : []
}

locals {
  # What takes a new model back while it is rolled out. They tell nobody: the run that rolled it out fails, and an
  # endpoint that goes on failing sets off the alarms above.
  canary_alarms = {
    "5xx"     = { metric = "Invocation5XXErrors", statistic = "Sum", threshold = var.alarm_thresholds.endpoint_5xx }
    "latency" = { metric = "ModelLatency", statistic = "p99", threshold = var.alarm_thresholds.endpoint_latency_milliseconds * 1000 }
  }
}

resource "aws_cloudwatch_metric_alarm" "canary" {
  for_each = merge([
    for pipeline, name in local.aws_names : {
      for kind, alarm in local.canary_alarms : "${pipeline}/${kind}" => merge(alarm, { endpoint = name, kind = kind })
    }
  ]...)

  alarm_name          = "${local.prefix}-${each.value.endpoint}-canary-${each.value.kind}"
  alarm_description   = "Takes a new model of the endpoint ${each.value.endpoint} back. What to do: ${var.runbook_url}#roll-out"
  namespace           = "AWS/SageMaker"
  metric_name         = each.value.metric
  dimensions          = { EndpointName = each.value.endpoint, VariantName = local.variant }
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = 60 # SageMaker's metrics come once a minute
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"

  # One slow answer of a few is no reason to go back.
  evaluate_low_sample_count_percentiles = startswith(each.value.statistic, "p") ? "ignore" : null
}

# Whether anything is wrong, in one place to look at: it tells nobody.
resource "aws_cloudwatch_composite_alarm" "platform" {
  alarm_name        = "${local.prefix}-platform"
  alarm_description = "Something of ${local.prefix} is wrong; its alarms say what. What to do: ${var.runbook_url}"
  alarm_rule        = join(" OR ", [for alarm in aws_cloudwatch_metric_alarm.this : "ALARM(\"${alarm.alarm_name}\")"])
}

# The laptop's start-up fills in the same files (infra/laptop/dashboard.py). How to add a widget is told in platform.yaml.
locals {
  dashboard = {
    environment = var.environment
    region      = local.region
    prefix      = local.prefix
    namespace   = local.metrics_namespace
    alarms      = jsonencode([for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn])
  }
}

resource "aws_cloudwatch_dashboard" "platform" {
  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = concat(
      yamldecode(templatefile("${path.module}/dashboard/platform.yaml", local.dashboard)),
      [
        for pipeline, name in local.aws_names : yamldecode(templatefile(
          "${path.module}/dashboard/pipeline.yaml", merge(local.dashboard, { pipeline = pipeline, endpoint = name })
        ))
      ]...
    )
  })
}

# SageMaker looks at a canary's alarms as the role of the model behind the endpoint.
resource "aws_iam_role_policy" "sagemaker_endpoint_alarms" {
  name = "alarms"
  role = aws_iam_role.sagemaker_endpoint.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Canary"
      Effect   = "Allow"
      Action   = "cloudwatch:DescribeAlarms"
      Resource = [for alarm in aws_cloudwatch_metric_alarm.canary : alarm.arn]
    }]
  })
}

resource "aws_iam_role_policy" "reader_cloudwatch" {
  #checkov:skip=CKV_AWS_355:it is DescribeAlarms, which shows composite alarms to nobody who may look at less than all
  name = "cloudwatch"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "AlarmsHistory"
        Effect   = "Allow"
        Action   = "cloudwatch:DescribeAlarmHistory"
        Resource = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*"
      },
      {
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        Sid      = "Alarms"
        Effect   = "Allow"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = "*" # composite alarms are shown to nobody who may look at less than all
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
