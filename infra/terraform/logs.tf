# Where jobs and endpoints write: SageMaker's own log groups, made before SageMaker makes them without an end or a key.
# And where pipelines write what they did, as dags/silverline/metrics.py has it.

locals {
  log_groups = merge(
    { pipelines = "/${var.project}/${var.environment}/pipelines" },
    { for kind in ["Training", "Processing", "Transform"] : lower(kind) => "/aws/sagemaker/${kind}Jobs" },
    { for name in local.aws_names : "endpoint-${name}" => "/aws/sagemaker/Endpoints/${name}" },
  )
  log_arns = { for key, name in local.log_groups : key => "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${name}" }

  metrics_namespace = "${title(var.project)}/${var.environment}"
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.log_groups

  name              = each.value
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}

# An exception that nobody caught. A laptop counts the same (infra/laptop/log_metrics.py).
resource "aws_cloudwatch_log_metric_filter" "errors" {
  for_each = { for key, group in aws_cloudwatch_log_group.this : key => group if key != "pipelines" }

  name           = "${local.prefix}-${each.key}-errors"
  log_group_name = each.value.name
  pattern        = "\"Traceback (most recent call last)\""

  metric_transformation {
    namespace     = local.metrics_namespace
    name          = "${each.key}-errors"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = {
    "errors of jobs" = {
      groups = ["training", "processing", "transform"]
      query  = "fields @timestamp, @logStream, @message | filter @message like /Traceback|Error|Exception/ | sort @timestamp desc | limit 200"
    }
    "story of a run" = {
      groups = ["pipelines", "training", "processing", "transform"]
      query  = "fields @timestamp, @logStream, @message | filter @logStream like /PUT-run_slug-HERE|PUT-run_digest-HERE/ | sort @timestamp asc | limit 2000"
    }
    "failed tasks" = {
      groups = ["pipelines"]
      query  = "fields @timestamp, dag, run, task | filter event = \"task\" and state = \"failed\" | sort @timestamp desc | limit 200"
    }
    "metrics that training printed" = {
      groups = ["training"]
      query  = "fields @timestamp, @logStream, @message | filter @message like /^(train|validation|test):[a-z_]+=/ | sort @timestamp desc | limit 200"
    }
    "errors of endpoints" = {
      groups = [for name in local.aws_names : "endpoint-${name}"]
      query  = "fields @timestamp, @logStream, @message | filter @message like /Traceback|Error|Exception/ | sort @timestamp desc | limit 200"
    }
  }

  name            = "${local.prefix}/${each.key}"
  log_group_names = [for group in each.value.groups : aws_cloudwatch_log_group.this[group].name]
  query_string    = each.value.query
}

# What AWS asks of an execution role, but CreateLogGroup: the groups are there.
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
resource "aws_iam_role_policy" "sagemaker_logs" {
  for_each = {
    (aws_iam_role.sagemaker_jobs.name)     = ["training", "processing", "transform"]
    (aws_iam_role.sagemaker_endpoint.name) = [for name in local.aws_names : "endpoint-${name}"]
  }

  name = "logs"
  role = each.key

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Write"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = flatten([for group in each.value : [local.log_arns[group], "${local.log_arns[group]}:log-stream:*"]])
      },
      {
        Sid       = "Measure"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # CloudWatch knows no narrower one: the condition is what there is
        Condition = { StringLike = { "cloudwatch:namespace" = "/aws/sagemaker/*" } }
      },
    ]
  })
}

# Attached, as others of Airflow's are: there is little room for more inline ones.
resource "aws_iam_policy" "airflow_watch" {
  name = "${local.prefix}-airflow-watch"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TellOfRuns"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [local.log_arns.pipelines, "${local.log_arns.pipelines}:log-stream:*"]
      },
      {
        Sid      = "ReadMetrics"
        Effect   = "Allow"
        Action   = "cloudwatch:GetMetricData"
        Resource = "*" # CloudWatch's metrics know no narrower one
      },
      {
        Sid      = "LookAtTheCanarysAlarmsFirst"
        Effect   = "Allow"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = [for alarm in aws_cloudwatch_metric_alarm.canary : alarm.arn]
      },
      {
        Sid      = "WriteWhatMonitoringFinds"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = [for pipeline in local.pipelines : "${local.bucket_arns.gold}/${pipeline}/monitoring/*"]
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "airflow_watch" {
  role       = aws_iam_role.airflow.name
  policy_arn = aws_iam_policy.airflow_watch.arn
}

resource "aws_iam_role_policy" "reader_logs" {
  name = "logs"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetQueryResults", "logs:StartQuery"]
        Resource = flatten([for arn in values(local.log_arns) : [arn, "${arn}:*"]])
      },
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups", "logs:DescribeQueryDefinitions"]
        Resource = "*" # CloudWatch Logs knows no narrower one
      },
    ]
  })
}
