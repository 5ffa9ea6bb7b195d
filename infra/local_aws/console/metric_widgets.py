"""Metric widgets: lines, areas, bars, pies, dials and numbers."""

from collections.abc import Mapping
from typing import Any

from local_aws.console import annotations, charts
from local_aws.console.charts import Axis
from local_aws.console.clients import client
from local_aws.console.metrics import lines
from local_aws.console.properties import BadWidget, Drawn, member, number
from local_aws.console.ranges import TimeRange

_ALWAYS = {"title", "region", "metrics", "view", "stat", "period", "setPeriodToTimeRange", "liveData"}
# By their views, the properties that have a say.
VIEWS = {
    "timeSeries": _ALWAYS | {"stacked", "yAxis", "annotations", "legend"},
    "singleValue": _ALWAYS | {"singleValueFullPrecision"},
    "bar": _ALWAYS | {"yAxis"},
    "pie": _ALWAYS,
    "gauge": _ALWAYS | {"yAxis"},
}


def drawn(properties: Mapping[str, Any], shown: TimeRange, region: str, adapt: bool = True) -> Drawn:
    """A "figure", or "numbers" that are lines, each with whether all of its digits are wanted; BadWidget where the
    properties are none that can be drawn."""
    view = member(properties, "view", str, "timeSeries")
    if view not in VIEWS:
        raise BadWidget(f"A view called {view!r} is not drawn here; {', '.join(VIEWS)} are.")
    properties = _with_its_alarms(properties, region)
    found = lines(properties, shown, region, adapt)
    known, axes = VIEWS[view], member(properties, "yAxis", dict, {})
    left, right = _axis(axes, "left"), _axis(axes, "right")
    if view == "singleValue":
        full = member(properties, "singleValueFullPrecision", bool, False)
        return Drawn("numbers", [(line, full) for line in found], known)
    if view == "bar":
        return Drawn("figure", charts.bars(found, left), known)
    if view == "pie":
        return Drawn("figure", charts.pie(found), known)
    if view == "gauge":
        if left.least is None or left.most is None:
            raise BadWidget("A gauge needs yAxis.left.min and yAxis.left.max.")
        return Drawn("figure", charts.gauges(found, left), known)
    shapes, texts = annotations.marks(member(properties, "annotations", dict, {}), found)
    legend = member(member(properties, "legend", dict, {}), "position", str, "bottom")
    stacked = member(properties, "stacked", bool, False)
    both = {"left": left, "right": right}
    return Drawn("figure", charts.over_time(found, shown.start, shown.end, stacked, both, shapes, texts, legend), known)


def _with_its_alarms(properties: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    """The properties, with a threshold for each alarm that their annotations name, and the metric of the one that they
    name where they have no metrics of their own."""
    given = member(properties, "annotations", dict, {})
    arns = member(given, "alarms", list, [])
    if "metrics" not in properties and len(arns) != 1:
        raise BadWidget("It has neither metrics nor, in annotations.alarms, one alarm.")
    if not arns:
        return properties
    names = [str(arn).split(":", 6)[-1] for arn in arns]
    alarms = client("cloudwatch", region).describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if missing := set(names) - {alarm["AlarmName"] for alarm in alarms if "MetricName" in alarm}:
        raise BadWidget(f"There is no alarm on a metric called {', '.join(sorted(missing))}.")
    thresholds = [
        {"label": f"{alarm['AlarmName']}: {alarm['StateValue']}", "value": alarm["Threshold"]} for alarm in alarms
    ]
    horizontal = [*member(given, "horizontal", list, []), *thresholds]
    return {"metrics": [_metric_of(alarms[0])], **properties, "annotations": {**given, "horizontal": horizontal}}


def _metric_of(alarm: Mapping[str, Any]) -> list[Any]:
    """What an alarm looks at, as an entry of `metrics`."""
    dimensions = [part for dimension in alarm["Dimensions"] for part in (dimension["Name"], dimension["Value"])]
    options = {"stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic"), "period": alarm["Period"]}
    return [alarm["Namespace"], alarm["MetricName"], *dimensions, options]


def _axis(axes: Mapping[str, Any], side: str) -> Axis:
    axis = member(axes, side, dict, {})
    return Axis(member(axis, "label", str, ""), number(axis, "min"), number(axis, "max"))
