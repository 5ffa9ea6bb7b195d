# Every name follows from project and environment.

mock_provider "aws" {
  source = "./tests/account"
}

variables {
  environment = "prod"
}

run "names_follow_from_project_and_environment" {
  command = plan

  assert {
    condition = { for layer, bucket in aws_s3_bucket.this : layer => bucket.bucket } == {
      for layer in ["bronze", "silver", "gold", "artifacts", "logs"] : layer => "silverline-prod-${layer}-123456789012"
    }
    error_message = "One bucket a layer, named for it and the account, and no other."
  }

  assert {
    condition = { for layer, database in aws_glue_catalog_database.this : layer => database.name } == {
      for layer in ["bronze", "silver", "gold"] : layer => "silverline_prod_${layer}"
    }
    error_message = "One database a layer."
  }

  assert {
    condition = [
      for role in [aws_iam_role.airflow, aws_iam_role.sagemaker_jobs, aws_iam_role.sagemaker_endpoint, aws_iam_role.reader] : role.name
    ] == [for name in ["airflow", "sagemaker-jobs", "sagemaker-endpoint", "reader"] : "silverline-prod-${name}"]
    error_message = "Four roles, named for who acts."
  }

  assert {
    condition     = aws_athena_workgroup.this.name == "silverline-prod" && aws_kms_alias.this.name == "alias/silverline-prod"
    error_message = "The workgroup and the key are the environment's."
  }

  assert {
    condition     = aws_sagemaker_model_package_group.this["flight_delay"].model_package_group_name == "silverline-prod-flight-delay"
    error_message = "A pipeline's models have a group of their own."
  }

  assert {
    condition     = aws_ssm_parameter.platform.name == "/silverline/prod/platform"
    error_message = "The document is where Airflow's secrets backend looks."
  }
}

run "another_project_shares_no_name" {
  command = plan

  variables {
    project = "copper"
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : startswith(bucket.bucket, "copper-prod-")])
    error_message = "Buckets begin with the project."
  }
}
