"""Metrics and alarms as CloudWatch has them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


def query(
    label: str, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, period: int
) -> dict[str, Any]:
    """A MetricDataQuery whose results are called `label`; `period` in seconds."""
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {
        "Id": label[0].lower() + label[1:],  # CloudWatch wants a small letter first
        "Label": label,
        "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic},
    }


def data(
    queries: Sequence[Mapping[str, Any]], start: datetime, end: datetime
) -> dict[str, list[tuple[datetime, float]]]:
    """Times and values of each query, by its label."""
    import boto3

    found: dict[str, list[tuple[datetime, float]]] = {query["Label"]: [] for query in queries}
    asked: Any = list(queries)
    pages = boto3.client("cloudwatch").get_paginator("get_metric_data")
    for page in pages.paginate(MetricDataQueries=asked, StartTime=start.replace(second=0, microsecond=0), EndTime=end):
        for result in page["MetricDataResults"]:
            found[result["Label"]] += zip(result["Timestamps"], result["Values"], strict=True)
    return found


def in_alarm(names: Sequence[str]) -> list[str]:
    """Which of these metric alarms are in ALARM."""
    import boto3

    described = boto3.client("cloudwatch").describe_alarms(AlarmNames=list(names), StateValue="ALARM")
    return [alarm["AlarmName"] for alarm in described["MetricAlarms"]]
