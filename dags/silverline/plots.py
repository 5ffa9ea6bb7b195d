"""Pictures of an evaluation: its slices, and those of its kind."""

from collections.abc import Mapping
from typing import Any

from silverline import classifier_plots, segment_plots
from silverline.figures import STYLES, new_figure, png, words
from silverline.spec import Gate

SMALLEST_SLICE = 100  # rows; the intervals of smaller ones would be wider than the picture


def draw(comparison: Mapping[str, Any], gate: Gate) -> dict[str, bytes]:
    """PNG files by name, of what evaluate.py wrote into comparison.json: a classifier has curves, a clustering
    segments."""
    return {
        **(classifier_plots.draw(comparison) if "curves" in comparison else {}),
        **(segment_plots.draw(comparison) if "segments" in comparison else {}),
        "slices.png": _slices(comparison, gate),
    }


def _slices(comparison: Mapping[str, Any], gate: Gate) -> bytes:
    other = "champion" if "champion" in comparison["models"] else gate.baseline
    rows: list[tuple[str, Mapping[str, float] | None]] = []
    for column, values in comparison["slices"].items():
        rows.append((words(column), None))
        rows += [
            (f"{value} ({found['rows']:,})", found["worse_by"][other][gate.metric])
            for value, found in values.items()
            if found["rows"] >= min(SMALLEST_SLICE, gate.slice_rows)
        ]
    figure = new_figure(7.5, 1.4 + 0.2 * len(rows))
    axes = figure.add_subplot()
    axes.axvline(0, color="#888888", linewidth=1)
    for place, (_, difference) in enumerate(rows):
        if difference:
            is_worse = difference["low"] > 0
            color = STYLES["champion" if is_worse else "challenger"]["color"]
            axes.plot([difference["low"], difference["high"]], [place, place], color=color, linewidth=1.5)
            axes.plot(difference["value"], place, marker="o", markersize=4, color=color)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    for label, (_, difference) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if difference is None else "normal")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_title(f"Slices (rows): the challenger against the {words(other)}")
    axes.set_xlabel(f"difference in {words(gate.metric)} with 95 % interval; right of 0 the challenger is worse")
    return png(figure)
