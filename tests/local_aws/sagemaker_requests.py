"""Requests and scripts that the SageMaker tests share."""

import io
import subprocess
import tarfile
import textwrap
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3

BUCKET = "sagemaker-tests"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"


def bucket_client() -> Any:
    """An S3 client, with the tests' bucket there."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def objects(s3: Any, prefix: str) -> dict[str, str]:
    """What is in the tests' bucket below `prefix`."""
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
    return {key.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """A .tar.gz of `files`, each text dedented."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            content = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def training_job(
    s3: Any, name: str, script: str, files: dict[str, str] | None = None, **changes: Any
) -> dict[str, Any]:
    """A CreateTrainingJob request that runs `script`, whose archive, with `files` beside it, is put into S3."""
    body = archive({"train.py": script, **(files or {})})
    s3.put_object(Bucket=BUCKET, Key=f"code/{name}/sourcedir.tar.gz", Body=body)
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/code/{name}/sourcedir.tar.gz",
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def channel(name: str, uri: str, data_type: str = "S3Prefix") -> dict[str, Any]:
    """An InputDataConfig entry."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}}


def finished(sagemaker: Any, name: str, seconds: float = 120) -> dict[str, Any]:
    """DescribeTrainingJob's answer once the job has ended."""
    return eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
        seconds,
    )


def settled(sagemaker: Any, name: str) -> dict[str, Any]:
    """DescribeEndpoint's answer once the endpoint is neither being created nor updated."""
    return eventually(
        lambda: sagemaker.describe_endpoint(EndpointName=name),
        lambda endpoint: endpoint["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"),
    )


def eventually(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 120, every: float = 0.05) -> Any:
    """What `look` returns once it is good; AssertionError, showing the last, where that takes too long."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if good(seen):
            return seen
        assert time.monotonic() < until, f"not within {seconds} s; last seen: {seen}"
        time.sleep(every)


def log_lines(logs: Any, group: str, prefix: str) -> list[str]:
    """Every message of the streams of `group` whose names begin with `prefix`."""
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    found = [
        logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
        for stream in streams
    ]
    return [event["message"] for events in found for event in events]


def is_running(pid: int) -> bool:
    """Whether the process lives (a zombie, which only waits for its parent, does not)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state) and not state.startswith("Z")
