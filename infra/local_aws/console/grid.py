"""Where widgets are on a dashboard's grid of 24 columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 24
WIDTH = HEIGHT = 6  # of a widget that says nothing
HIGHEST = 1000
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
_LIMITS = {"x": (0, COLUMNS - 1), "y": (0, 10_000), "width": (1, COLUMNS), "height": (1, HIGHEST)}


class BadPlace(ValueError):
    """A place that is not on the grid; the text says why."""


@dataclass(frozen=True)
class Place:
    """Columns from the left and rows from the top, both from 0."""

    x: int
    y: int
    width: int
    height: int


def places(widgets: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Each widget's place: its own x and y, or the next that is free; BadPlace where one has none on the grid."""
    taken: set[tuple[int, int]] = set()
    found: list[Place] = []
    row = 0
    for number, widget in enumerate(widgets, start=1):
        width, height = _number(widget, "width", WIDTH, number), _number(widget, "height", HEIGHT, number)
        if "x" in widget and "y" in widget:
            place = Place(_number(widget, "x", 0, number), _number(widget, "y", 0, number), width, height)
            if place.x + place.width > COLUMNS:
                raise BadPlace(f"widget {number}: x {place.x} and width {width} go beyond {COLUMNS} columns")
        else:
            place = _next_free(taken, row, width, height)
            row = place.y
        taken.update(_cells(place))
        found.append(place)
    return found


def _number(widget: Mapping[str, Any], name: str, default: int, number: int) -> int:
    value = widget.get(name, default)
    least, most = _LIMITS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadPlace(f"widget {number}: {name} is {value!r}, and not a whole number from {least} to {most}")
    return value


def _next_free(taken: set[tuple[int, int]], row: int, width: int, height: int) -> Place:
    while True:
        for x in range(COLUMNS - width + 1):
            place = Place(x, row, width, height)
            if taken.isdisjoint(_cells(place)):
                return place
        row += 1


def _cells(place: Place) -> set[tuple[int, int]]:
    return {(x, y) for x in range(place.x, place.x + place.width) for y in range(place.y, place.y + place.height)}
