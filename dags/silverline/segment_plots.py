"""Pictures of a clustering's evaluation: its segments on a plane, and what they are like."""

from collections.abc import Mapping, Sequence
from typing import Any

from silverline.figures import new_figure, png, words

COLORS = ("#0b5cad", "#d9730d", "#1a7f4b", "#b00020", "#7b4fa3", "#8a6d3b", "#00808a", "#6b6b6b", "#c2185b", "#5d7a00")
"""Of the segments, by their numbers; with more than ten they begin again."""


def draw(comparison: Mapping[str, Any]) -> dict[str, bytes]:
    """PNG files by name."""
    return {"scatter.png": _scatter(comparison), "profile.png": _profile(comparison["segments"])}


def _scatter(comparison: Mapping[str, Any]) -> bytes:
    figure, found = new_figure(8.5, 6), comparison["scatter"]
    axes = figure.add_subplot()
    for segment in comparison["segments"]:
        number = segment["segment"]
        places = [place for place, one in enumerate(found["segment"]) if one == number]
        axes.scatter(
            [found["x"][place] for place in places],
            [found["y"][place] for place in places],
            s=26,
            alpha=0.8,
            linewidths=0,
            color=COLORS[number % len(COLORS)],
            label=f"{number}: {segment['name']} ({len(places)})",
        )
    first, second = (f"{share:.0%}" for share in found["explained"])
    axes.set(title="Segments of the test split, on the plane in which its rows differ most")
    axes.set(xlabel=f"first principal component ({first} of the variance)")
    axes.set(ylabel=f"second principal component ({second})")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, title="segment (rows)")
    return png(figure)


def _profile(segments: Sequence[Mapping[str, Any]]) -> bytes:
    features, rows = list(segments[0]["center"]), sum(segment["rows"] for segment in segments)
    figure = new_figure(2.5 + 1.25 * len(features), 2 + 0.55 * len(segments))
    axes = figure.add_subplot()
    centers = [[segment["center"][name] for name in features] for segment in segments]
    picture = axes.imshow(centers, cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
    for row, segment in enumerate(segments):
        for column, name in enumerate(features):
            color = "white" if abs(segment["center"][name]) > 1.3 else "black"
            text = f"{segment['profile'][name]:.3g}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
    labels = [f"{one['segment']}: {one['name']} ({one['rows'] / rows:.0%})" for one in segments]
    axes.set_yticks(range(len(segments)), labels)
    axes.set_xticks(range(len(features)), [words(name).replace(" ", "\n") for name in features], fontsize=8)
    axes.set_title("What the segments are like: means over the training split (its share)", fontsize=11)
    figure.colorbar(picture, label="standard deviations\nfrom the mean", shrink=0.8)
    return png(figure)
