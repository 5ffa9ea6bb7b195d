# What Airflow does for people who are to look at something: it tells them of failures and late runs, and has the end of a
# job's log in the task's own.

# Attached, as others of Airflow's are: there is little room for more inline ones.
resource "aws_iam_policy" "airflow_alerts" {
  name = "${local.prefix}-airflow-alerts"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Tell"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = aws_sns_topic.alarms.arn
      },
      {
        # The topic is encrypted, by who publishes:
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        Sid       = "TellInSecret"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = aws_kms_key.this.arn
        Condition = { StringEquals = { "kms:ViaService" = "sns.${local.region}.amazonaws.com" } }
      },
      {
        Sid      = "ReadLogsOfJobs"
        Effect   = "Allow"
        Action   = "logs:FilterLogEvents"
        Resource = flatten([for kind in ["training", "processing", "transform"] : [local.log_arns[kind], "${local.log_arns[kind]}:*"]])
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "airflow_alerts" {
  role       = aws_iam_role.airflow.name
  policy_arn = aws_iam_policy.airflow_alerts.arn
}
