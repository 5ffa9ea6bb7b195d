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
    assert "5 added" in applied.stdout
    workgroup = boto3.client("athena").get_work_group(WorkGroup="terraform-pipeline")["WorkGroup"]
    location = workgroup["Configuration"]["ResultConfiguration"]["OutputLocation"]
    assert location == "s3://terraform-silver/results/"
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    destroyed = terraform("destroy", "-auto-approve")
    assert destroyed.returncode == 0 and "5 destroyed" in destroyed.stdout, destroyed.stderr
