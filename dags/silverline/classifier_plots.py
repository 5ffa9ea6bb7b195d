"""Pictures of a classifier's evaluation: ROC, calibration, gain and lift."""

from collections.abc import Mapping
from typing import Any

from silverline.figures import OTHER, STYLES, new_figure, png, words


def draw(comparison: Mapping[str, Any]) -> dict[str, bytes]:
    """PNG files by name."""
    return {"roc.png": _roc(comparison), "calibration.png": _calibration(comparison), "lift.png": _lift(comparison)}


def _roc(comparison: Mapping[str, Any]) -> bytes:
    figure = new_figure(6.4, 6)
    axes = figure.add_subplot()
    for name, curves in comparison["curves"].items():
        auc = comparison["models"][name]["roc_auc"]
        label = f"{words(name)}: {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
        axes.plot(
            curves["roc"]["false_positive_rate"],
            curves["roc"]["true_positive_rate"],
            label=label,
            **STYLES.get(name, OTHER),
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
            label=f"{words(name)}: {found:.3f}",
            marker="o",
            markersize=4,
            capsize=2,
            **STYLES.get(name, OTHER),
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
        gain.plot(rows, positives, label=words(name), **STYLES.get(name, OTHER))
        points = [(share, caught / share) for share, caught in zip(rows, positives, strict=True) if share >= 0.01]
        lift.plot(*zip(*points, strict=True), **STYLES.get(name, OTHER))
    lift.axhline(1, **STYLES["base_rate"])
    gain.set(title="Gain", xlabel="share of rows, likeliest first", ylabel="share of positives among them")
    gain.set(xlim=(0, 1), ylim=(0, 1.005))
    gain.legend(loc="lower right")
    lift.set(
        title="Lift", xlabel="share of rows, likeliest first", ylabel="positives, as a multiple of chance", xlim=(0, 1)
    )
    lift.set_ylim(bottom=0)
    return png(figure)
