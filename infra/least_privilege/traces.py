"""What a run that ended well leaves for people to read, where the role that writes it may."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import boto3

WAIT_SECONDS = 10  # what was written last is there a little later
POLL_SECONDS = 0.5


def training_log(name: str, since: datetime) -> bool:
    """Whether the training job printed something that can be read."""
    return _has_new_events("/aws/sagemaker/TrainingJobs", since)


def training_metrics(name: str, since: datetime) -> bool:
    """Whether CloudWatch has what the training job measured."""
    jobs = boto3.client("sagemaker").list_training_jobs(CreationTimeAfter=since, NameContains=name)
    cloudwatch = boto3.client("cloudwatch")
    return any(
        cloudwatch.list_metrics(
            Namespace="/aws/sagemaker/TrainingJobs",
            Dimensions=[{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}],
        )["Metrics"]
        for job in jobs["TrainingJobSummaries"]
    )


def endpoint_log(name: str, since: datetime) -> bool:
    """Whether the endpoint's instances printed something that can be read."""
    return _has_new_events(f"/aws/sagemaker/Endpoints/{name}", since)


def captured(name: str, since: datetime) -> bool:
    """Whether what the endpoint was asked lies where it captures that."""
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName=name)
    bucket, _, prefix = endpoint["DataCaptureConfig"]["DestinationS3Uri"].removeprefix("s3://").partition("/")
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/{name}/")
    objects = [item for page in pages for item in page.get("Contents", [])]
    return any(item["LastModified"] >= since.replace(microsecond=0) for item in objects)


def transform_log(name: str, since: datetime) -> bool:
    """Whether the batch transform job printed something that can be read."""
    return _has_new_events("/aws/sagemaker/TransformJobs", since)


Traces = Mapping[str, Callable[[str, datetime], bool]]
PIPELINE: Traces = {
    "the training job's log": training_log,
    "the training job's metrics": training_metrics,
    "the endpoint's log": endpoint_log,
    "what the endpoint was asked": captured,
}
BATCH: Traces = {"the transform job's log": transform_log}
JOB_LOG = "a job's log in its task's"
"""What only Airflow knows of: a task whose job's log it can't read says so, and doesn't fail by it."""


def first_missing(pipeline: str, since: datetime, traces: Traces) -> str | None:
    """The first of these that a run of the pipeline which began then, and has ended, didn't leave; None where all are
    there."""
    deadline = time.monotonic() + WAIT_SECONDS
    for trace, is_there in traces.items():
        while not is_there(pipeline.replace("_", "-"), since):
            if time.monotonic() > deadline:
                return trace
            time.sleep(POLL_SECONDS)
    return None


def _has_new_events(group: str, since: datetime) -> bool:
    """Whether a stream has events that was begun since then: an older one is another run's."""
    pages: Any = boto3.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=group)
    begun = int(since.timestamp() * 1000)
    return any(
        stream["creationTime"] >= begun and "lastEventTimestamp" in stream
        for page in pages
        for stream in page["logStreams"]
    )
