"""`make deploy` to the platform that Terraform has laid."""

import subprocess
import sys

import pytest
from terraform_cli import REPOSITORY, Platform

from silverline import source


def deploy(platform: Platform, *arguments: str) -> str:
    """What `make deploy` says, as it is called with the user's own credentials."""
    command = [sys.executable, "-m", "deploy", "--env", platform.environment, *arguments]
    done = subprocess.run(command, env=platform.aws.environment, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_checkout_is_deployed_to_it_and_a_second_time_there_is_nothing_to_do(
    platform_on_local_aws: Platform,
) -> None:
    bucket, key = platform_on_local_aws.document["artifacts_bucket"], source.key("flight_delay")
    plan = deploy(platform_on_local_aws, "--dry-run")
    assert f"+ s3://{bucket}/{key}" in plan and "/silverline/dev/git_commit: none ->" in plan
    deploy(platform_on_local_aws)
    stored = platform_on_local_aws.aws.client("s3").get_object(Bucket=bucket, Key=key)
    assert stored["Body"].read() == source.archive("flight_delay")
    assert stored["SSEKMSKeyId"] == platform_on_local_aws.document["kms_key_arn"]
    assert "nothing to do" in deploy(platform_on_local_aws)


@pytest.mark.parametrize("role", ["airflow", "sagemaker-jobs", "sagemaker-endpoint", "reader"])
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_no_role_of_the_platform_changes_what_was_deployed(
    platform_on_local_aws: Platform, role: str, action: str
) -> None:
    document = platform_on_local_aws.document
    arn = document["airflow_role_arn"].removesuffix("airflow") + role
    archive = f"arn:aws:s3:::{document['artifacts_bucket']}/{source.key('flight_delay')}"
    iam = platform_on_local_aws.aws.client("iam")
    simulated = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[archive])
    assert [each["EvalDecision"] for each in simulated["EvaluationResults"]] == ["implicitDeny"]
