"""The embedded metric format: the metrics that a log event says it holds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jsonschema

MOST_DIMENSIONS, MOST_METRICS, MOST_VALUES = 30, 100, 100
_AMOUNTS = [f"{size}{kind}" for kind in ("ytes", "its") for size in ("B", "Kilob", "Megab", "Gigab", "Terab")]
UNITS = (
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"),
    *(f"{amount}{per}" for amount in _AMOUNTS for per in ("", "/Second")),
)
_NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
_METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": _NAME, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
}
_DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": _NAME,
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": MOST_DIMENSIONS, "items": _NAME},
        },
        "Metrics": {"type": "array", "maxItems": MOST_METRICS, "items": _METRIC},
    },
}
_SCHEMA = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "required": ["CloudWatchMetrics", "Timestamp"],
        "properties": {
            "CloudWatchMetrics": {"type": "array", "items": _DIRECTIVE},
            "Timestamp": {"type": "integer", "minimum": 0},
        },
    }
)


class EmbeddedMetricError(Exception):
    """A document that says it holds metrics and breaks the format's rules."""


def metric_data(message: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Namespace and MetricData of every directive of a log event; none where it is no document of that format.

    EmbeddedMetricError where it is one that breaks the rules.
    """
    if '"CloudWatchMetrics"' not in message:
        return []
    try:
        document = json.loads(message)
    except ValueError:
        return []
    if not isinstance(document, dict) or "CloudWatchMetrics" not in (document.get("_aws") or {}):
        return []
    if error := next(_SCHEMA.iter_errors(document["_aws"]), None):
        raise EmbeddedMetricError(f"_aws.{'.'.join(map(str, error.absolute_path))}: {error.message}")
    meta = document["_aws"]
    timestamp = datetime.fromtimestamp(meta["Timestamp"] / 1000, UTC)
    return [
        (directive["Namespace"], [datum | {"Timestamp": timestamp} for datum in _data(directive, document)])
        for directive in meta["CloudWatchMetrics"]
    ]


def _data(directive: Mapping[str, Any], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    sets = [[{"Name": name, "Value": _text(document, name)} for name in names] for names in directive["Dimensions"]]
    return [
        {
            "MetricName": metric["Name"],
            "Unit": metric.get("Unit", "None"),
            "Values": _numbers(document, metric["Name"]),
            "Dimensions": dimensions,
        }
        for metric in directive["Metrics"]
        for dimensions in sets
    ]


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > 1024:
        raise EmbeddedMetricError(f"dimension {name} is no text of 1 to 1024 letters")
    return value


def _numbers(document: Mapping[str, Any], name: str) -> Sequence[float]:
    value = document.get(name)
    values: list[Any] = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= MOST_VALUES or any(
        isinstance(number, bool) or not isinstance(number, int | float) for number in values
    ):
        raise EmbeddedMetricError(f"metric {name} is no number, nor a list of 1 to {MOST_VALUES}")
    return [float(number) for number in values]
