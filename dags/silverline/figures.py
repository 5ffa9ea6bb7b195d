"""Figures as all of ours look: matplotlib's, without a window and without anything global."""

import io
from typing import Any

STYLES: dict[str, dict[str, Any]] = {
    "challenger": {"color": "#0b5cad", "linewidth": 2.2, "zorder": 4},
    "champion": {"color": "#d9730d", "linewidth": 1.8, "zorder": 3},
    "logistic_regression": {"color": "#6b6b6b", "linewidth": 1.2, "linestyle": "--"},
    "base_rate": {"color": "#9a9a9a", "linewidth": 1.2, "linestyle": ":"},
}
OTHER = {"color": "#6b6b6b", "linewidth": 1.2, "linestyle": "--"}
"""What has no style of its own."""


def new_figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib's, in inches."""
    from matplotlib.figure import Figure  # without pyplot: no window, nothing global

    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def png(figure: Any) -> bytes:
    """The figure as a PNG file, its axes as all of ours look."""
    for axes in figure.axes:
        if not axes.images:  # it would lie over one
            axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def words(name: str) -> str:
    """A name as people write it."""
    return {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC"}.get(name, name.replace("_", " "))
