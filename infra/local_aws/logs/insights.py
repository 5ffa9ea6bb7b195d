"""Logs Insights' query language: fields, display, filter, stats, sort and limit over log events."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_aws.logs.conditions import as_number
from local_aws.logs.insights_filters import Filter, QueryError, Tokens, parse_filter

MOST_ROWS = 10_000
NOT_HERE = (
    *("parse", "dedup", "pattern", "diff", "unmask", "unnest", "anomaly", "filterIndex", "SOURCE", "join", "lookup"),
    "subquery",
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

Row = dict[str, Any]


class NotHere(Exception):
    """A command or function of AWS's that local AWS does not carry out; the text is its name."""


@dataclass(frozen=True)
class Aggregate:
    """A function of `stats`, and what its column is called."""

    function: str
    argument: str
    name: str


@dataclass
class Query:
    """A parsed query."""

    shown: list[tuple[str, str]] = field(default_factory=list)  # fields, and what their columns are called
    filters: list[Filter] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    groups: list[tuple[str, float | None, str]] = field(default_factory=list)  # field, seconds of its bins, column
    order: list[tuple[str, bool]] = field(default_factory=list)  # and whether downwards
    limit: int = MOST_ROWS


def parse(text: str) -> Query:
    """The query that `text` is; QueryError where it is none, NotHere where local AWS can't carry it out."""
    query = Query()
    tokens = Tokens("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    while True:
        command = tokens.take()
        if command in NOT_HERE:
            raise NotHere(command)
        if command not in _COMMANDS:
            raise QueryError(f"unexpected symbol found {command}")
        _COMMANDS[command](query, tokens)
        if not tokens.left:
            return query
        tokens.expect("|")


def _parse_fields(query: Query, tokens: Tokens) -> None:
    query.shown += _listed(tokens, lambda: _named(tokens, _plain_field(tokens)))


def _parse_display(query: Query, tokens: Tokens) -> None:
    query.shown = _listed(tokens, lambda: _named(tokens, _plain_field(tokens)))


def _parse_filter(query: Query, tokens: Tokens) -> None:
    query.filters.append(parse_filter(tokens))


def _parse_stats(query: Query, tokens: Tokens) -> None:
    query.aggregates += _listed(tokens, lambda: _aggregate(tokens))
    if tokens.next_is("by"):
        query.groups += _listed(tokens, lambda: _group(tokens))


def _parse_sort(query: Query, tokens: Tokens) -> None:
    def one() -> tuple[str, bool]:
        name = _plain_field(tokens)
        return name, not tokens.next_is("asc") and tokens.next_is("desc")

    query.order = _listed(tokens, one)


def _parse_limit(query: Query, tokens: Tokens) -> None:
    number = tokens.take()
    if not number.isdecimal() or not 1 <= int(number) <= MOST_ROWS:
        raise QueryError(f"limit takes a number from 1 to {MOST_ROWS}, not {number}")
    query.limit = int(number)


_COMMANDS: dict[str, Callable[[Query, Tokens], None]] = {
    "fields": _parse_fields,
    "display": _parse_display,
    "filter": _parse_filter,
    "stats": _parse_stats,
    "sort": _parse_sort,
    "limit": _parse_limit,
}


def _listed(tokens: Tokens, one: Callable[[], Any]) -> list[Any]:
    found = [one()]
    while tokens.next_is(","):
        found.append(one())
    return found


def _plain_field(tokens: Tokens) -> str:
    name = tokens.field()
    if tokens.next_is("("):
        raise NotHere(f"{name}()")
    return name


def _named(tokens: Tokens, name: str) -> tuple[str, str]:
    return name, tokens.field() if tokens.next_is("as") else name


def _aggregate(tokens: Tokens) -> Aggregate:
    function = tokens.field()
    tokens.expect("(")
    if function not in _AGGREGATES:
        raise NotHere(f"{function}()")
    argument = "*" if tokens.next_is("*") else "" if tokens.peek() == ")" else _plain_field(tokens)
    tokens.expect(")")
    return Aggregate(function, argument, _named(tokens, f"{function}({argument})")[1])


def _group(tokens: Tokens) -> tuple[str, float | None, str]:
    name = tokens.field()
    if not tokens.next_is("("):
        return name, None, _named(tokens, name)[1]
    size = re.fullmatch(r"(\d+)(ms|s|m|h|d|w)", tokens.take())
    if name != "bin" or not size:
        raise NotHere(f"{name}() after by")
    tokens.expect(")")
    return "@timestamp", int(size[1]) * _SECONDS[size[2]], _named(tokens, f"bin({size[0]})")[1]


def row(event: Mapping[str, Any], stream: str, group: str) -> Row:
    """The fields of an event: its own, and those of the JSON object that its message may be."""
    found: Row = {"@timestamp": event["timestamp"] / 1000, "@message": event["message"], "@logStream": stream}
    found |= {"@log": group, "@ingestionTime": event["ingestionTime"] / 1000, "@ptr": event["eventId"]}
    try:
        document = json.loads(event["message"])
    except ValueError:
        return found
    return found | (dict(_flat(document, "")) if isinstance(document, dict) else {})


def _flat(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in items:
            yield from _flat(member, f"{path}.{name}" if path else str(name))
    elif value is not None:
        yield path, value if isinstance(value, str) else json.dumps(value)


def run(query: Query, rows: Iterable[Row]) -> tuple[list[list[dict[str, str]]], int]:
    """GetQueryResults' results, and how many of the rows matched."""
    matched = [one for one in rows if all(holds(one.get) for holds in query.filters)]
    found, order = matched, query.order or [("@timestamp", True)]
    columns = query.shown or [("@timestamp", "@timestamp"), ("@message", "@message")]
    if query.aggregates:
        found, order = _aggregated(query, matched), query.order
        named = [column for *_, column in query.groups] + [aggregate.name for aggregate in query.aggregates]
        columns = [(name, name) for name in named]
    for name, downwards in reversed(order):
        found = sorted(found, key=lambda one: _sort_key(one.get(name)), reverse=downwards)
    if not query.aggregates:
        columns = [*columns, ("@ptr", "@ptr")]
    return [
        [{"field": column, "value": _shown(name, one[name])} for name, column in columns if one.get(name) is not None]
        for one in found[: query.limit]
    ], len(matched)


def _sort_key(value: Any) -> tuple[Any, ...]:
    """Nothing before texts before numbers; runs of digits within a text by their length, then their value."""
    number = as_number(value)
    if value is None or number is not None:
        return (0 if value is None else 2, number)
    chunks = re.findall(r"\d+|\D+", str(value))
    return (1, [("0", len(chunk), chunk) if chunk.isdecimal() else (chunk, 0, "") for chunk in chunks])


def _shown(name: str, value: Any) -> str:
    if name in ("@timestamp", "@ingestionTime") or name.startswith("bin("):
        return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{value:g}" if isinstance(value, float) and value == math.floor(value) and abs(value) < 1e15 else str(value)


def _aggregated(query: Query, rows: Sequence[Row]) -> list[Row]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for one in rows:
        groups.setdefault(tuple(_binned(one.get(name), bin_) for name, bin_, _ in query.groups), []).append(one)
    found = []
    for key, members in groups.items():
        made: Row = dict(zip((column for *_, column in query.groups), key, strict=True))
        for aggregate in query.aggregates:
            made[aggregate.name] = _AGGREGATES[aggregate.function](
                [one[aggregate.argument] for one in members if one.get(aggregate.argument) is not None]
                if aggregate.argument not in ("", "*")
                else members
            )
        found.append(made)
    return found


def _binned(value: Any, seconds: float | None) -> Any:
    return value if seconds is None or value is None else value // seconds * seconds


def _numbers(values: Sequence[Any]) -> list[float]:
    return [number for value in values if (number := as_number(value)) is not None]


def _of_numbers(compute: Callable[[list[float]], float]) -> Callable[[Sequence[Any]], float | None]:
    return lambda values: compute(numbers) if (numbers := _numbers(values)) else None


_AGGREGATES: dict[str, Callable[[Sequence[Any]], float | None]] = {
    "count": lambda values: float(len(values)),
    "count_distinct": lambda values: float(len(set(values))),
    "sum": _of_numbers(math.fsum),
    "avg": _of_numbers(lambda numbers: math.fsum(numbers) / len(numbers)),
    "min": _of_numbers(min),
    "max": _of_numbers(max),
}
