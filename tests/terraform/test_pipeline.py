"""flight_delay on the platform that Terraform has laid, each call judged by the policies of the role that makes it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import eventually
from terraform_cli import REGION, REPOSITORY, Platform

from least_privilege import calls, comparison, grants
from ports import free_ports

# What only another run than a first one calls (docs/iam.md: "a month's files changed", "the endpoint has failed").
ON_LATER_RUNS = {
    ("airflow", "glue:BatchCreatePartition"),
    ("airflow", "sagemaker:DeleteEndpoint"),
    ("airflow", "sagemaker:UpdateEndpoint"),
}


@pytest.fixture(scope="module")
def run(platform_on_local_aws: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `make run ENV=dev` has printed."""
    state = tmp_path_factory.mktemp("run")
    ours = {"SILVERLINE_ENV": platform_on_local_aws.environment, "SILVERLINE_STATE": str(state)}

    def laptop(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "laptop", *arguments],
            env=platform_on_local_aws.aws.environment | ours,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=280,
        )

    (airflow_port,) = free_ports(1)
    aws_port = platform_on_local_aws.aws.url.rpartition(":")[2]
    done = laptop("run", "--as-of", "2013-03", f"--aws-port={aws_port}", f"--airflow-port={airflow_port}")
    yield done.stdout + done.stderr
    laptop("down")
    if done.returncode:
        sagemaker = platform_on_local_aws.aws.client("sagemaker")
        for job in sagemaker.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"]:
            print(sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])["FailureReason"])


@pytest.fixture(scope="module")
def roles(platform_on_local_aws: Platform) -> dict[str, str]:
    return grants.role_names(platform_on_local_aws.document)


def as_role(platform: Platform, role: str) -> Any:
    """A session of one of the roles that people and Airflow take."""
    arn = f"{platform.document['airflow_role_arn'].removesuffix('-airflow')}-{role}"
    keys = platform.aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)


def test_the_endpoint_answers_after_a_run_on_terraforms_platform(platform_on_local_aws: Platform, run: str) -> None:
    assert "Endpoint flight-delay is in service" in run, run
    sample = json.dumps([json.loads(run.partition("--body '")[2].partition("'")[0])])
    answer = platform_on_local_aws.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="flight-delay", ContentType="application/json", Body=sample
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_the_run_calls_what_its_roles_are_granted_and_nothing_else(
    platform_on_local_aws: Platform, run: str, roles: dict[str, str]
) -> None:
    iam = platform_on_local_aws.aws.client("iam")
    granted = [
        grant for role, name in roles.items() for grant in grants.grants(role, grants.policies(iam, name))
    ]
    found = comparison.compare(granted, calls.read(platform_on_local_aws.aws.calls, roles))
    assert found.refused == []
    assert set(found.unused) == ON_LATER_RUNS


@pytest.mark.parametrize("role", ["airflow", "reader"])
def test_nobody_reads_what_another_environment_keeps(platform_on_local_aws: Platform, role: str) -> None:
    s3 = platform_on_local_aws.aws.client("s3")
    s3.create_bucket(Bucket="silverline-prod-silver-123456789012")
    s3.put_object(Bucket="silverline-prod-silver-123456789012", Key="flights/a", Body=b"")
    client = as_role(platform_on_local_aws, role).client("s3", endpoint_url=platform_on_local_aws.aws.url)
    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        client.get_object(Bucket="silverline-prod-silver-123456789012", Key="flights/a")
