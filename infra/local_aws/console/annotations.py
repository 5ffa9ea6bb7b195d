"""The annotations of a metric widget: lines, bands and areas, with what stands beside them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.console import charts
from local_aws.console.charts import Line
from local_aws.console.properties import BadWidget, member

COLOR = "#dc2626"  # of one that has none of its own
KINDS = ("horizontal", "vertical", "alarms")


def marks(annotations: Mapping[str, Any], lines: Sequence[Line]) -> tuple[list[Any], list[Any]]:
    """Plotly's shapes and texts for a chart of those lines; BadWidget where an annotation is none."""
    if others := annotations.keys() - set(KINDS):
        raise BadWidget(f"Annotations called {', '.join(sorted(others))} are not drawn here; {', '.join(KINDS)} are.")
    shapes: list[Any] = []
    texts: list[Any] = []
    # Plotly knows no area without an end: this far it goes, and does not move the axis.
    values = [0, *(value for line in lines for value in line.values)]
    for given in member(annotations, "horizontal", list, []):
        _mark(given, "y", {"above": max(values) * 1.1, "below": min(values) * 1.1}, shapes, texts)
    for given in member(annotations, "vertical", list, []):
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
    color = str(first.get("color") or COLOR)
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
