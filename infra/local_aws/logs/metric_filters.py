"""What a metric filter makes of log events: data for CloudWatch."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.logs.conditions import as_number
from local_aws.logs.filter_patterns import Match, parse

_SELECTOR = re.compile(r"\$\S+")


def metric_data(
    metric_filter: Mapping[str, Any], events: Sequence[Mapping[str, Any]], filled: int
) -> tuple[list[dict[str, Any]], int]:
    """The MetricData that events newly in the filter's log group make, and the last minute now known to have any.

    A default value is given once in a minute with events of which none matches; `filled` is the last with any.
    """
    transformation = metric_filter["metricTransformations"][0]
    pattern = parse(metric_filter["filterPattern"])
    data = []
    for event in events:
        match = pattern.match(event["message"])
        if match and (datum := _datum(transformation, match)):
            data.append(_dated(datum, event["timestamp"]))
    if data:
        return data, max(filled, *(event["timestamp"] // 60000 for event in events))
    default, minute = (
        transformation.get("defaultValue"),
        max((event["timestamp"] // 60000 for event in events), default=0),
    )
    if default is None or minute <= filled:
        return [], filled
    return [_dated({"MetricName": transformation["metricName"], "Value": float(default)}, minute * 60000)], minute


def _datum(transformation: Mapping[str, Any], match: Match) -> dict[str, Any] | None:
    value = transformation["metricValue"]
    number = as_number(match.select(value) if _SELECTOR.fullmatch(value) else value)
    if number is None:
        return None
    datum: dict[str, Any] = {"MetricName": transformation["metricName"], "Value": number}
    if transformation.get("unit"):
        datum["Unit"] = transformation["unit"]
    if wanted := transformation.get("dimensions"):
        found = {name: match.select(selector) for name, selector in wanted.items()}
        if None in found.values():
            return None
        datum["Dimensions"] = [{"Name": name, "Value": str(value)} for name, value in found.items()]
    return datum


def _dated(datum: dict[str, Any], milliseconds: int) -> dict[str, Any]:
    return datum | {"Timestamp": datetime.fromtimestamp(milliseconds / 1000, UTC)}
