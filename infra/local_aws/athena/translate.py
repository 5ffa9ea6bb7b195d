"""Athena's SQL as DuckDB's: sqlglot's translation, with corrections where it changes the meaning."""

import re
from collections.abc import Callable

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from local_aws.athena.failures import QueryFailed, unsupported

_CAST_MACROS = {
    exp.DType.TINYINT: "tinyint",
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "double",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
}
_TEXT = (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR)


def to_duckdb(query: exp.Expr) -> str:
    """DuckDB SQL of the same meaning as `query`, whose tables are relations of DuckDB already."""
    translated = _translated(query.copy())
    try:
        return translated.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryFailed(f"NOT_SUPPORTED: local Athena can't translate this query: {error}") from error


def _translated(root: exp.Expr) -> exp.Expr:
    # Children before parents: sqlglot's own transform() does not look inside what a rule has put in a node's place.
    for node in reversed(list(root.walk())):
        rule = _RULES.get(type(node))
        if rule is None:
            continue
        place, parent = (node.arg_key, node.index), node.parent
        new = rule(node)
        if new is node:
            continue
        if parent is None:
            root = new
        else:
            parent.set(str(place[0]), new, index=place[1])
    return root


def call(name: str, *arguments: exp.Expr | None) -> exp.Expr:
    """A call of the DuckDB function or macro `name`."""
    return exp.Anonymous(this=name, expressions=[argument for argument in arguments if argument is not None])


def _cast(node: exp.Expr) -> exp.Expr:
    attempt = "try_" if isinstance(node, exp.TryCast) else ""
    target = node.args["to"]
    if target.this in _TEXT:
        text = call("trino_text", node.this)
        return call("substr", text, exp.Literal.number(1), target.expressions[0].this) if target.expressions else text
    if node.this.find(exp.AggFunc, exp.Window):
        # DuckDB picks a macro before it knows an aggregate's type, and finds two that fit.
        return node
    if target.this in _CAST_MACROS:
        return call(f"trino_{attempt}cast_{_CAST_MACROS[target.this]}", node.this)
    return node


def _arithmetic(node: exp.Expr) -> exp.Expr:
    name = "trino_add" if isinstance(node, exp.Add) else "trino_subtract"
    if isinstance(node.expression, exp.Interval):
        return call(name, node.this, node.expression)
    if isinstance(node.this, exp.Interval):
        return call(name, node.expression, node.this)
    return node


def _date_add(node: exp.Expr) -> exp.Expr:
    return call("trino_add", node.this, exp.Interval(this=exp.Paren(this=node.expression), unit=node.args["unit"]))


def _date_diff(node: exp.Expr) -> exp.Expr:
    # Trino counts whole units that have passed, DuckDB's date_diff the boundaries crossed.
    return call("date_sub", exp.Literal.string(node.args["unit"].name.lower()), node.expression, node.this)


def _date_trunc(node: exp.Expr) -> exp.Expr:
    return call("trino_truncate", exp.Literal.string(node.args["unit"].name.lower()), node.this)


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Lambda):
        raise unsupported("regexp_replace with a function", "use a replacement text with $1, $2")
    if isinstance(replacement, exp.Literal):
        text = re.sub(r"\$(\d)", r"\\\1", replacement.this.replace("\\", "\\\\"))
        node.set("replacement", exp.Literal.string(text))
    return node


def _reduce(node: exp.Expr) -> exp.Expr:
    finish = node.args.get("finish")
    reduced = exp.Reduce(this=node.this, initial=node.args["initial"], merge=node.args["merge"])
    if finish is None or not isinstance(finish, exp.Lambda):
        return reduced
    parameter = finish.expressions[0].name
    body = finish.this.transform(
        lambda part: exp.Paren(this=reduced.copy()) if part.name == parameter and _is_name(part) else part
    )
    return exp.Paren(this=body)


def _is_name(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) or (
        isinstance(node, exp.Identifier) and not isinstance(node.parent, exp.Column)
    )


def _format(node: exp.Expr) -> exp.Expr:
    pattern = node.this
    if not isinstance(pattern, exp.Literal):
        raise unsupported("format() with a pattern that is not a literal", "write the pattern into the query")
    specifiers = re.findall(r"%([-#+ 0,(]*\d*(?:\.\d+)?)([a-zA-Z%])", pattern.this)
    arguments, remaining = [], list(node.expressions)
    for _, letter in specifiers:
        if letter in ("%", "n") or not remaining:
            continue
        if letter not in "sdfeExX":
            raise unsupported(f"format() with %{letter}", "use %s, %d, %f, %e or %x")
        argument = remaining.pop(0)
        arguments.append(call("trino_text", argument) if letter == "s" else argument)
    return call("printf", exp.Literal.string(pattern.this.replace("%n", "\n")), *arguments)


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
        # Two names for a column are taken for a map's keys and values: its type is not known yet.
        mapping = isinstance(arrays[0], (exp.Map, exp.VarMap, exp.MapFromEntries, exp.Column)) and len(columns) == 2
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
        return node
    return call("trino_sequence", node.args["start"], node.args["end"], node.args["step"])


def _anonymous(node: exp.Expr) -> exp.Expr:
    arguments = node.expressions
    match node.name.lower():
        case "at_timezone":
            return call("trino_at_timezone", *arguments)
        case "any_match":
            return call("list_bool_or", exp.Transform(this=arguments[0], expression=arguments[1]))
        case "all_match":
            return call("list_bool_and", exp.Transform(this=arguments[0], expression=arguments[1]))
        case "format_datetime" | "parse_datetime":
            raise unsupported(f"{node.name.lower()}()", "use date_format or date_parse")
    return node


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.DateAdd: _date_add,
    exp.DateDiff: _date_diff,
    exp.TimestampTrunc: _date_trunc,
    exp.DateTrunc: _date_trunc,
    exp.Date: lambda node: call("trino_cast_date", node.this),
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpExtract: lambda node: call("trino_regexp_extract", node.this, node.expression, node.args.get("group")),
    exp.Reduce: _reduce,
    exp.ArraySlice: lambda node: call("trino_slice", node.this, node.args["start"], node.args.get("end")),
    exp.Format: _format,
    exp.AtTimeZone: lambda node: call("trino_at_timezone", node.this, node.args["zone"]),
    exp.FromISO8601Timestamp: lambda node: call("trino_from_iso8601_timestamp", node.this),
    exp.Unnest: _unnest,
    exp.GenerateSeries: _sequence,
    exp.Anonymous: _anonymous,
}
