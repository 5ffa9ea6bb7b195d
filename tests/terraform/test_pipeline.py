"""flight_delay on the platform that Terraform has laid, each call judged by the policies of the role that makes it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import eventually
from terraform_cli import REPOSITORY, Platform

from least_privilege.scenarios import BATCH, LATER
from ports import free_ports
from silverline.monitoring import CHECKS

pytestmark = pytest.mark.timeout(900)


class Laptop:
    """The make targets of a user who works on that platform, `ENV=dev`."""

    def __init__(self, platform: Platform, state: Path) -> None:
        inherited = {
            name: value for name, value in platform.aws.environment.items() if not name.startswith(("MAKE", "ARGS"))
        }
        self._environment = inherited | {"SILVERLINE_STATE": str(state)}
        # `setup` counts as done: whoever runs the tests has called it, and `.envs` may be another checkout's, too.
        self._make = ["make", "--old-file=setup", f"PYTHON={sys.executable}", f"ENV={platform.environment}"]

    def make(self, *arguments: str) -> str:
        """What a target printed; it has to succeed."""
        done = subprocess.run(
            [*self._make, *arguments],
            env=self._environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=800,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def laptop(platform_on_local_aws: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop on which `make run ENV=dev` has ended well, and then a batch."""
    laptop = Laptop(platform_on_local_aws, tmp_path_factory.mktemp("run"))
    (airflow_port,) = free_ports(1)
    aws_port = platform_on_local_aws.aws.url.rpartition(":")[2]
    try:
        laptop.make("run", "AS_OF=2013-03", f"AWS_PORT={aws_port}", f"AIRFLOW_PORT={airflow_port}")
        assert "row count" in laptop.make("run", "PIPELINE=flight_delay_batch")
        yield laptop
    finally:
        laptop.make("down")


@pytest.fixture(scope="module")
def prod(platform_on_local_aws: Platform) -> Iterator[str]:
    """A bucket of another environment, with an object in it."""
    s3, bucket = platform_on_local_aws.aws.client("s3"), "silverline-prod-silver-123456789012"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="flights/a", Body=b"secret")
    yield bucket
    s3.delete_object(Bucket=bucket, Key="flights/a")
    s3.delete_bucket(Bucket=bucket)


def test_the_endpoint_answers_after_a_run_on_terraforms_platform(laptop: Laptop) -> None:
    assert "probability" in laptop.make("invoke")


def test_what_the_roles_are_granted_is_used_by_a_first_run_or_said_to_wait_for_a_later_one(
    platform_on_local_aws: Platform, laptop: Laptop
) -> None:
    said = laptop.make("iam-diff", f"CALLS={platform_on_local_aws.aws.calls}")
    assert said.endswith("### Used, not granted\n\nnothing\n\n")
    # The new endpoint has started a batch, too: one month was scored twice.
    by_batches = {pair for pair, scenario in LATER.items() if scenario == BATCH.name} | {
        ("airflow", "glue:UpdatePartition")
    }
    waiting = {
        (role, action)
        for (role, action), scenario in LATER.items()
        if f"| {role} | `{action}` | every resource; waits for: {scenario} |" in said
    }
    assert waiting == LATER.keys() - by_batches


def test_monitoring_can_look_at_all_there_is_by_the_roles_policies(laptop: Laptop) -> None:
    said = laptop.make("run", "PIPELINE=monitoring")
    verdicts = dict(re.findall(r"^(\w+) +(well|not well|too little to say) +\S", said, re.MULTILINE))
    assert verdicts == dict.fromkeys(CHECKS, "well") | dict.fromkeys(("traffic", "quality"), "too little to say"), said
    assert "InService; " in said and "fewer than the 500 of which anything is said" in said


@pytest.mark.parametrize("role", ["airflow", "reader"])
def test_nobody_reads_what_another_environment_keeps(platform_on_local_aws: Platform, prod: str, role: str) -> None:
    s3 = platform_on_local_aws.client_of(role, "s3")
    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        s3.get_object(Bucket=prod, Key="flights/a")


def test_airflow_does_not_write_to_bronze(platform_on_local_aws: Platform) -> None:
    s3 = platform_on_local_aws.client_of("airflow", "s3")
    with pytest.raises(ClientError, match="not authorized to perform: s3:PutObject"):
        s3.put_object(Bucket=platform_on_local_aws.document["bronze_bucket"], Key="flights/a", Body=b"")


def test_jobs_neither_write_to_bronze_nor_read_another_environments_data(
    platform_on_local_aws: Platform, prod: str
) -> None:
    document, sagemaker = platform_on_local_aws.document, platform_on_local_aws.aws.client("sagemaker")
    given = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/in"}
    made = {"S3UploadMode": "EndOfJob", "LocalPath": "/opt/ml/processing/out"}
    jobs: dict[str, dict[str, Any]] = {
        "writes-bronze": {
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": "out", "S3Output": {**made, "S3Uri": f"s3://{document['bronze_bucket']}/flights/"}}
                ]
            }
        },
        "reads-prod": {
            "ProcessingInputs": [{"InputName": "in", "S3Input": {**given, "S3Uri": f"s3://{prod}/flights/"}}]
        },
    }
    for name, what in jobs.items():
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=document["sagemaker_jobs_role_arn"],
            AppSpecification={
                "ImageUri": document["sagemaker_image"],
                "ContainerEntrypoint": ["/bin/sh", "-c", "echo forged > /opt/ml/processing/out/a || true"],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            **what,
        )
    reasons = {
        name: eventually(
            lambda name=name: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] in ("Failed", "Completed"),
        ).get("FailureReason", "it had none")
        for name in jobs
    }
    assert "not authorized to perform: s3:PutObject" in reasons["writes-bronze"], reasons
    assert "not authorized to perform: s3:ListBucket" in reasons["reads-prod"], reasons


@pytest.mark.parametrize("whose", ["bronze", "prod"])
def test_an_endpoints_role_reads_neither_bronze_nor_another_environments_data(
    platform_on_local_aws: Platform, prod: str, whose: str
) -> None:
    document, s3 = platform_on_local_aws.document, platform_on_local_aws.aws.client("s3")
    bucket = {"bronze": document["bronze_bucket"], "prod": prod}[whose]
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"")
    with pytest.raises(ClientError, match=f"Could not access model data at s3://{bucket}/model.tar.gz"):
        platform_on_local_aws.aws.client("sagemaker").create_model(
            ModelName=f"reads-{whose}",
            ExecutionRoleArn=document["sagemaker_endpoint_role_arn"],
            PrimaryContainer={
                "Image": document["sagemaker_image"],
                "ModelDataUrl": f"s3://{bucket}/model.tar.gz",
            },
        )
    s3.delete_object(Bucket=bucket, Key="model.tar.gz")
