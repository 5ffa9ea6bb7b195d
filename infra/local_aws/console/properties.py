"""A widget's properties, and what became of them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any


class BadWidget(ValueError):
    """What CloudWatch can't draw, or these pages can't; the text says why."""


@dataclass(frozen=True)
class Drawn:
    """How a widget is shown (a block of dashboard.html), what is shown, and which properties have had a say in it."""

    kind: str
    content: Any
    known: Set[str]


def member[T](of: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    """A member that is an object, an array, a text or the like; BadWidget where it is something else."""
    value = of.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise BadWidget(f"{name} is {value!r}, where {_NAMES.get(kind, kind.__name__)} has to be.")
    return value


def number(of: Mapping[str, Any], name: str) -> float | None:
    """A member that is a number, None where there is none; BadWidget where it is something else."""
    value = of.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadWidget(f"{name} is {value!r}, where a number has to be.")
    return value


_NAMES: dict[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
