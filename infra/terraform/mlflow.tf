# Where the pipelines' runs are tracked, if anywhere: the MLflow itself is yours, this is how Airflow finds it and gets in.

variable "mlflow_tracking_uri" {
  description = "MLflow that pipelines tell of their runs: the ARN of SageMaker's managed MLflow, whose artifacts are under mlflow/ in the artifacts bucket, or the address of a server. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.mlflow_tracking_uri == null || can(regex("^(https?://.+|arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\\d{12}:mlflow-(tracking-server|app)/.+)$", var.mlflow_tracking_uri))
    error_message = "Give the ARN of an mlflow-tracking-server or mlflow-app, or an http(s) address, as infra/platform.schema.json asks."
  }
}

locals {
  managed_mlflow = [for uri in var.mlflow_tracking_uri[*] : uri if startswith(uri, "arn:")]
}

# What dags/silverline/tracking.py calls: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerwithmlflow.html
# An app asks for one action more: https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-app-setup-prerequisites-iam.html
# Attached, as mwaa.tf's is: there is little room for more inline ones.
resource "aws_iam_policy" "airflow_mlflow" {
  count = length(local.managed_mlflow)

  name = "${local.prefix}-airflow-mlflow"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Track"
        Effect = "Allow"
        Action = concat(
          ["sagemaker-mlflow:GetExperimentByName", "sagemaker-mlflow:CreateExperiment", "sagemaker-mlflow:SearchRuns"],
          ["sagemaker-mlflow:CreateRun", "sagemaker-mlflow:GetRun", "sagemaker-mlflow:LogBatch", "sagemaker-mlflow:UpdateRun"],
          strcontains(local.managed_mlflow[0], ":mlflow-app/") ? ["sagemaker:CallMlflowAppApi"] : [],
        )
        Resource = local.managed_mlflow[0]
      },
      {
        # MLflow's client puts artifacts into the bucket itself.
        Sid      = "WriteArtifacts"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${local.bucket_arns.artifacts}/mlflow/*"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "airflow_mlflow" {
  count = length(local.managed_mlflow)

  role       = aws_iam_role.airflow.name
  policy_arn = aws_iam_policy.airflow_mlflow[0].arn
}
