"""Athena's SQL as DuckDB's: sqlglot's translation, with corrections where it changes the meaning."""

import re
from collections.abc import Callable

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.functions import NOT_CARRIED_OUT, NOT_CARRIED_OUT_PREFIXES
from local_aws.athena.java_time import strftime_pattern

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
    zone = None
    if isinstance(node.this, exp.Anonymous) and node.this.name.lower() in ("with_timezone", "trino_at_timezone"):
        zone = node.this.expressions[1]
        if node.this.name.lower() == "with_timezone" and not target.is_type("timestamptz"):
            node.set("this", node.this.expressions[0])  # the clock stays as it is
    if target.this in _TEXT:
        text = call("trino_cast_varchar", node.this)
        if zone is not None:
            text = call("concat", text, exp.Literal.string(" "), zone.copy())
        return call("substr", text, exp.Literal.number(1), target.expressions[0].this) if target.expressions else text
    if target.this is exp.DType.JSON:
        return call("to_json", node.this)
    if target.this is exp.DType.DECIMAL and not target.expressions:
        target.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in _decimal(node.this)])
    if node.this.find(exp.AggFunc, exp.Window):
        # DuckDB picks a macro before it knows an aggregate's type, and finds two that fit.
        return node
    if target.this in _CAST_MACROS:
        return call(f"trino_{attempt}cast_{_CAST_MACROS[target.this]}", node.this)
    return node


def _decimal(value: exp.Expr) -> tuple[int, int]:
    """Precision and scale of DECIMAL 'value', and of a cast to bare decimal."""
    if not (isinstance(value, exp.Literal) and value.is_string):
        return 38, 0
    whole, _, fraction = value.this.strip().lstrip("+-").partition(".")
    return max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction)


def _arithmetic(node: exp.Expr) -> exp.Expr:
    name = "trino_add" if isinstance(node, exp.Add) else "trino_subtract"
    if isinstance(node.expression, exp.Interval):
        return call(name, node.this, node.expression)
    if isinstance(node.this, exp.Interval):
        return call(name, node.expression, node.this)
    return node


def _divide(node: exp.Expr) -> exp.Expr:
    # Where the form tells that a side is a double, so is the result: DuckDB's // fails at zero, Trino gives Infinity.
    return (
        call("trino_divide", node.this, node.expression) if any(map(_is_double, (node.this, node.expression))) else node
    )


def _is_double(side: exp.Expr) -> bool:
    side = side.unnest()
    if isinstance(side, exp.Neg):
        return _is_double(side.this)
    if isinstance(side, exp.Literal):
        return not side.is_string and "e" in side.this.lower()
    if isinstance(side, exp.Anonymous):
        return side.name.lower() in ("trino_cast_double", "trino_try_cast_double", "nan", "infinity")
    return isinstance(side, (exp.Cast, exp.TryCast)) and side.is_type("double")


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


def _datetime(name: str, value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    if not isinstance(pattern, exp.Literal):
        raise unsupported(f"{name}() with a pattern that is not a literal", "write the pattern into the query")
    text = exp.Literal.string(strftime_pattern(pattern.this))
    if name == "format_datetime":
        return call("strftime", value, text)
    return call("timezone", exp.Literal.string("UTC"), call("strptime", value, text))


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
        return node if node.find(exp.AggFunc) else call("trino_range", node.args["start"], node.args["end"])
    return call("trino_sequence", node.args["start"], node.args["end"], node.args["step"])


def _anonymous(node: exp.Expr) -> exp.Expr:
    arguments = node.expressions
    name = node.name.lower()
    if name in NOT_CARRIED_OUT or name.startswith(NOT_CARRIED_OUT_PREFIXES):
        raise unsupported(f"{name}()", "docs/local-aws.md says which functions it has")
    match name:
        case "at_timezone":
            return call("trino_at_timezone", *arguments)
        case "any_match":
            return call("trino_any", exp.Transform(this=arguments[0], expression=arguments[1]))
        case "all_match":
            return call("trino_all", exp.Transform(this=arguments[0], expression=arguments[1]))
        case "none_match":
            return exp.Not(this=call("trino_any", exp.Transform(this=arguments[0], expression=arguments[1])))
        case "format_datetime" if len(arguments) == 2:
            return _datetime(name, *arguments)
        case "map_filter" | "transform_keys" | "transform_values" if len(arguments) == 2:
            return _map_function(name, *arguments)
        case "zip_with" if len(arguments) == 3:
            return _zip_with(*arguments)
        case "to_base":
            return exp.Lower(this=node.copy())
        case "bit_count" | "entropy" | "millisecond" | "to_milliseconds" | "map_entries" | "json_array_length":
            return call(f"trino_{name}", *arguments)
        case "url_encode" | "url_decode":
            return call(f"trino_{name}", *arguments)
    return node


def _json_extract(node: exp.Expr) -> exp.Expr:
    if node.args.get("json_query"):
        raise unsupported("json_query()", "use json_extract")
    node.set("this", call("trino_json", node.this))
    if isinstance(node, exp.JSONExtractScalar):
        return call("trino_json_scalar", exp.JSONExtract(this=node.this, expression=node.expression))
    return node


_EXTRACTED = {
    "DOW": "isodow",
    "DAY_OF_WEEK": "isodow",
    "DOY": "dayofyear",
    "DAY_OF_YEAR": "dayofyear",
    "DAY_OF_MONTH": "day",
    "WEEK_OF_YEAR": "week",
    "YOW": "isoyear",
    "YEAR_OF_WEEK": "isoyear",
}


def _extract(node: exp.Expr) -> exp.Expr:
    part = node.this.name.upper()
    return call(_EXTRACTED[part], node.expression) if part in _EXTRACTED else node


def _refused(what: str, instead: str) -> Callable[[exp.Expr], exp.Expr]:
    def refuse(node: exp.Expr) -> exp.Expr:
        raise unsupported(what, instead)

    return refuse


def _fetch(node: exp.Expr) -> exp.Expr:
    options = node.args.get("limit_options")
    if options is not None and options.args.get("with_ties"):
        raise unsupported("FETCH FIRST ... WITH TIES", "use rank() in a subquery")
    return node


def _macro(name: str, *parts: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: call(name, *(node.args.get(part) for part in parts))


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Div: _divide,
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
    exp.JSONExtract: _json_extract,
    exp.JSONExtractScalar: _json_extract,
    exp.Extract: _extract,
    exp.Fetch: _fetch,
    exp.MatchRecognize: _refused("MATCH_RECOGNIZE", "use window functions"),
    exp.ParseDatetime: lambda node: _datetime("parse_datetime", node.this, node.args["format"]),
    exp.StPoint: _refused("st_point()", "docs/local-aws.md says which functions it has"),
    exp.StDistance: _refused("st_distance()", "docs/local-aws.md says which functions it has"),
    exp.JSONValue: _refused("json_value()", "use json_extract_scalar"),
    exp.Soundex: _refused("soundex()", "docs/local-aws.md says which functions it has"),
    exp.ArraySize: lambda node: call("cardinality", node.this) if _is_map(node.this) else node,
    exp.Chr: lambda node: exp.Chr(expressions=[exp.cast(code, "int") for code in node.expressions]),
    exp.ArrayDistinct: _macro("trino_array_distinct", "this"),
    exp.ArrayMax: _macro("trino_array_max", "this"),
    exp.ArrayMin: _macro("trino_array_min", "this"),
    exp.ArrayPosition: _macro("trino_array_position", "this", "expression"),
    exp.Repeat: _macro("trino_repeat", "this", "times"),
    exp.Sign: _macro("trino_sign", "this"),
    exp.Skewness: _macro("trino_skewness", "this"),
    exp.SplitPart: _macro("trino_split_part", "this", "delimiter", "part_index"),
    exp.StrToMap: _macro("trino_split_to_map", "this", "pair_delim", "key_value_delim"),
    exp.Typeof: _macro("trino_typeof", "this"),
    exp.SHA: lambda node: call("unhex", call("sha1", node.this)),
    exp.SHA2Digest: lambda node: call("sha512", node.this) if node.args["length"].name == "512" else node,
    exp.Split: lambda node: (
        call("trino_split", node.this, node.expression, node.args["limit"]) if node.args.get("limit") else node
    ),
    exp.StrPosition: lambda node: (
        call("trino_strpos", node.this, node.args["substr"], node.args["occurrence"])
        if node.args.get("occurrence")
        else node
    ),
    exp.Reverse: lambda node: node if node.find(exp.AggFunc) else call("trino_reverse", node.this),
    exp.Rand: lambda node: (
        call(
            "trino_random",
            *([node.this] if node.args.get("lower") else [exp.Literal.number(0)]),
            node.args.get("lower") or node.this,
        )
        if node.this
        else node
    ),
    exp.ApproxDistinct: lambda node: exp.ApproxDistinct(this=node.this),
    exp.Normalize: lambda node: (
        call("nfc_normalize", node.this)
        if not node.args.get("form") or node.args["form"].name.upper() == "NFC"
        else _refused("normalize() to another form than NFC", "use NFC")(node)
    ),
}
