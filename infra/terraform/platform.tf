# The platform document: all that a pipeline knows of this module (infra/platform.schema.json).

locals {
  platform = merge({
    environment                 = var.environment
    bronze_bucket               = aws_s3_bucket.this["bronze"].bucket
    silver_bucket               = aws_s3_bucket.this["silver"].bucket
    gold_bucket                 = aws_s3_bucket.this["gold"].bucket
    artifacts_bucket            = aws_s3_bucket.this["artifacts"].bucket
    kms_key_arn                 = aws_kms_key.this.arn
    bronze_database             = aws_glue_catalog_database.this["bronze"].name
    silver_database             = aws_glue_catalog_database.this["silver"].name
    gold_database               = aws_glue_catalog_database.this["gold"].name
    athena_workgroup            = aws_athena_workgroup.this.name
    airflow_role_arn            = aws_iam_role.airflow.arn
    sagemaker_jobs_role_arn     = aws_iam_role.sagemaker_jobs.arn
    sagemaker_endpoint_role_arn = aws_iam_role.sagemaker_endpoint.arn
    sagemaker_image             = data.aws_sagemaker_prebuilt_ecr_image.sklearn.registry_path
    model_package_groups        = { for pipeline, group in aws_sagemaker_model_package_group.this : pipeline => group.model_package_group_name }
    endpoint_alarms             = { for pipeline in local.pipelines : pipeline => [for kind in keys(local.canary_alarms) : aws_cloudwatch_metric_alarm.canary["${pipeline}/${kind}"].alarm_name] }
    canary_seconds              = var.canary_seconds
    alarm_topic_arn             = aws_sns_topic.alarms.arn
    log_group                   = aws_cloudwatch_log_group.this["pipelines"].name
    }, {
    for uri in var.mlflow_tracking_uri[*] : "mlflow_tracking_uri" => uri
    }, {
    for mwaa in aws_mwaa_environment.this : "mwaa" => { environment = mwaa.name, bucket = local.buckets["airflow"] }
  })
}

resource "aws_ssm_parameter" "platform" {
  #checkov:skip=CKV2_AWS_34:names, and no secret among them
  name        = "/${var.project}/${var.environment}/platform"
  description = "What the pipelines of ${local.prefix} work with"
  type        = "String"
  value       = jsonencode(local.platform)

  lifecycle {
    precondition {
      condition     = length(local.pipelines) > 0
      error_message = "No pipeline found in ${local.sql_folder}: use the module inside its repository, by a relative path or by git::...//infra/terraform."
    }
  }
}

# `make deploy` says in it what runs; that it is made here means that `terraform destroy` takes it along.
resource "aws_ssm_parameter" "git_commit" {
  #checkov:skip=CKV2_AWS_34:the name of a commit is no secret
  name        = "/${var.project}/${var.environment}/git_commit"
  description = "The commit that was deployed last to ${local.prefix}"
  type        = "String"
  value       = "none"

  lifecycle {
    ignore_changes = [value]
  }
}

locals {
  parameter_arns = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${var.project}/${var.environment}/*"
}

# Airflow's secrets backend asks for one parameter at a time.
resource "aws_iam_role_policy" "airflow_ssm" {
  name = "ssm"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Read", Effect = "Allow", Action = "ssm:GetParameter", Resource = local.parameter_arns }]
  })
}

resource "aws_iam_role_policy" "reader_ssm" {
  name = "ssm"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Read", Effect = "Allow", Action = "ssm:GetParameter", Resource = local.parameter_arns }]
  })
}
