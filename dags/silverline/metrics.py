"""What pipelines measure, as lines of JSON in one log group: events to be read, and metrics for CloudWatch in them.

A line is in CloudWatch's embedded metric format, which makes the metrics of it; it also says of which run, task, job or
model it is. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from silverline.platform import Platform

NAMESPACE = "Silverline"
UNITS: Mapping[str, str] = {
    "RunsSucceeded": "Count",
    "RunsFailed": "Count",
    "RunSeconds": "Seconds",
    "StepSeconds": "Seconds",
    "RowsIn": "Count",
    "RowsOut": "Count",
    "RowsQuarantined": "Count",
    "RowsScored": "Count",
    "ModelsPromoted": "Count",
    "ModelsHeld": "Count",
    "ModelsRejected": "Count",
    "RollOutsSucceeded": "Count",
    "RollOutsFailed": "Count",
    "Findings": "Count",
    "BronzeAgeHours": "None",
    "WaitingHours": "None",
    "HoursSinceSuccess": "None",
    "FailedJobs": "Count",
    "OrphanedJobs": "Count",
    "QuarantinedPercent": "Percent",
    "EndpointInService": "Count",
    "Invocations": "Count",
    "ErrorPercent": "Percent",
    "LatencyP99Milliseconds": "Milliseconds",
    "CapturedRecords": "Count",
    "PredictionDrift": "None",
    "DriftedFeatures": "Count",
    "ScoredRecords": "Count",
    "ScoredDrift": "None",
    "FeatureDrift": "None",
    "LabelledRecords": "Count",
    "LiveRocAuc": "None",
    "LiveLogLoss": "None",
    "LiveD2LogLoss": "None",
    "LiveCalibrationError": "None",
    "EstimatedCost": "None",  # US dollars, for which CloudWatch has no unit
    "EndpointMonthlyCost": "None",  # the same
}
"""Every metric that has a name of its own; those of models are called `<split>:<metric>`, as SageMaker calls them."""


@dataclass(frozen=True)
class Event:
    """What happened, in words, and what was measured of it.

    Every value is a metric by Environment and Pipeline, and by each of the `further` dimensions with them; an empty
    mapping stands for these two alone. `facts` are only to be read.
    """

    what: str
    values: Mapping[str, float] = field(default_factory=dict)
    further: Sequence[Mapping[str, str]] = ({},)
    facts: Mapping[str, Any] = field(default_factory=dict)


def line(platform: Platform, pipeline: str, event: Event, milliseconds: int) -> dict[str, Any]:
    """The document of `event`; ValueError where it has a metric without a unit."""
    if unknown := [name for name in event.values if name not in UNITS and ":" not in name]:
        raise ValueError(f"no unit is known for the metrics {', '.join(unknown)}: give them one in metrics.UNITS")
    dimensions = {"Environment": platform.environment, "Pipeline": pipeline}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[*dimensions, *further] for further in event.further],
        "Metrics": [{"Name": name, "Unit": UNITS.get(name, "None")} for name in event.values],
    }
    return {
        "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive] if event.values else []},
        "event": event.what,
        **event.facts,
        **dimensions,
        **{name: value for further in event.further for name, value in further.items()},
        **event.values,
    }


def write(platform: Platform, pipeline: str, stream: str, facts: Mapping[str, Any], events: Sequence[Event]) -> None:
    """Put all events into the stream of the platform's log group, in one call, as of now; `facts` are in each."""
    import boto3

    logs = boto3.client("logs")
    now = int(time.time() * 1000)
    try:
        logs.create_log_stream(logGroupName=platform.log_group, logStreamName=stream)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass  # a try before has written there
    lines = [{**facts, **line(platform, pipeline, event, now)} for event in events]
    answer = logs.put_log_events(
        logGroupName=platform.log_group,
        logStreamName=stream,
        logEvents=[{"timestamp": now, "message": json.dumps(one, default=str)} for one in lines],
    )
    if rejected := answer.get("rejectedLogEventsInfo"):
        raise RuntimeError(f"CloudWatch Logs did not take all of {len(events)} events: {rejected}")
    print(f"{len(events)} events are in {platform.log_group}, stream {stream}", flush=True)
