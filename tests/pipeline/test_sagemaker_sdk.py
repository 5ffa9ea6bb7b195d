"""The SageMaker Python SDK, unmodified and in its own environment, sees what the pipeline has made."""

import json
import subprocess
from pathlib import Path

import boto3
import pytest
from machine import ROOT, Laptop

pytestmark = pytest.mark.timeout(900)
PYTHON = ROOT / ".envs" / "sagemaker-sdk" / "bin" / "python"
CLIENT = Path(__file__).parent / "sagemaker_sdk_client.py"


def test_the_sdk_reads_the_job_and_invokes_the_endpoint(
    laptop: Laptop, first_run: subprocess.CompletedProcess[str]
) -> None:
    sample = (laptop.state / "sample-flight_delay.json").read_text()
    job = boto3.client("sagemaker").list_training_jobs(StatusEquals="Completed")["TrainingJobSummaries"][0]
    command = [str(PYTHON), str(CLIENT), job["TrainingJobName"], "flight-delay", "us-east-1", sample]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    document = json.loads(boto3.client("ssm").get_parameter(Name="/silverline/local/platform")["Parameter"]["Value"])
    assert seen["image"] == document["sagemaker_image"]
    assert (seen["job_status"], seen["endpoint_status"]) == ("Completed", "InService")
    assert seen["model"].endswith("/output/model.tar.gz")
    assert 0 < seen["answer"]["probability"] < 1
