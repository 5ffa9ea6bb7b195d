"""The JSONPath expressions that batch transform takes: names, indexes, slices, unions of them, and wildcards."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"\.(?P<name>[^.\[\]'\"*\s]+)|\.(?P<any>\*)|\.?\[(?P<inside>(?:'[^']*'|[^\]'])*)\]")
_NAMES = re.compile(r"'[^']*'(?:\s*,\s*'[^']*')*")
_POSITION = re.compile(r"-?\d+|(?P<first>-?\d+)?:(?P<last>-?\d+)?")


class PathError(Exception):
    """An expression that isn't one, or that leads nowhere in the data; the text says which."""


@dataclass(frozen=True)
class _Step:
    names: tuple[str, ...] = ()
    positions: tuple[int | slice, ...] = ()

    def is_single(self, last: bool) -> bool:
        """Whether it leads to one value; of the last step, names in brackets make one object."""
        if self.names:
            return last or len(self.names) == 1
        return len(self.positions) == 1 and isinstance(self.positions[0], int)

    def children(self, value: Any, last: bool) -> list[Any]:
        if self.names:
            if not isinstance(value, Mapping):
                raise PathError(f"{self.names[0]!r} is looked for in what is no object")
            missing = [name for name in self.names if name not in value]
            if missing:
                raise PathError(f"{missing[0]!r} is not there")
            if last and len(self.names) > 1:
                return [{name: value[name] for name in self.names}]
            return [value[name] for name in self.names]
        if not self.positions:
            return list(value.values()) if isinstance(value, Mapping) else _array(value)
        found: list[Any] = []
        array = _array(value)
        for position in self.positions:
            if isinstance(position, slice):
                found += array[position]
            elif -len(array) <= position < len(array):
                found.append(array[position])
            else:
                raise PathError(f"the index {position} is out of range: there are {len(array)} values")
        return found


@dataclass(frozen=True)
class JsonPath:
    """A parsed expression."""

    text: str
    _steps: tuple[_Step, ...]

    def is_root(self) -> bool:
        """Whether it selects everything."""
        return not self._steps

    def select(self, value: Any) -> Any:
        """The value that the path leads to, or an array of them where it may lead to several; PathError where it
        leads out of `value`."""
        found, single = [value], True
        for number, step in enumerate(self._steps, start=1):
            last = number == len(self._steps)
            single = single and step.is_single(last)
            try:
                found = [child for parent in found for child in step.children(parent, last)]
            except PathError as error:
                raise PathError(f"the JSONPath {self.text} leads nowhere: {error}") from None
        return found[0] if single else found


def parse(text: str) -> JsonPath:
    """The expression that `text` spells; PathError where it spells none that batch transform takes."""
    steps: list[_Step] = []
    position = 1
    while text.startswith("$") and position < len(text):
        match = _STEP.match(text, position)
        if not match:
            raise _invalid(text)
        if match["name"]:
            steps.append(_Step(names=(match["name"],)))
        elif match["any"] or match["inside"].strip() == "*":
            steps.append(_Step())
        elif _NAMES.fullmatch(match["inside"].strip()):
            steps.append(_Step(names=tuple(re.findall("'([^']*)'", match["inside"]))))
        else:
            steps.append(_Step(positions=tuple(_position(part, text) for part in match["inside"].split(","))))
        position = match.end()
    if not text.startswith("$"):
        raise _invalid(text)
    return JsonPath(text, tuple(steps))


def _position(part: str, text: str) -> int | slice:
    match = _POSITION.fullmatch(part.strip())
    if not match:
        raise _invalid(text)
    if ":" not in part:
        return int(part)
    first, last = (int(match[name]) if match[name] else None for name in ("first", "last"))
    return slice(first, last)


def _invalid(text: str) -> PathError:
    return PathError(f"{text!r} is not a JSONPath of batch transform: $, .name, *, ['name'], [number] and [start:end]")


def _array(value: Any) -> list[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    raise PathError("a position is looked for in what is no array")
