"""The embedded metric format: what PutLogEvents makes metrics of, as boto3 sees them."""

import json
import time
import uuid
from typing import Any

import boto3
import pytest


@pytest.fixture
def group(local_aws: object) -> str:
    name = f"/tests/{uuid.uuid4().hex[:8]}"
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def document(namespace: str, **given: Any) -> dict[str, Any]:
    directive = {
        "Namespace": namespace,
        "Dimensions": [["Environment", "Pipeline"], ["Environment"]],
        "Metrics": [{"Name": "rows", "Unit": "Count"}, {"Name": "seconds", "Unit": "Seconds"}],
    }
    meta = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": meta, "Environment": "dev", "Pipeline": "flights", "rows": 7, "seconds": [1, 2.5], **given}


def put(group: str, *events: Any) -> None:
    messages = [event if isinstance(event, str) else json.dumps(event) for event in events]
    boto3.client("logs").put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": message} for message in messages],
    )


def total(namespace: str, name: str, **dimensions: str) -> tuple[float, float, str] | None:
    """Sum, sample count and unit of the metric in the last minutes."""
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Period=600,
        StartTime=time.time() // 600 * 600 - 600,
        EndTime=time.time() + 60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    if not points:
        return None
    return (
        sum(point["Sum"] for point in points),
        sum(point["SampleCount"] for point in points),
        points[0]["Unit"],
    )


def test_an_event_makes_each_metric_in_each_set_of_dimensions(group: str) -> None:
    namespace = f"Tests/{group[-8:]}"
    put(group, document(namespace), "no JSON", json.dumps({"rows": 3}), document(namespace, rows=1))

    assert total(namespace, "rows", Environment="dev", Pipeline="flights") == (8.0, 2.0, "Count")
    assert total(namespace, "rows", Environment="dev") == (8.0, 2.0, "Count")
    assert total(namespace, "seconds", Environment="dev") == (7.0, 4.0, "Seconds")
    assert total(namespace, "rows") is None


def test_an_event_is_kept_as_it_was_put(group: str) -> None:
    event = document(f"Tests/{group[-8:]}", run="2013-03")
    put(group, event)
    kept = boto3.client("logs").filter_log_events(logGroupName=group, filterPattern='{ $.run = "2013-03" }')["events"]
    assert [json.loads(found["message"]) for found in kept] == [event]


@pytest.mark.parametrize(
    "broken",
    [
        {"rows": "seven"},
        {"rows": True},
        {"rows": list(range(101))},
        {"Pipeline": 7},
        {"Pipeline": ""},
        {"_aws": {"CloudWatchMetrics": []}},
        {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "x", "Metrics": [{"Name": "rows"}]}]}},
    ],
)
def test_an_event_that_breaks_the_rules_makes_no_metric_and_counts_as_one_that_does(
    group: str, broken: dict[str, Any]
) -> None:
    namespace = f"Tests/{group[-8:]}"
    put(group, document(namespace, **broken))
    assert total(namespace, "seconds", Environment="dev") is None
    assert total("AWS/Logs", "EMFValidationErrors", LogGroupName=group) == (1.0, 1.0, "None")
