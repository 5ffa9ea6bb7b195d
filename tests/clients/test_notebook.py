"""docs/notebook.md does what it says: its Python runs as it stands, after a training job and an endpoint like those of
the pipeline."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from channels import write_channels
from sagemaker_requests import IMAGE, ROLE, archive, channel, finished, settled

pytestmark = [pytest.mark.long(25), pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "notebook.md").read_text()
SCRIPTS = ROOT / "sagemaker_scripts" / "flight_delay"
BUCKET = "notebook-artifacts"


@pytest.fixture
def pipeline(s3: Any, sagemaker: Any, tmp_path: Path) -> Iterator[None]:
    """What `make run` would have left, from little data: the last training job, and the endpoint of its model."""
    s3.create_bucket(Bucket=BUCKET)
    for path in write_channels(tmp_path).rglob("*.parquet"):
        s3.upload_file(str(path), BUCKET, f"splits/{path.relative_to(tmp_path)}")
    sources = {path.name: path.read_text() for path in SCRIPTS.glob("*.py")}
    s3.put_object(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=archive(sources))
    sagemaker.create_training_job(
        TrainingJobName="flight-delay-run",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "label": "is_late",
            "max_iter": "5",
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/sourcedir.tar.gz",
        },
        InputDataConfig=[channel(name, f"s3://{BUCKET}/splits/{name}/") for name in ("train", "validation", "test")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/flight_delay/training"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    job = finished(sagemaker, "flight-delay-run")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    container = {
        "Image": IMAGE,
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    sagemaker.create_model(ModelName="flight-delay", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "flight-delay",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName="flight-delay", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="flight-delay", EndpointConfigName="flight-delay")
    assert settled(sagemaker, "flight-delay")["EndpointStatus"] == "InService"
    yield
    sagemaker.delete_endpoint(EndpointName="flight-delay")


def test_the_page_trains_the_pipelines_script_and_asks_its_endpoint(pipeline: None, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("{SchemaVersion: '1.0', SageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}}")
    done = subprocess.run(
        [ROOT / ".envs" / "sagemaker-sdk" / "bin" / "python", "-"],
        input="\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)),
        env={**os.environ, "SAGEMAKER_USER_CONFIG_OVERRIDE": str(config)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    artifacts, answer = done.stdout.splitlines()[-2:]
    key = artifacts.removeprefix(f"s3://{BUCKET}/")
    assert boto3.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 1000
    assert re.fullmatch(r"late with probability [01]\.\d\d", answer)
