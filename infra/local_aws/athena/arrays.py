"""Arrays, maps and lambdas of Athena's SQL as DuckDB's."""

from sqlglot import exp

from local_aws.athena.failures import unsupported
from local_aws.athena.syntax import Rule, call, macro, operand_types


def _reduce(node: exp.Expr) -> exp.Expr:
    finish = node.args.get("finish")
    reduced = exp.Reduce(this=node.this, initial=node.args["initial"], merge=node.args["merge"])
    if finish is None or not isinstance(finish, exp.Lambda):
        return reduced
    return _inlined(finish, exp.Paren(this=reduced))


def _inlined(function: exp.Expr, *values: exp.Expr) -> exp.Expr:
    """The body of a lambda expression, its parameters replaced by `values`."""
    if not isinstance(function, exp.Lambda):
        raise unsupported("a function given by name", "write it as x -> ...")
    named = {parameter.name: value for parameter, value in zip(function.expressions, values, strict=True)}

    def inline(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column):
            return named[part.name].copy() if not part.table and part.name in named else part
        field = isinstance(part.parent, exp.Dot) and part.arg_key == "expression"
        if isinstance(part, exp.Identifier) and part.name in named and not field:
            return part if isinstance(part.parent, exp.Column) else named[part.name].copy()
        return part

    return exp.Paren(this=function.this.copy().transform(inline))


def _over(items: exp.Expr, parameter: str, body: exp.Expr, function: str = "list_transform") -> exp.Expr:
    return call(function, items, exp.Lambda(this=body, expressions=[exp.to_identifier(parameter)]))


def _field(parameter: str, name: str) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier(parameter), expression=exp.to_identifier(name))


def _map_function(name: str, mapping: exp.Expr, function: exp.Expr) -> exp.Expr:
    key, value = _field("entry", "key"), _field("entry", "value")
    entries, body = call("map_entries", mapping), _inlined(function, key, value)
    if name == "map_filter":
        return call("map_from_entries", _over(entries, "entry", body, "list_filter"))
    pair = [body, value] if name == "transform_keys" else [key, body]
    return call("map_from_entries", _over(entries, "entry", exp.Struct(expressions=pair)))


def _is_map(node: exp.Expr) -> bool:
    made = isinstance(node, exp.Anonymous) and node.name.lower() in (
        "map_from_entries",
        "map_agg",
        "map_union",
        "trino_split_to_map",
        "map_concat",
    )
    return made or isinstance(node, (exp.Map, exp.VarMap, exp.MapFromEntries))


def _zip_with(left: exp.Expr, right: exp.Expr, function: exp.Expr) -> exp.Expr:
    return _over(call("zip", left, right), "pair", _inlined(function, _field("pair", "_0"), _field("pair", "_1")))


def _unnest(node: exp.Expr) -> exp.Expr:
    """Trino's UNNEST takes several arrays or a map, and makes rows' fields columns; DuckDB's takes one list."""
    alias = node.args.get("alias")
    offset = node.args.get("offset")
    columns = [column.name for column in alias.columns] if alias else []
    arrays = node.expressions
    items: list[exp.Expr]
    if len(arrays) == 1 and len(columns) <= 1:
        if not offset:
            return node
        items, names = [call("unnest", arrays[0])], columns or ["_col0"]
    elif len(arrays) == 1:
        # Two names for a column are taken for a map's keys and values where its type is not known.
        kind = operand_types(node)[0]
        unknown = isinstance(arrays[0], (exp.Map, exp.VarMap, exp.MapFromEntries, exp.Column)) and len(columns) == 2
        mapping = kind.startswith("MAP(") if kind else unknown
        source = call("map_entries", arrays[0]) if mapping else arrays[0]
        items, names = [call("unnest", source, _named("max_depth", exp.Literal.number(2)))], columns
    else:
        items = [call("unnest", array) for array in arrays]
        names = columns or [f"_col{index}" for index in range(len(arrays))]
    if offset:
        longest = call("greatest", *(call("len", array.copy()) for array in arrays))
        items.append(call("unnest", call("generate_series", exp.Literal.number(1), longest)))
        names = [*names, offset.name if isinstance(offset, exp.Identifier) else "ordinality"]
    lateral = exp.Subquery(
        this=exp.select(*items),
        alias=exp.TableAlias(
            this=alias.this if alias else None, columns=[exp.to_identifier(n, quoted=True) for n in names]
        ),
    )
    return lateral


def _named(name: str, value: exp.Expr) -> exp.Expr:
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=value)


def _sequence(node: exp.Expr) -> exp.Expr:
    if node.args.get("step") is None:
        return node if node.find(exp.AggFunc) else call("trino_range", node.args["start"], node.args["end"])
    return call("trino_sequence", node.args["start"], node.args["end"], node.args["step"])


def _subscript(node: exp.Expr) -> exp.Expr:
    kind, place = operand_types(node)[0], node.expressions[0]
    if node.args.get("safe"):
        return call("trino_element_at", node.this, place) if kind.endswith("[]") else node
    if kind.startswith("MAP("):
        return call("trino_map_value", node.this, place)
    return call("trino_array_element", node.this, place) if kind.endswith("[]") else node


def _concatenate(node: exp.Expr) -> exp.Expr:
    # One side may be an element of what the other has.
    left, right = (_depth(kind) for kind in operand_types(node))
    if left > right:
        return call("list_append", node.this, node.expression)
    return call("list_prepend", node.this, node.expression) if right > left else node


def _depth(kind: str) -> int:
    return 1 + _depth(kind[:-2]) if kind.endswith("[]") else 0


def _cardinality(node: exp.Expr) -> exp.Expr:
    is_map = operand_types(node)[0].startswith("MAP(") or _is_map(node.this)
    return call("cardinality", node.this) if is_map else node


def _matching(how: str, *, negated: bool = False) -> Rule:
    def rule(node: exp.Expr) -> exp.Expr:
        array, function = node.expressions
        found = call(how, exp.Transform(this=array, expression=function))
        return exp.Not(this=found) if negated else found

    return rule


def _map_rule(node: exp.Expr) -> exp.Expr:
    return _map_function(node.name.lower(), *node.expressions) if len(node.expressions) == 2 else node


RULES: dict[type[exp.Expr], Rule] = {
    exp.ArrayDistinct: macro("trino_array_distinct", "this"),
    exp.ArrayMax: macro("trino_array_max", "this"),
    exp.ArrayMin: macro("trino_array_min", "this"),
    exp.ArrayPosition: macro("trino_array_position", "this", "expression"),
    exp.ArraySize: _cardinality,
    exp.ArraySlice: macro("trino_slice", "this", "start", "end"),
    exp.Bracket: _subscript,
    exp.DPipe: _concatenate,
    exp.GenerateSeries: _sequence,
    exp.Reduce: _reduce,
    exp.Repeat: macro("trino_repeat", "this", "times"),
    exp.Reverse: lambda node: node if node.find(exp.AggFunc) else call("trino_reverse", node.this),
    exp.StrToMap: macro("trino_split_to_map", "this", "pair_delim", "key_value_delim"),
    exp.Unnest: _unnest,
}
CALLS: dict[str, Rule] = {
    "any_match": _matching("trino_any"),
    "all_match": _matching("trino_all"),
    "none_match": _matching("trino_any", negated=True),
    "map_filter": _map_rule,
    "transform_keys": _map_rule,
    "transform_values": _map_rule,
    "zip_with": lambda node: _zip_with(*node.expressions) if len(node.expressions) == 3 else node,
    "map_entries": lambda node: call("trino_map_entries", *node.expressions),
}
