"""Trino's rules that DuckDB is laxer about: what they forbid has to fail here, or it would first fail on AWS."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from local_aws.athena.binding import position
from local_aws.athena.data_types import trino_signature
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.operands import describe, types
from local_aws.athena.syntax import operand_types

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
# Functions that DuckDB and its macros here have, and Athena has not.
_DUCKDB_PREFIXES = ("list_", "str_", "struct_", "trino_", "strftime", "strptime", "read_", "regexp_matches", "epoch")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "INTEGER_LITERAL")
_TIMES = ("DATE", "TIMESTAMP")


def check(cursor: Any, query: exp.Query) -> None:
    """QueryFailed where a bound query uses an alias beside its definition, or compares text with what is not text."""
    _check_zones(query)
    _check_functions(query)
    _check_casts(query)
    _check_texts(query)
    for select in query.find_all(exp.Select):
        if select.args.get("from_") is not None:
            _check_aliases(cursor, select)
            _check_comparisons(cursor, select)


def _check_functions(query: exp.Query) -> None:
    for node in query.find_all(exp.Anonymous, exp.EndsWith, exp.ArrayFirst):
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.sql_name().lower()
        if not isinstance(node, exp.Anonymous) or name.startswith(_DUCKDB_PREFIXES):
            raise QueryFailed(f"FUNCTION_NOT_FOUND: {position(node)}: Function '{name}' not registered")


def _check_casts(query: exp.Query) -> None:
    for cast in query.find_all(exp.Cast, exp.TryCast):
        kind = operand_types(cast)[0]
        if cast.to.is_type(*exp.DataType.TEXT_TYPES) and (
            kind.endswith("[]") or kind.startswith(("MAP(", "STRUCT(")) or kind == "BLOB"
        ):
            raise QueryFailed(f"TYPE_MISMATCH: {position(cast)}: Cannot cast {trino_signature(kind)} to varchar")


def _check_texts(query: exp.Query) -> None:
    for node in query.find_all(exp.DPipe, exp.Concat):
        sides = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
        kinds = operand_types(node)
        families = {_family(kind) for kind in kinds}
        if "text" not in families or not families & {"number", "time", "BOOLEAN"}:
            continue
        spelled = [
            _spelled(side, trino_signature(kind) if kind else "") for side, kind in zip(sides, kinds, strict=True)
        ]
        if isinstance(node, exp.DPipe):
            raise QueryFailed(f"TYPE_MISMATCH: {position(node)}: Cannot apply operator: {' || '.join(spelled)}")
        raise QueryFailed(
            f"TYPE_MISMATCH: {position(node)}: Unexpected parameters ({', '.join(spelled)}) for function concat"
        )


def _check_zones(query: exp.Query) -> None:
    # DuckDB's timestamps keep no zone: Athena would print 2020-01-01 10:00:00.000 America/New_York.
    for item in query.selects:
        value = item.unalias()
        called = value.name.lower() if isinstance(value, exp.Anonymous) else ""
        if isinstance(value, exp.AtTimeZone) or called in ("at_timezone", "with_timezone"):
            raise unsupported(
                "a result with a time zone of its own", "cast it to timestamp, or write it by format_datetime"
            )


def _check_aliases(cursor: Any, select: exp.Select) -> None:
    aliases = {
        item.alias.lower()
        for item in select.expressions
        if isinstance(item, exp.Alias) and not (isinstance(item.this, exp.Column) and item.this.name == item.alias)
    }
    suspects = [
        column
        for column in _own(select, exp.Column)
        if not column.args.get("table") and column.name.lower() in aliases and not column.find_ancestor(exp.Lambda)
    ]
    if not suspects:
        return
    described = describe(cursor, select, [exp.Star()])
    if described is None:
        return
    names = {name.lower() for name, _ in described}
    for column in suspects:
        if column.name.lower() not in names:
            raise QueryFailed(
                f"COLUMN_NOT_FOUND: {position(column)}: Column '{column.name.lower()}' cannot be resolved or requester "
                "is not authorized to access requested resources"
            )


def _check_comparisons(cursor: Any, select: exp.Select) -> None:
    compared = [node for kind in _OPERATORS for node in _own(select, kind) if not node.find_ancestor(exp.Lambda)]
    sides = [side for node in compared for side in (node.this, node.expression)]
    kinds = types(cursor, select, [side for side in sides if _evident_family(side) is None])
    for node in compared:
        families = [_evident_family(s) or _family(kinds.get(s, "")) for s in (node.this, node.expression)]
        if set(families) not in ({"text", "number"}, {"text", "time"}, {"number", "time"}):
            continue
        left, right = (_spelled(s, types(cursor, select, [s]).get(s, "")) for s in (node.this, node.expression))
        operation = f"{left} {_OPERATORS[type(node)]} {right}"
        raise QueryFailed(f"TYPE_MISMATCH: {position(node)}: Cannot apply operator: {operation}")


def _evident_family(side: exp.Expr) -> str | None:
    """The family that `side` has by its form alone: describing it is what a check costs."""
    side = side.unnest()
    if isinstance(side, exp.Literal):
        return "text" if side.is_string else "number"
    if isinstance(side, (exp.Cast, exp.TryCast)):
        kind = side.to
        if kind.is_type(*exp.DataType.TEXT_TYPES):
            return "text"
        if kind.is_type(*exp.DataType.NUMERIC_TYPES):
            return "number"
        return "time" if kind.is_type("date", "timestamp") else None
    if isinstance(side, (exp.Count, exp.DateDiff, exp.Extract, exp.RowNumber)):
        return "number"
    return "text" if isinstance(side, (exp.Lower, exp.Upper, exp.Trim, exp.Substring)) else None


def _own(select: exp.Select, kind: type[exp.Expr]) -> Iterator[Any]:
    """The nodes of `kind` that belong to `select` itself, not to its sources, subqueries or final ORDER BY."""
    parts = [*select.expressions, *(select.args.get(name) for name in ("where", "group", "having"))]
    if kind is not exp.Column:
        parts += [join.args.get("on") for join in select.args.get("joins") or []]
    for part in parts:
        if part is None:
            continue
        for node in part.find_all(kind):
            if node.find_ancestor(exp.Select) is select:
                yield node


def _family(kind: str) -> str:
    base = kind.split("(")[0].strip('"')
    if base in ("VARCHAR", "STRING_LITERAL"):
        return "text"
    if base in _NUMBERS:
        return "number"
    return "time" if base.startswith(_TIMES) else base


def _spelled(side: exp.Expr, kind: str) -> str:
    if isinstance(side, exp.Literal) and side.is_string:
        return f"varchar({len(side.this)})"
    return kind.lower().replace("integer_literal", "integer").replace("string_literal", "varchar")
