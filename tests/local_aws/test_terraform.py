"""Terraform's AWS provider, unmodified, builds on local AWS, finds nothing to change, and takes it all down."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true
  max_retries             = 2
}

resource "aws_s3_bucket" "silver" {
  bucket = "terraform-silver"
}

resource "aws_glue_catalog_database" "silver" {
  name = "terraform_silver"
}

resource "aws_athena_workgroup" "pipeline" {
  name          = "terraform-pipeline"
  force_destroy = true
  configuration {
    result_configuration {
      output_location = "s3://${aws_s3_bucket.silver.bucket}/results/"
    }
  }
}

resource "aws_iam_role" "sagemaker" {
  name = "terraform-sagemaker"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }]
  })
}

resource "aws_ssm_parameter" "platform" {
  name  = "/terraform/platform"
  type  = "String"
  value = jsonencode({ silver_bucket = aws_s3_bucket.silver.bucket })
}

resource "aws_s3_bucket_policy" "silver" {
  bucket = aws_s3_bucket.silver.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = "${aws_s3_bucket.silver.arn}/*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_bucket_notification" "silver" {
  bucket      = aws_s3_bucket.silver.id
  eventbridge = true
}

resource "aws_sns_topic" "alarms" {
  name = "terraform-alarms"
}

resource "aws_cloudwatch_log_group" "pipeline" {
  name = "/terraform/pipeline"
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.pipeline.name
  pattern        = "{ $.level = ERROR }"
  metric_transformation {
    name          = "errors"
    namespace     = "Pipeline"
    value         = "1"
    default_value = 0
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "terraform-errors"
  namespace           = "Pipeline"
  metric_name         = aws_cloudwatch_log_metric_filter.errors.name
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = { team = "ours" }
}

resource "aws_cloudwatch_metric_alarm" "rate" {
  alarm_name          = "terraform-rate"
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  metric_query {
    id          = "rate"
    expression  = "100 * errors / requests"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = ["errors", "requests"]
    content {
      id = metric_query.value
      metric {
        namespace   = "Pipeline"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "pipeline" {
  alarm_name    = "terraform-pipeline"
  alarm_rule    = join(" OR ", [for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.rate] :
    "ALARM(${alarm.alarm_name})"
  ])
  alarm_actions = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_query_definition" "errors" {
  name            = "terraform-errors"
  log_group_names = [aws_cloudwatch_log_group.pipeline.name]
  query_string    = "fields @message | filter level = 'ERROR'"
}

resource "aws_appautoscaling_target" "endpoint" {
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/terraform/variant/all"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = 1
  max_capacity       = 2
  tags               = { team = "ours" }
}

resource "aws_budgets_budget" "team" {
  name         = "terraform-team"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = "10.0"
  limit_unit   = "USD"
  tags         = { team = "ours" }
}
"""


@pytest.fixture(scope="module")
def terraform(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs Terraform in a folder with the module; skips, saying why, where it or its provider can't be had."""
    binary = shutil.which("terraform")
    if binary is None:
        pytest.skip("terraform is not installed: the provider's calls are not tested")
    folder: Path = tmp_path_factory.mktemp("terraform")
    (folder / "main.tf").write_text(MODULE)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [binary, arguments[0], "-no-color", "-input=false", *arguments[1:]]
        return subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True)

    initialised = run("init")
    if initialised.returncode and "Failed to query available provider packages" in initialised.stderr:
        pytest.skip(f"terraform can't get its AWS provider here: {initialised.stderr.strip()[:300]}")
    assert initialised.returncode == 0, initialised.stderr
    return run


def test_what_terraform_applies_is_there_and_a_second_plan_finds_nothing_to_change(terraform: Any) -> None:
    applied = terraform("apply", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert "16 added" in applied.stdout
    workgroup = boto3.client("athena").get_work_group(WorkGroup="terraform-pipeline")["WorkGroup"]
    location = workgroup["Configuration"]["ResultConfiguration"]["OutputLocation"]
    assert location == "s3://terraform-silver/results/"
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    destroyed = terraform("destroy", "-auto-approve")
    assert destroyed.returncode == 0 and "16 destroyed" in destroyed.stdout, destroyed.stderr
