"""What a run leaves for people to read, looked for on a local AWS."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from least_privilege import traces
from local_aws.server import Server

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(local_aws: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(traces, "WAIT_SECONDS", 0)
    client = boto3.client("logs")
    if not client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        client.create_log_group(logGroupName=GROUP)
    return client


def begin_stream(logs: Any, *lines: str) -> None:
    stream: Any = {"logGroupName": GROUP, "logStreamName": f"a-pipeline-{uuid.uuid4()}/algo-1"}
    logs.create_log_stream(**stream)
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    if events:
        logs.put_log_events(**stream, logEvents=events)


def test_a_job_without_a_stream_left_no_log_whatever_older_jobs_left(logs: Any) -> None:
    begin_stream(logs, "of an older job")
    time.sleep(0.002)
    assert traces.first_missing("a_pipeline", datetime.now(UTC), traces.PIPELINE) == "the training job's log"


def test_a_stream_without_events_is_no_log(logs: Any) -> None:
    began = datetime.now(UTC)
    begin_stream(logs)
    assert traces.first_missing("a_pipeline", began, traces.PIPELINE) == "the training job's log"


def test_where_the_log_is_there_the_metrics_are_missed(logs: Any) -> None:
    began = datetime.now(UTC)
    begin_stream(logs, "of this job")
    assert traces.first_missing("a_pipeline", began, traces.PIPELINE) == "the training job's metrics"


def test_what_an_endpoint_was_asked_before_does_not_count(local_aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    s3, bucket = boto3.client("s3"), f"captured-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    config = {"DataCaptureConfig": {"DestinationS3Uri": f"s3://{bucket}/captured"}}
    clients: Any = {"sagemaker": SimpleNamespace(describe_endpoint=lambda EndpointName: config), "s3": s3}
    monkeypatch.setattr(boto3, "client", clients.get)
    for endpoint in ("a-pipeline", "another"):
        s3.put_object(Bucket=bucket, Key=f"captured/{endpoint}/AllTraffic/2013/01/01/00/a.jsonl", Body=b"{}")
        assert traces.captured("a-pipeline", datetime.now(UTC) - timedelta(minutes=1))
    assert not traces.captured("a-pipeline", datetime.now(UTC) + timedelta(minutes=1))
    assert not traces.captured("a-third", datetime.now(UTC) - timedelta(minutes=1))
