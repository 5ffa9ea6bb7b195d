"""Pictures of an evaluation: ROC, calibration, gain and lift, slices."""

import io
from collections.abc import Mapping
from typing import Any

STYLES: dict[str, dict[str, Any]] = {
    "challenger": {"color": "#0b5cad", "linewidth": 2.2, "zorder": 4},
    "champion": {"color": "#d9730d", "linewidth": 1.8, "zorder": 3},
    "logistic_regression": {"color": "#6b6b6b", "linewidth": 1.2, "linestyle": "--"},
    "base_rate": {"color": "#9a9a9a", "linewidth": 1.2, "linestyle": ":"},
}
SLICE_METRIC = "log_loss"
SMALLEST_SLICE = 100  # the intervals of smaller ones would be wider than the picture


def draw(comparison: Mapping[str, Any]) -> dict[str, bytes]:
    """PNG files by name, of what evaluate.py wrote into comparison.json."""
    return {
        "roc.png": _roc(comparison),
        "calibration.png": _calibration(comparison),
        "lift.png": _lift(comparison),
        "slices.png": _slices(comparison),
    }


def _roc(comparison: Mapping[str, Any]) -> bytes:
    figure = new_figure(6.4, 6)
    axes = figure.add_subplot()
    for name, curves in comparison["curves"].items():
        auc = comparison["models"][name]["roc_auc"]
        label = f"{_words(name)}: {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
        axes.plot(
            curves["roc"]["false_positive_rate"], curves["roc"]["true_positive_rate"], label=label, **STYLES[name]
        )
    axes.set(title="ROC curve on the test split", xlabel="false positive rate", ylabel="true positive rate")
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.legend(loc="lower right", title="area under the curve (95 % interval)")
    return png(figure)


def _calibration(comparison: Mapping[str, Any]) -> bytes:
    figure = new_figure(6.4, 6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, bins in comparison["calibration"].items():
        if len(bins) == 1:
            continue  # the base rate predicts one share for all
        observed = [bin["observed"] for bin in bins]
        values = [one["value"] for one in observed]
        error = [[one["value"] - one["low"] for one in observed], [one["high"] - one["value"] for one in observed]]
        found = comparison["models"][name]["calibration_error"]["value"]
        axes.errorbar(
            [bin["predicted"] for bin in bins],
            values,
            yerr=[[max(0.0, length) for length in side] for side in error],
            label=f"{_words(name)}: {found:.3f}",
            marker="o",
            markersize=4,
            capsize=2,
            **STYLES[name],
        )
    axes.set(
        title="Calibration on the test split, in tenths of the rows", xlabel="predicted share", ylabel="observed share"
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="upper left", title="mean distance")
    return png(figure)


def _lift(comparison: Mapping[str, Any]) -> bytes:
    figure = new_figure(10, 4.8)
    gain, lift = figure.subplots(1, 2)
    for name, curves in comparison["curves"].items():
        rows, positives = curves["gain"]["share_of_rows"], curves["gain"]["share_of_positives"]
        gain.plot(rows, positives, label=_words(name), **STYLES[name])
        points = [(share, caught / share) for share, caught in zip(rows, positives, strict=True) if share >= 0.01]
        lift.plot(*zip(*points, strict=True), **STYLES[name])
    lift.axhline(1, **STYLES["base_rate"])
    gain.set(title="Gain", xlabel="share of rows, likeliest first", ylabel="share of positives among them")
    gain.set(xlim=(0, 1), ylim=(0, 1.005))
    gain.legend(loc="lower right")
    lift.set(
        title="Lift", xlabel="share of rows, likeliest first", ylabel="positives, as a multiple of chance", xlim=(0, 1)
    )
    lift.set_ylim(bottom=0)
    return png(figure)


def _slices(comparison: Mapping[str, Any]) -> bytes:
    other = "champion" if "champion" in comparison["models"] else "base_rate"
    rows: list[tuple[str, Mapping[str, float] | None]] = []
    for column, values in comparison["slices"].items():
        rows.append((_words(column), None))
        rows += [
            (f"{value} ({found['rows']:,})", found["worse_by"][other][SLICE_METRIC])
            for value, found in values.items()
            if found["rows"] >= SMALLEST_SLICE
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
    axes.set_title(f"Slices (rows): the challenger against the {_words(other)}")
    axes.set_xlabel(f"difference in {_words(SLICE_METRIC)} with 95 % interval; right of 0 the challenger is worse")
    return png(figure)


def new_figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib's, in inches."""
    from matplotlib.figure import Figure  # without pyplot: no window, nothing global

    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def png(figure: Any) -> bytes:
    """The figure as a PNG file, its axes as all of ours look."""
    for axes in figure.axes:
        axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _words(name: str) -> str:
    return name.replace("_", " ")
