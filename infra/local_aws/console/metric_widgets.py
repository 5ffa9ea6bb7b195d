"""Metric widgets: lines, areas, bars, pies, dials and numbers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.console import charts
from local_aws.console.charts import Axis, Line
from local_aws.console.clients import client
from local_aws.console.metrics import BadWidget, lines
from local_aws.console.ranges import TimeRange

KNOWN = {
    *("title", "region", "metrics", "view", "stacked", "stat", "period", "yAxis", "annotations", "legend"),
    *("setPeriodToTimeRange", "singleValueFullPrecision", "liveData"),
}
VIEWS = ("timeSeries", "singleValue", "bar", "pie", "gauge")
_MARK = "#dc2626"


def drawn(properties: Mapping[str, Any], shown: TimeRange, region: str, adapt: bool = True) -> tuple[str, Any]:
    """How the widget is shown ("figure" or "numbers"), and the figure or the lines; BadWidget where it can't be."""
    view = properties.get("view", "timeSeries")
    if view not in VIEWS:
        raise BadWidget(f"A view called {view!r} is not drawn here; {', '.join(VIEWS)} are.")
    properties = _of_its_alarm(properties, region)
    found = lines(properties, shown, region, adapt)
    left, right = _axis(properties, "left"), _axis(properties, "right")
    if view == "singleValue":
        return "numbers", [(line, bool(properties.get("singleValueFullPrecision"))) for line in found]
    if view == "bar":
        return "figure", charts.bars(found, left)
    if view == "pie":
        return "figure", charts.pie(found)
    if view == "gauge":
        if left.least is None or left.most is None:
            raise BadWidget("A gauge needs yAxis.left.min and yAxis.left.max.")
        return "figure", charts.gauges(found, left)
    shapes, notes = _annotations(properties.get("annotations") or {}, found)
    legend = str((properties.get("legend") or {}).get("position", "bottom"))
    axes = {"left": left, "right": right}
    stacked = bool(properties.get("stacked"))
    return "figure", charts.over_time(found, shown.start, shown.end, stacked, axes, shapes, notes, legend)


def _of_its_alarm(properties: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    """The properties, with the metric and threshold of the alarm where they name one instead of metrics."""
    if "metrics" in properties:
        return properties
    arns = (properties.get("annotations") or {}).get("alarms") or []
    if len(arns) != 1:
        raise BadWidget("It has neither metrics nor, in annotations.alarms, one alarm.")
    name = str(arns[0]).split(":", 6)[-1]
    alarms = client("cloudwatch", region).describe_alarms(AlarmNames=[name])["MetricAlarms"]
    if not alarms or "MetricName" not in alarms[0]:
        raise BadWidget(f"{name} is no alarm on a metric.")
    alarm = alarms[0]
    dimensions = [part for dimension in alarm["Dimensions"] for part in (dimension["Name"], dimension["Value"])]
    stat = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
    threshold = {"label": f"{name}: {alarm['StateValue']}", "value": alarm["Threshold"]}
    return {
        "metrics": [[alarm["Namespace"], alarm["MetricName"], *dimensions, {"stat": stat, "period": alarm["Period"]}]],
        **properties,
        "annotations": {"horizontal": [threshold]},
    }


def _axis(properties: Mapping[str, Any], side: str) -> Axis:
    axis = (properties.get("yAxis") or {}).get(side) or {}
    return Axis(str(axis.get("label", "")), axis.get("min"), axis.get("max"))


def _annotations(annotations: Mapping[str, Any], found: Sequence[Line]) -> tuple[list[Any], list[Any]]:
    """Plotly's shapes, and the texts beside them."""
    shapes: list[Any] = []
    texts: list[Any] = []
    # Plotly knows no area without an end: this far it goes, and does not move the axis.
    values = [0, *(value for line in found for value in line.values)]
    above, below = max(values) * 1.1, min(values) * 1.1
    for given in annotations.get("horizontal") or []:
        _mark(given, "y", {"above": above, "below": below}, shapes, texts)
    for given in annotations.get("vertical") or []:
        _mark(given, "x", {"after": "2200-01-01", "before": "1900-01-01"}, shapes, texts)
    return shapes, texts


def _mark(given: Any, axis: str, fills: Mapping[str, Any], shapes: list[Any], texts: list[Any]) -> None:
    """A line at a value, a band between two, or an area on one side of a value."""
    ends: Sequence[Any] = given if isinstance(given, list) else [given]
    if not ends or not all(isinstance(end, dict) and "value" in end for end in ends):
        raise BadWidget(f"An annotation has no value: {given!r}")
    first = ends[0]
    if not all(end.get("visible", True) for end in ends):
        return
    color = str(first.get("color") or _MARK)
    other = "x" if axis == "y" else "y"
    own = "y2" if axis == "y" and first.get("yAxis") == "right" else axis
    across = {f"{other}ref": f"{other} domain", f"{other}0": 0, f"{other}1": 1}
    values = [_value(end["value"], axis) for end in ends]
    for value, end in zip(values, ends, strict=True):
        line = {"color": color, "width": 1.5, "dash": "dash"}
        shapes.append({"type": "line", f"{axis}ref": own, f"{axis}0": value, f"{axis}1": value, "line": line, **across})
        if end.get("label"):
            texts.append(_text(str(end["label"]), value, axis, own, color))
    area: dict[str, Any] = {"type": "rect", "fillcolor": color, "opacity": 0.1, "line": {"width": 0}, **across}
    if len(values) == 2:
        shapes.append({**area, f"{axis}ref": own, f"{axis}0": values[0], f"{axis}1": values[1]})
    elif first.get("fill") in fills:
        shapes.append({**area, f"{axis}ref": own, f"{axis}0": values[0], f"{axis}1": fills[first["fill"]]})


def _text(label: str, value: Any, axis: str, own: str, color: str) -> dict[str, Any]:
    font = {"color": color, "size": 10}
    note = {"text": charts.text(label), "showarrow": False, "font": font, f"{axis}ref": own, axis: value}
    if axis == "y":
        return note | {"xref": "x domain", "x": 1, "xanchor": "right", "yanchor": "bottom"}
    return note | {"yref": "y domain", "y": 1, "xanchor": "left", "yanchor": "top"}


def _value(value: Any, axis: str) -> Any:
    if axis == "y":
        if not isinstance(value, int | float):
            raise BadWidget(f"An annotation's value is no number: {value!r}")
        return value
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError as error:
        raise BadWidget(f"An annotation's value is no time: {value!r}") from error
