"""What a query needs of each table: which columns, and which rows at most."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


@dataclass(frozen=True)
class Read:
    """One scan of a relation: the columns it takes (None: all), and conditions that every row it needs fulfils."""

    columns: frozenset[str] | None
    conditions: list[exp.Expr] = field(default_factory=list)

    def about(self, keys: set[str]) -> list[exp.Expr]:
        """The conditions that are about columns among `keys` alone."""
        return [c for c in self.conditions if {column.parts[0].name for column in c.find_all(exp.Column)} <= keys]

    def values(self, key: str) -> list[str] | None:
        """The texts that `key` must be one of, where the conditions say so."""
        for condition in self.conditions:
            if (found := _values(condition, key)) is not None:
                return found
        return None


def reads(planner: Any, sql: str, tables: dict[str, list[str]]) -> dict[str, list[Read]]:
    """The scans of each of `tables` (column names by name) in the plan of the query `sql`.

    They are empty tables of `planner`, a DuckDB connection, with columns c0, c1, ...: DuckDB's plans quote no names."""
    ((_, plan),) = planner.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
    found: dict[str, list[Read]] = {name: [] for name in tables}
    for node in _nodes(json.loads(plan)):
        details = node.get("extra_info", {})
        if table := details.get("Table"):  # temp.main.scan0
            name = table.rpartition(".")[2]
            found[name].append(_read(details, tables[name]))
    return found


def _nodes(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield node
        yield from _nodes(node["children"])


def _read(details: dict[str, Any], names: list[str]) -> Read:
    columns = {_name(text, names) for text in _texts(details.get("Projections"))}
    conditions = []
    for text in _texts(details.get("Filters")):
        text = text.removeprefix("optional: ")
        if text.startswith("Dynamic Filter"):
            continue
        try:
            condition = sqlglot.parse_one(text, read="duckdb").unnest()
        except SqlglotError:
            return Read(None)
        for column in condition.find_all(exp.Column):
            first = column.parts[0]
            first.replace(exp.to_identifier(_name(first.name, names), quoted=True))
            columns.add(column.parts[0].name)
        conditions += list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    return Read(frozenset(columns), conditions)


def _texts(found: str | list[str] | None) -> list[str]:
    return [text for text in ([found] if isinstance(found, str) else found or []) if text]


def _name(planned: str, names: list[str]) -> str:
    """The name of the column `c2`, or of that whose field `c2.x` is."""
    return names[int(planned.split(".")[0].removeprefix("c"))]


def _values(condition: exp.Expr, key: str) -> list[str] | None:
    match condition.unnest():
        case exp.EQ(this=exp.Column() as column, expression=value) if column.name == key:
            items = [value]
        case exp.In(this=exp.Column() as column, expressions=values) if column.name == key and values:
            items = values
        case exp.Or() as either:
            parts = [_values(part, key) for part in either.flatten()]
            return None if any(part is None for part in parts) else [text for part in parts for text in part or []]
        case _:
            return None
    literals = [item.this if isinstance(item, exp.Cast) else item for item in items]
    return [item.this for item in literals] if all(isinstance(item, exp.Literal) for item in literals) else None
