"""Dates, times and their patterns of Athena's SQL as DuckDB's."""

from sqlglot import exp

from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.java_time import strftime_pattern
from local_aws.athena.syntax import Rule, call

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


def _date_add(node: exp.Expr) -> exp.Expr:
    return call("trino_add", node.this, exp.Interval(this=exp.Paren(this=node.expression), unit=node.args["unit"]))


def _date_diff(node: exp.Expr) -> exp.Expr:
    # Trino counts whole units that have passed, DuckDB's date_diff the boundaries crossed.
    return call("date_sub", exp.Literal.string(node.args["unit"].name.lower()), node.expression, node.this)


def _date_trunc(node: exp.Expr) -> exp.Expr:
    return call("trino_truncate", exp.Literal.string(node.args["unit"].name.lower()), node.this)


def _datetime(name: str, value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    if not isinstance(pattern, exp.Literal):
        raise unsupported(f"{name}() with a pattern that is not a literal", "write the pattern into the query")
    text = exp.Literal.string(strftime_pattern(pattern.this))
    if name == "format_datetime":
        return call("strftime", value, text)
    return call("timezone", exp.Literal.string("UTC"), call("strptime", value, text))


def _extract(node: exp.Expr) -> exp.Expr:
    part = node.this.name.upper()
    return call(_EXTRACTED[part], node.expression) if part in _EXTRACTED else node


def _formatted(node: exp.Expr) -> exp.Expr:
    """strftime or strptime of MySQL's pattern, which the parser has made one of theirs but for some letters."""
    pattern = node.args["format"]
    if isinstance(pattern, exp.Literal):
        for letter in ("%D", "%U", "%V", "%w", "%W", "%X"):
            if letter in pattern.this:
                written = "%u" if letter == "%W" else letter
                raise QueryFailed(f"INVALID_FUNCTION_ARGUMENT: {written} not supported in date format string")
        node.set("format", exp.Literal.string(pattern.this.replace("%v", "%V")))
    return node


def _from_unixtime(node: exp.Expr) -> exp.Expr:
    if node.args.get("zone") is not None:
        raise unsupported("from_unixtime() in a time zone", "use from_unixtime(seconds) at time zone '...'")
    return node


# What comes of an instant whatever its zone is.
_INSTANTS = (exp.AtTimeZone, exp.TimeToUnix, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_UTC = ("utc", "z", "gmt", "etc/utc")


def _is_instant(node: exp.Expr) -> bool:
    """Whether only the instant of a value with a time zone is asked for: DuckDB keeps no zone of its own with it."""
    parent = node.parent
    while isinstance(parent, (exp.Paren, exp.Try)):
        parent = parent.parent
    at_timezone = isinstance(parent, exp.Anonymous) and parent.name.lower() == "at_timezone"
    return at_timezone or isinstance(parent, _INSTANTS)


def zoned_cast(node: exp.Expr) -> exp.Expr:
    """A cast to a timestamp with time zone, which has to be UTC where more than its instant is asked for."""
    attempt = "try_" if isinstance(node, exp.TryCast) else ""
    return node if _is_instant(node) else call(f"trino_{attempt}cast_utc", node.this)


def _from_iso8601_timestamp(node: exp.Expr) -> exp.Expr:
    return call(f"trino_from_iso8601_{'timestamp' if _is_instant(node) else 'utc'}", node.this)


def _at_timezone(node: exp.Expr) -> exp.Expr:
    value, zone = node.expressions if isinstance(node, exp.Anonymous) else (node.this, node.args["zone"])
    return exp.cast(value, "timestamptz") if _is_instant(node) else call("trino_at_timezone", value, zone)


def _with_timezone(node: exp.Expr) -> exp.Expr:
    is_utc = node.expressions[-1].name.lower() in _UTC
    if is_utc or _is_instant(node) or isinstance(node.parent, (exp.Cast, exp.TryCast)):
        return node
    raise unsupported("with_timezone() to another zone than UTC here", "put it AT TIME ZONE 'UTC', or cast it")


RULES: dict[type[exp.Expr], Rule] = {
    exp.AtTimeZone: _at_timezone,
    exp.Date: lambda node: call("trino_cast_date", node.this),
    exp.DateAdd: _date_add,
    exp.DateDiff: _date_diff,
    exp.DateTrunc: _date_trunc,
    exp.Extract: _extract,
    exp.FromISO8601Date: lambda node: call("trino_from_iso8601_date", node.this),
    exp.FromISO8601Timestamp: _from_iso8601_timestamp,
    exp.ParseDatetime: lambda node: _datetime("parse_datetime", node.this, node.args["format"]),
    exp.StrToTime: _formatted,
    exp.TimestampTrunc: _date_trunc,
    exp.TimeToStr: _formatted,
    exp.UnixToTime: _from_unixtime,
}
CALLS: dict[str, Rule] = {
    "at_timezone": _at_timezone,
    "format_datetime": lambda node: (
        _datetime("format_datetime", *node.expressions) if len(node.expressions) == 2 else node
    ),
    "millisecond": lambda node: call("trino_millisecond", *node.expressions),
    "with_timezone": _with_timezone,
    "to_milliseconds": lambda node: call("trino_to_milliseconds", *node.expressions),
}
