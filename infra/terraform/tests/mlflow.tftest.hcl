# Airflow finds the MLflow that it is told of, and has rights there where those are IAM's to give.

mock_provider "aws" {
  source = "./tests/account"
}

variables {
  environment = "dev"
}

run "without_an_mlflow_nothing_is_said_or_granted" {
  command = plan

  assert {
    condition     = length(aws_iam_policy.airflow_mlflow) == 0 && !contains(keys(local.platform), "mlflow_tracking_uri")
    error_message = "Nothing tracks runs unless mlflow_tracking_uri is set."
  }
}

run "a_server_of_ones_own_is_named_and_grants_nothing" {
  command = plan

  variables {
    mlflow_tracking_uri = "https://mlflow.example.com"
  }

  assert {
    condition     = length(aws_iam_policy.airflow_mlflow) == 0 && local.platform.mlflow_tracking_uri == "https://mlflow.example.com"
    error_message = "The pipelines find the server in the platform document."
  }
}

run "sagemakers_tracking_server_is_open_to_airflow_alone_and_for_tracking_alone" {
  command = plan

  variables {
    mlflow_tracking_uri = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/ours"
  }

  assert {
    condition     = local.platform.mlflow_tracking_uri == var.mlflow_tracking_uri && aws_iam_role_policy_attachment.airflow_mlflow[0].role == "silverline-dev-airflow"
    error_message = "Airflow's role gets the policy."
  }

  assert {
    condition     = local.managed_mlflow == [var.mlflow_tracking_uri]
    error_message = "The policy is about this server."
  }
}

run "an_address_of_another_kind_is_refused" {
  command = plan

  variables {
    mlflow_tracking_uri = "sqlite:///mlflow.db"
  }

  expect_failures = [var.mlflow_tracking_uri]
}
