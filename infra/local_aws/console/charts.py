"""Figures for plotly's JavaScript, as plain JSON: https://plotly.com/javascript/reference/"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# In the order in which series without a colour of their own get one.
COLORS = ("#2563eb", "#ea580c", "#059669", "#c026d3", "#ca8a04", "#0891b2", "#dc2626", "#7c3aed", "#65a30d", "#475569")
FEW_POINTS = 120  # of a series, which are marked
_TICKS = (  # by the length of the range: one line each, for the legend is below
    (timedelta(minutes=10), "%H:%M:%S"),
    (timedelta(days=1), "%H:%M"),
    (timedelta.max, "%b %d %H:%M"),
)
_GRID, _INK = "#e5e7eb", "#4b5563"

_NO_DATA = {"text": "No data in this range", "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}

Figure = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One time series: its points, oldest first, and whether it belongs to the right axis."""

    label: str
    times: Sequence[datetime]
    values: Sequence[float]
    color: str
    right: bool = False

    @property
    def last(self) -> float | None:
        """Its newest value."""
        return self.values[-1] if self.values else None


@dataclass(frozen=True)
class Axis:
    """A vertical axis' label, and its ends where they are given."""

    label: str = ""
    least: float | None = None
    most: float | None = None


def text(plain: str) -> str:
    """A text that plotly shows as it is: of itself it takes tags for bold, links and the like."""
    return html.escape(plain, quote=False)


def over_time(
    lines: Sequence[Line],
    start: datetime,
    end: datetime,
    stacked: bool = False,
    axes: Mapping[str, Axis] | None = None,
    shapes: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[Mapping[str, Any]] = (),
    legend: str = "bottom",
) -> Figure:
    """Lines, or stacked areas, from `start` to `end`; `axes` are "left" and "right"."""
    axes = axes or {}
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(line.values) <= FEW_POINTS else "lines",
            "name": text(line.label),
            "x": [_stamp(time) for time in line.times],
            "y": list(line.values),
            "line": {"color": line.color, "width": 1.75},
            "marker": {"size": 4},
            **({"stackgroup": "right" if line.right else "left"} if stacked else {}),
            **({"yaxis": "y2"} if line.right else {}),
        }
        for line in lines
    ]
    layout = _layout(legend) | {
        "xaxis": {
            "type": "date",
            "range": [_stamp(start), _stamp(end)],
            "tickformat": next(form for longest, form in _TICKS if end - start <= longest),
            "hoverformat": "%Y-%m-%d %H:%M:%S",
            "gridcolor": _GRID,
            "linecolor": _GRID,
        },
        "yaxis": _from_zero([line for line in lines if not line.right]) | _axis(axes.get("left", Axis())),
        "hovermode": "x unified",
        "shapes": list(shapes),
        "annotations": [*notes, *([] if any(line.values for line in lines) else [_NO_DATA])],
    }
    if any(line.right for line in lines):
        right = {"overlaying": "y", "side": "right", "showgrid": False, "tickmode": "auto"}
        layout["yaxis2"] = _from_zero([line for line in lines if line.right]) | _axis(axes.get("right", Axis())) | right
    return {"data": data, "layout": layout}


def bars(lines: Sequence[Line], axis: Axis) -> Figure:
    """The newest value of each series as a bar."""
    data = [
        {
            "type": "bar",
            "x": [text(line.label) for line in lines],
            "y": [line.last for line in lines],
            "marker": {"color": [line.color for line in lines]},
        }
    ]
    return {
        "data": data,
        "layout": _layout("hidden") | {"yaxis": _axis(axis), "xaxis": {"type": "category", "automargin": True}},
    }


def pie(lines: Sequence[Line]) -> Figure:
    """The newest value of each series as a part of their sum."""
    data = [
        {
            "type": "pie",
            "labels": [text(line.label) for line in lines],
            "values": [line.last for line in lines],
            "marker": {"colors": [line.color for line in lines]},
            "hole": 0.5,
            "sort": False,
        }
    ]
    return {"data": data, "layout": _layout("right")}


def gauges(lines: Sequence[Line], axis: Axis) -> Figure:
    """The newest value of each series on a dial from the axis' one end to the other."""
    count = len(lines)
    data = [
        {
            "type": "indicator",
            "mode": "gauge+number",
            "value": line.last,
            "title": {"text": text(line.label), "font": {"size": 12}},
            "number": {"font": {"size": 26}},
            "domain": {"x": [number / count, (number + 1) / count], "y": [0, 1]},
            "gauge": {"axis": {"range": [axis.least, axis.most]}, "bar": {"color": line.color}},
        }
        for number, line in enumerate(lines)
    ]
    return {"data": data, "layout": _layout("hidden") | {"margin": {"l": 32, "r": 32, "t": 48, "b": 16}}}


def points(names: Sequence[str], values: Sequence[float], label: str) -> Figure:
    """One value for each name, in their order."""
    marker = {"color": COLORS[0], "size": 7}
    data = [{"type": "scatter", "mode": "markers", "x": [text(n) for n in names], "y": list(values), "marker": marker}]
    axes = {"yaxis": _axis(Axis(label)), "xaxis": {"type": "category", "showticklabels": False}}
    return {"data": data, "layout": _layout("hidden") | axes}


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _from_zero(lines: Sequence[Line]) -> dict[str, Any]:
    """Let an axis begin at zero, unless that would press what is to be seen against its other end."""
    values = [value for line in lines for value in line.values]
    if not values:
        return {"range": [0, 1]}
    least, most = min(values), max(values)
    return {"rangemode": "tozero" if 0 <= least <= most / 2 or 0 < least == most else "normal"}


def _axis(axis: Axis) -> dict[str, Any]:
    ends: dict[str, Any] = {}
    if axis.least is not None and axis.most is not None:
        ends = {"range": [axis.least, axis.most]}
    elif axis.least is not None:
        ends = {"autorangeoptions": {"minallowed": axis.least, "include": axis.least}}
    elif axis.most is not None:
        ends = {"autorangeoptions": {"maxallowed": axis.most, "include": axis.most}}
    return {
        "title": {"text": text(axis.label), "font": {"size": 11}},
        "gridcolor": _GRID,
        "zerolinecolor": _GRID,
        "exponentformat": "SI",
        "automargin": True,
        **ends,
    }


def _layout(legend: str) -> dict[str, Any]:
    where = {
        "bottom": {"orientation": "h", "yanchor": "top", "y": -0.14, "x": 0},
        "right": {"orientation": "v", "yanchor": "top", "y": 1, "x": 1.02},
    }
    return {
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": _INK},
        "margin": {"l": 44, "r": 16, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": legend != "hidden",
        "legend": where.get(legend, where["bottom"]),
        "autosize": True,
        "hoverlabel": {"namelength": -1},
        "uirevision": "kept",  # what somebody has zoomed into stays so when the page looks again
    }
