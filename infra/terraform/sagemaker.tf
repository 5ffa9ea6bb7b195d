# SageMaker's part that outlives a run: where models are registered, and the image they are made and served in.

data "aws_sagemaker_prebuilt_ecr_image" "sklearn" {
  repository_name = "sagemaker-scikit-learn"
  image_tag       = var.sagemaker_image_tag
}

resource "aws_sagemaker_model_package_group" "this" {
  for_each = local.aws_names

  model_package_group_name        = "${local.prefix}-${each.value}"
  model_package_group_description = "Models of the pipeline ${each.key}"
}

# The endpoints are the pipelines' own; how many instances stand behind them follows their invocations. AWS takes no
# scaling for an endpoint that isn't there yet, hence `live_endpoints`.
resource "aws_appautoscaling_target" "endpoint" {
  for_each = var.live_endpoints

  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${local.aws_names[each.key]}/variant/${local.variant}"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 2 # a canary is half of them
  max_capacity       = var.endpoint_scaling.max_instances
}

resource "aws_appautoscaling_policy" "invocations" {
  for_each = aws_appautoscaling_target.endpoint

  name               = "invocations"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  resource_id        = each.value.resource_id
  scalable_dimension = each.value.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.endpoint_scaling.invocations_per_instance
    scale_out_cooldown = 60
    scale_in_cooldown  = 600

    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}

locals {
  variant = "AllTraffic" # as dags/silverline/sagemaker_requests.py names the one variant of an endpoint

  sagemaker = "arn:${local.partition}:sagemaker:${local.region}:${local.account}"

  # What a pipeline calls its jobs, models and endpoint configurations: its name, the run and the try.
  own = { for kind in ["training-job", "processing-job", "transform-job", "model", "endpoint-config"] : kind => [for name in local.aws_names : "${local.sagemaker}:${kind}/${name}-*"] }

  # The same of any kind, which the actions say already: a line a pipeline, and not one a kind.
  own_of_any_kind = [for name in local.aws_names : "${local.sagemaker}:*/${name}-*"]

  tagged   = { "aws:RequestTag/Environment" = var.environment }
  isolated = { "sagemaker:NetworkIsolation" = "true" }

  # Instance types whose disks are encrypted by the hardware, as dags/silverline/sagemaker_requests.py has them.
  local_disks = [
    "ml.*d.*", "ml.*d?.*", "ml.dl1.*", "ml.trn*",
    "ml.g5*", "ml.g6*", "ml.g7*", "ml.gr6*", "ml.p5*", "ml.p6*",
  ]

  endpoint_arns = [for name in local.aws_names : "${local.sagemaker}:endpoint/${name}"]
  group_arns    = [for name in local.aws_names : "${local.sagemaker}:model-package-group/${local.prefix}-${name}"]
  package_arns  = [for name in local.aws_names : "${local.sagemaker}:model-package/${local.prefix}-${name}/*"]
}

# What Airflow starts. Attached, as the next one is: IAM takes 10,240 characters of a role's inline policies and 6,144 of
# an attached one, and each pipeline adds to them.
resource "aws_iam_policy" "airflow_jobs" {
  name = "${local.prefix}-airflow-jobs"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without a network, with what comes of it encrypted by the platform's key, and tagged as this environment's.
        Sid      = "TrainAndEvaluate"
        Effect   = "Allow"
        Action   = ["sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob", "sagemaker:CreateProcessingJob"]
        Resource = local.own_of_any_kind
        Condition = {
          StringEquals = local.tagged
          Bool         = local.isolated
          ArnEquals    = { "sagemaker:OutputKmsKey" = aws_kms_key.this.arn }
        }
      },
      {
        # Has no switch for the network: it is its model's.
        Sid      = "Score"
        Effect   = "Allow"
        Action   = "sagemaker:CreateTransformJob"
        Resource = local.own_of_any_kind
        Condition = {
          StringEquals = local.tagged
          ArnEquals    = { "sagemaker:OutputKmsKey" = aws_kms_key.this.arn }
        }
      },
      {
        Sid       = "Model"
        Effect    = "Allow"
        Action    = "sagemaker:CreateModel"
        Resource  = local.own_of_any_kind
        Condition = { StringEquals = local.tagged, Bool = local.isolated }
      },
      {
        Sid       = "Configure"
        Effect    = "Allow"
        Action    = "sagemaker:CreateEndpointConfig"
        Resource  = local.own["endpoint-config"]
        Condition = { StringEquals = local.tagged }
      },
      {
        # The disks of jobs and endpoints are encrypted by the platform's key; for those that their own hardware
        # encrypts SageMaker takes none. A denial says that in one place: "not equal" holds of a key that isn't given.
        Sid      = "NoOtherKeyForDisks"
        Effect   = "Deny"
        Action   = ["sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob", "sagemaker:CreateProcessingJob", "sagemaker:CreateTransformJob", "sagemaker:CreateEndpointConfig"]
        Resource = "*" # whatever its name
        Condition = {
          ArnNotEquals                = { "sagemaker:VolumeKmsKey" = aws_kms_key.this.arn }
          "ForAnyValue:StringNotLike" = { "sagemaker:InstanceTypes" = local.local_disks }
        }
      },
    ]
  })
}

# What Airflow registers, approves and deploys.
resource "aws_iam_policy" "airflow_models" {
  name = "${local.prefix}-airflow-models"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindChampion"
        Effect   = "Allow"
        Action   = ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"]
        Resource = local.package_arns
      },
      {
        # Nothing is registered as approved: that is said of a package in a call of its own.
        Sid       = "Register"
        Effect    = "Allow"
        Action    = "sagemaker:CreateModelPackage"
        Resource  = concat(local.group_arns, local.package_arns)
        Condition = { StringEquals = { "sagemaker:ModelApprovalStatus" = ["PendingManualApproval", "Rejected"] } }
      },
      {
        Sid       = "Approve"
        Effect    = "Allow"
        Action    = "sagemaker:UpdateModelPackage"
        Resource  = local.package_arns
        Condition = { StringEquals = { "sagemaker:ModelApprovalStatus" = ["Approved", "Rejected"] } }
      },
      {
        Sid       = "Deploy"
        Effect    = "Allow"
        Action    = "sagemaker:CreateEndpoint"
        Resource  = concat(local.endpoint_arns, local.own["endpoint-config"])
        Condition = { StringEquals = local.tagged }
      },
      {
        Sid      = "Serve" # a request to update takes no tags
        Effect   = "Allow"
        Action   = ["sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"]
        Resource = concat(local.endpoint_arns, local.own["endpoint-config"])
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "airflow_sagemaker" {
  for_each = { jobs = aws_iam_policy.airflow_jobs.arn, models = aws_iam_policy.airflow_models.arn }

  role       = aws_iam_role.airflow.name
  policy_arn = each.value
}

resource "aws_iam_role_policy" "airflow_sagemaker" {
  name = "sagemaker"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # What is created with tags asks for this beside; nothing is tagged otherwise.
        Sid      = "Tag"
        Effect   = "Allow"
        Action   = "sagemaker:AddTags"
        Resource = concat(local.own_of_any_kind, local.endpoint_arns)
        Condition = {
          StringEquals = {
            "sagemaker:TaggingAction" = ["CreateTrainingJob", "CreateHyperParameterTuningJob", "CreateProcessingJob", "CreateTransformJob", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
          }
        }
      },
      {
        Sid    = "Follow"
        Effect = "Allow"
        Action = [
          "sagemaker:DescribeTrainingJob", "sagemaker:DescribeHyperParameterTuningJob", "sagemaker:DescribeProcessingJob",
          "sagemaker:DescribeTransformJob", "sagemaker:DescribeModel", "sagemaker:DescribeEndpointConfig",
        ]
        Resource = local.own_of_any_kind
      },
      {
        # A batch's model goes with the run that scores with it, an endpoint's when nobody goes back to it any more.
        Sid       = "DeleteOldModels"
        Effect    = "Allow"
        Action    = ["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"]
        Resource  = local.own_of_any_kind
        Condition = { StringEquals = { "aws:ResourceTag/Environment" = var.environment } }
      },
      {
        Sid       = "ActAsJobsAndEndpoint"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.sagemaker_jobs.arn, aws_iam_role.sagemaker_endpoint.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
    ]
  })
}

# What a killed task, a retry and the end of a run need: nothing may go on that nobody waits for, and of models and
# endpoint configurations the newest are kept.
resource "aws_iam_role_policy" "airflow_left_over" {
  name = "left-over"
  role = aws_iam_role.airflow.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "List"
        Effect = "Allow"
        Action = [
          "sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListProcessingJobs",
          "sagemaker:ListTrainingJobs", "sagemaker:ListTransformJobs",
          "sagemaker:ListModels", "sagemaker:ListEndpointConfigs",
        ]
        Resource = "*" # SageMaker's lists know no narrower one
      },
      {
        Sid    = "Stop"
        Effect = "Allow"
        Action = [
          "sagemaker:ListTags", "sagemaker:StopHyperParameterTuningJob", "sagemaker:StopProcessingJob",
          "sagemaker:StopTrainingJob", "sagemaker:StopTransformJob",
        ]
        Resource = local.own_of_any_kind
      },
    ]
  })
}

# AWS pulls the image as the role that runs it.
resource "aws_iam_role_policy" "image" {
  for_each = { jobs = aws_iam_role.sagemaker_jobs.name, endpoint = aws_iam_role.sagemaker_endpoint.name }

  name = "image"
  role = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*" # ECR knows no narrower one: the token is the account's
      },
      {
        Sid    = "Pull"
        Effect = "Allow"
        Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = join(":", [
          "arn", local.partition, "ecr", local.region, data.aws_sagemaker_prebuilt_ecr_image.sklearn.registry_id,
          "repository/${data.aws_sagemaker_prebuilt_ecr_image.sklearn.repository_name}",
        ])
      },
    ]
  })
}

resource "aws_iam_role_policy" "reader_sagemaker" {
  name = "sagemaker"
  role = aws_iam_role.reader.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "List"
        Effect = "Allow"
        Action = [
          "sagemaker:ListTrainingJobs", "sagemaker:ListProcessingJobs", "sagemaker:ListTransformJobs",
          "sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints",
          "sagemaker:ListModelPackageGroups",
        ]
        Resource = "*" # SageMaker's lists know no narrower one
      },
      {
        Sid    = "Describe"
        Effect = "Allow"
        Action = [
          "sagemaker:DescribeTrainingJob", "sagemaker:DescribeProcessingJob", "sagemaker:DescribeModel",
          "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeEndpoint", "sagemaker:DescribeModelPackageGroup", "sagemaker:ListModelPackages",
        ]
        Resource = concat(
          concat(values(local.own)...),
          local.endpoint_arns,
          local.group_arns,
          local.package_arns,
        )
      },
    ]
  })
}
