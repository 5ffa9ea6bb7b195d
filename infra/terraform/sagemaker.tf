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
