"""The types of operands: where Trino's meaning depends on them, the operators and functions of a query carry them."""

from collections.abc import Iterator
from typing import Any

import duckdb
from sqlglot import exp

from local_aws.athena.failures import QueryFailed
from local_aws.athena.syntax import call, set_operand_types
from local_aws.athena.translate import to_duckdb

_BY_OPERANDS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Div: ("this", "expression"),
    exp.Sub: ("this", "expression"),
    exp.DPipe: ("this", "expression"),
    exp.Bracket: ("this",),
    exp.Concat: ("expressions",),
    exp.Avg: ("this",),
    exp.Sum: ("this",),
    exp.Round: ("this",),
    exp.Trunc: ("this",),
    exp.Ceil: ("this",),
    exp.Floor: ("this",),
    exp.Sign: ("this",),
    exp.Length: ("this",),
    exp.ArraySize: ("this",),
    exp.Typeof: ("this",),
    exp.Cast: ("this",),
    exp.TryCast: ("this",),
    exp.Unnest: ("expressions",),
}
_NO_DATES = (exp.Literal, exp.Interval, exp.Count, exp.DateDiff, exp.Extract)
_SQL = "duckdb"  # the key in a CTE's meta
_SOURCES = ("from_", "joins", "laterals")


def annotate(cursor: Any, query: exp.Expr) -> None:
    """Let the nodes of a bound query know the types of their operands; those that can't be told stay unknown."""
    for select in _inner_first(query):
        waiting = [node for node in _own(select) if _asks(node)]
        while waiting:
            # What an operand's type depends on has to be known before it: what is in it, and the sources it is about.
            first = min(_sources_before(node, select) for node in waiting)
            ready = [
                node
                for node in waiting
                if _sources_before(node, select) == first and not any(_within(other, node) for other in waiting)
            ]
            operands = [[_outside_lambdas(operand) for operand in _operands(node)] for node in ready]
            known = types(cursor, select, [operand for found in operands for operand in found], first)
            for node, found in zip(ready, operands, strict=True):
                set_operand_types(node, [known.get(operand, "") for operand in found])
            waiting = [node for node in waiting if not any(node is other for other in ready)]


def types(cursor: Any, select: exp.Select, items: list[exp.Expr], sources: int | None = None) -> dict[exp.Expr, str]:
    """DuckDB's types of expressions that stand in `select`; those that DuckDB can't tell are left out."""
    found: dict[exp.Expr, str] = {}
    # An aggregate can't be described beside a plain column.
    aggregates = [item for item in items if item.find(exp.AggFunc)]
    plain = [item for item in items if not item.find(exp.AggFunc)]
    for group in (aggregates, plain):
        asked = list(dict.fromkeys(group))
        described = describe(cursor, select, asked, sources) if asked else []
        if described is None:
            for item in asked if len(asked) > 1 else []:
                found.update(types(cursor, select, [item], sources))
            continue
        found.update((item, kind) for item, (_, kind) in zip(asked, described, strict=True))
    return found


def describe(
    cursor: Any, select: exp.Select, items: list[exp.Expr], sources: int | None = None
) -> list[tuple[str, str]] | None:
    """(name, type) of `items` over the first `sources`, or all, of `select`; None where DuckDB has to judge them in
    their place."""
    probe = exp.Select(expressions=[item.copy() for item in items])
    if any(item.find(exp.AggFunc) for item in items) and select.args.get("group"):
        probe.set("group", _without_places(select))
    ctes = _visible_ctes(select)
    recursive = "RECURSIVE " if any(cte.parent.args.get("recursive") for cte in ctes if cte.parent) else ""
    before = f"WITH {recursive}{', '.join(map(_cte_sql, ctes))} " if ctes else ""
    scope: exp.Select | None = select
    while scope is not None:
        # What a subquery can't tell may be about the sources of the query around it.
        _add_sources(probe, scope, sources if scope is select else None)
        try:
            return [(row[0], row[1]) for row in cursor.execute(f"DESCRIBE {before}{to_duckdb(probe)}").fetchall()]
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, QueryFailed):  # either fails the query in its place, if it has to
            scope = scope.find_ancestor(exp.Select)
    return None


def _add_sources(probe: exp.Select, scope: exp.Select, count: int | None) -> None:
    for index, source in enumerate(
        [scope.args["from_"], *(scope.args.get("joins") or [])] if scope.args.get("from_") else []
    ):
        if count is not None and index >= count:
            return
        if index or probe.args.get("from_"):
            probe.append("joins", source.copy() if index else exp.Join(this=source.this.copy(), kind="CROSS"))
        else:
            probe.set("from_", source.copy())
    for lateral in scope.args.get("laterals") or []:
        probe.append("laterals", lateral.copy())


def _sources_before(node: exp.Expr, select: exp.Select) -> int:
    """How many of the sources of `select` the node may be about: one in a source, only those before that."""
    number = 1 + len(select.args.get("joins") or [])
    child, parent = node, node.parent
    is_condition = False
    while parent is not None and child is not select:
        if parent is select and child.arg_key == "from_":
            return 0
        if parent is select and child.arg_key == "joins":
            return 1 + (child.index or 0) + is_condition
        is_condition = is_condition or child.arg_key == "on"
        child, parent = parent, parent.parent
    return number


def _inner_first(node: exp.Expr) -> Iterator[exp.Select]:
    """The SELECTs below `node`, each behind those that it reads from."""
    order = ("with_", *_SOURCES)
    children = list(node.iter_expressions())
    for child in sorted(
        children, key=lambda child: order.index(child.arg_key) if child.arg_key in order else len(order)
    ):
        yield from _inner_first(child)
    if isinstance(node, exp.Select):
        yield node


def _own(select: exp.Select) -> Iterator[exp.Expr]:
    for node in select.walk(prune=lambda node: isinstance(node, exp.Query) and node is not select):
        if type(node) in _BY_OPERANDS:
            yield node


def _asks(node: exp.Expr) -> bool:
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return node.to.is_type(*exp.DataType.TEXT_TYPES)
    if isinstance(node, exp.Sub):  # it may be one of dates
        return not any(isinstance(side.unnest(), _NO_DATES) for side in (node.this, node.expression))
    return True


def _within(inner: exp.Expr, outer: exp.Expr) -> bool:
    parent = inner.parent
    while parent is not None and parent is not outer:
        parent = parent.parent
    return parent is outer


def _operands(node: exp.Expr) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for name in _BY_OPERANDS[type(node)]:
        part = node.args[name]
        found += part if isinstance(part, list) else [part]
    return found


def _outside_lambdas(item: exp.Expr) -> exp.Expr:
    """`item` with elements of the arrays and maps in the place of the parameters of the lambdas that it stands in."""
    named: dict[str, exp.Expr] = {}
    function = item.find_ancestor(exp.Lambda, exp.Query)
    while isinstance(function, exp.Lambda):
        given = _given(function)
        named = dict(zip((parameter.name for parameter in function.expressions), given, strict=False)) | named
        function = function.find_ancestor(exp.Lambda, exp.Query)

    def inline(part: exp.Expr) -> exp.Expr:
        is_name = isinstance(part, exp.Identifier) or (isinstance(part, exp.Column) and not part.table)
        is_field = isinstance(part.parent, (exp.Column, exp.Dot)) and part.parent.this is not part
        return named[part.name].copy() if is_name and not is_field and part.name in named else part

    return item.copy().transform(inline) if named else item


def _given(function: exp.Lambda) -> list[exp.Expr]:
    """Samples of what a lambda is called with: elements of an array, keys and values of a map, a state."""
    caller = function.parent
    if isinstance(caller, exp.Reduce):
        return [_outside_lambdas(caller.args["initial"]), _element(caller.this)]
    name = caller.name.lower() if isinstance(caller, exp.Anonymous) else ""
    given = caller.expressions if isinstance(caller, exp.Anonymous) else [caller.this] if caller is not None else []
    if name in ("map_filter", "transform_keys", "transform_values"):
        return [_element(call(part, given[0].copy())) for part in ("map_keys", "map_values")]
    if name == "zip_with":
        return [_element(array) for array in given[:2]]
    return [_element(given[0])] * len(function.expressions) if given else []


def _element(array: exp.Expr) -> exp.Expr:
    return call("list_extract", _outside_lambdas(array).copy(), exp.Literal.number(1))


def _without_places(select: exp.Select) -> exp.Group:
    """The GROUP BY clause of `select`, its ordinals replaced by what they stand for."""
    group: exp.Group = select.args["group"].copy()
    for item in group.expressions:
        if isinstance(item, exp.Literal) and not item.is_string:
            item.replace(select.expressions[int(item.this) - 1].unalias().copy())
    return group


def _cte_sql(cte: exp.Expr) -> str:
    """The CTE in DuckDB's SQL, translated once: what it holds has its types before it can be seen."""
    known: str | None = cte.meta.get(_SQL)
    if known is None:
        known = f"{cte.args['alias'].sql(dialect='duckdb')} AS ({to_duckdb(cte.this)})"
        if cte.parent is not None and not cte.parent.args.get("recursive"):
            cte.meta[_SQL] = known
    return known


def _visible_ctes(select: exp.Select) -> list[exp.Expr]:
    found: list[list[exp.Expr]] = []
    child: exp.Expr = select
    parent: exp.Expr | None = select
    while parent is not None:
        if isinstance(parent, exp.With):
            ctes = list(parent.expressions)
            place = next(index for index, cte in enumerate(ctes) if cte is child)
            found.insert(0, ctes if parent.args.get("recursive") else ctes[:place])
        elif (clause := parent.args.get("with_")) is not None and clause is not child:
            found.insert(0, list(clause.expressions))
        child, parent = parent, parent.parent
    return [cte for ctes in found for cte in ctes]
