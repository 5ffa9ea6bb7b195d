"""Numbers, casts and times' arithmetic of Athena's SQL as DuckDB's."""

import re

from sqlglot import exp

from local_aws.athena.data_types import trino_signature
from local_aws.athena.dates import zoned_cast
from local_aws.athena.syntax import Rule, call, macro, operand_types, refused

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
_DOUBLES = ("DOUBLE", "FLOAT")
# The digits that Trino's integers have as decimals; DuckDB's sums of them are wider.
_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 19}


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
    if target.is_type("timestamptz") and zone is None:
        return zoned_cast(node)
    if target.this is exp.DType.JSON:
        return call("to_json", node.this)
    if target.this is exp.DType.DECIMAL and not target.expressions:
        target.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (38, 0)])
    if node.this.find(exp.AggFunc, exp.Window):
        # DuckDB picks a macro before it knows an aggregate's type, and finds two that fit.
        return node
    if target.this in _CAST_MACROS:
        return call(f"trino_{attempt}cast_{_CAST_MACROS[target.this]}", node.this)
    return node


def _digits(kind: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal, and of what becomes one beside a decimal."""
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return int(found[1]), int(found[2])
    return (_INTEGERS[kind], 0) if kind in _INTEGERS else None


def _decimal(value: exp.Expr, precision: int, scale: int) -> exp.Expr:
    return exp.cast(value, f"decimal({min(38, precision)}, {scale})", dialect="duckdb")


def _arithmetic(node: exp.Expr) -> exp.Expr:
    name = "trino_add" if isinstance(node, exp.Add) else "trino_subtract"
    if isinstance(node.expression, exp.Interval):
        return call(name, node.this, node.expression)
    if isinstance(node.this, exp.Interval):
        return call(name, node.expression, node.this)
    if isinstance(node, exp.Sub) and operand_types(node) == ["DATE", "DATE"]:
        return exp.Paren(
            this=exp.Sub(this=exp.cast(node.this, "timestamp"), expression=exp.cast(node.expression, "timestamp"))
        )
    return node


def _divide(node: exp.Expr) -> exp.Expr:
    left, right = operand_types(node)
    if left in _DOUBLES or right in _DOUBLES or _is_double(node.this) or _is_double(node.expression):
        quotient = call("trino_divide", node.this, node.expression)
        return quotient if "DOUBLE" in (left, right) or "FLOAT" not in (left, right) else exp.cast(quotient, "float")
    one, other = _digits(left), _digits(right)
    if not left or not right:
        return call("trino_divide_untyped", node.this, node.expression)
    if one is None or other is None or not ("DECIMAL" in left or "DECIMAL" in right):
        return node
    scale = max(one[1], other[1])
    precision = one[0] + other[1] + max(0, other[1] - one[1])
    return _decimal(_quotient(node.this, node.expression, scale), precision, scale)


def _quotient(dividend: exp.Expr, divisor: exp.Expr, scale: int) -> exp.Expr:
    return call("trino_divide_decimals", dividend, divisor, exp.Literal.number(scale))


def _is_double(side: exp.Expr) -> bool:
    side = side.unnest()
    if isinstance(side, exp.Neg):
        return _is_double(side.this)
    if isinstance(side, exp.Literal):
        return not side.is_string and "e" in side.this.lower()
    if isinstance(side, exp.Anonymous):
        return side.name.lower() in ("trino_cast_double", "trino_try_cast_double", "nan", "infinity")
    return isinstance(side, (exp.Cast, exp.TryCast)) and side.is_type("double")


def _aggregate(node: exp.Expr) -> exp.Expr:
    """A sum or average of reals is a real; an average of decimals is one of their own scale: their sum by their count,
    each FILTERed and OVER what it is."""
    if isinstance(node.parent, (exp.Filter, exp.Window)) and node.arg_key == "this":
        return node
    aggregate = node
    while isinstance(aggregate, (exp.Filter, exp.Window)):
        aggregate = aggregate.this
    if not isinstance(aggregate, (exp.Avg, exp.Sum)):
        return node
    kind = operand_types(aggregate)[0]
    if kind == "FLOAT":
        return exp.cast(node, "float")
    digits = _digits(kind) if kind.startswith("DECIMAL") and isinstance(aggregate, exp.Avg) else None
    if digits is None:
        return node

    def instead(function: type[exp.Expr]) -> exp.Expr:
        def replace(part: exp.Expr) -> exp.Expr:
            return function(this=part.this) if isinstance(part, exp.Avg) else part

        return node.copy().transform(replace)

    count = call("nullif", instead(exp.Count), exp.Literal.number(0))
    return _decimal(_quotient(instead(exp.Sum), count, digits[1]), *digits)


def _rounded(node: exp.Expr) -> exp.Expr:
    kind = operand_types(node)[0]
    digits = _digits(kind)
    if digits is None or "DECIMAL" not in kind:
        return node.this if digits is not None and isinstance(node, (exp.Ceil, exp.Floor)) else node
    precision, scale = digits
    if node.args.get("decimals") is not None:
        return _decimal(node, precision + isinstance(node, exp.Round), scale)
    return _decimal(node, max(1, precision - scale + (0 if isinstance(node, exp.Trunc) else min(1, scale))), 0)


def _sign(node: exp.Expr) -> exp.Expr:
    signed = call("trino_sign", node.this)
    return _decimal(signed, 1, 0) if "DECIMAL" in operand_types(node)[0] else signed


def _of_bigints(node: exp.Expr) -> exp.Expr:
    node.set("this", exp.cast(node.this, "bigint"))
    return node


def _typeof(node: exp.Expr) -> exp.Expr:
    (kind, *_), value = operand_types(node), node.this.unnest()
    if isinstance(value, exp.Literal) and value.is_string:
        return exp.Literal.string(f"varchar({len(value.this)})")
    return exp.Literal.string(trino_signature(kind)) if kind else refused("typeof() here", "use it in a subquery")(node)


RULES: dict[type[exp.Expr], Rule] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Div: _divide,
    exp.Avg: _aggregate,
    exp.Sum: _aggregate,
    exp.Filter: _aggregate,
    exp.Window: _aggregate,
    exp.Round: _rounded,
    exp.Trunc: _rounded,
    exp.Ceil: _rounded,
    exp.Floor: _rounded,
    exp.Sign: _sign,
    exp.Skewness: macro("trino_skewness", "this"),
    exp.Typeof: _typeof,
    **dict.fromkeys((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot), _of_bigints),
    **dict.fromkeys((exp.BitwiseAndAgg, exp.BitwiseOrAgg, exp.BitwiseXorAgg), _of_bigints),
    exp.Chr: lambda node: exp.Chr(expressions=[exp.cast(code, "int") for code in node.expressions]),
    exp.Rand: lambda node: (
        call(
            "trino_random",
            *([node.this] if node.args.get("lower") else [exp.Literal.number(0)]),
            node.args.get("lower") or node.this,
        )
        if node.this
        else node
    ),
}
CALLS: dict[str, Rule] = {
    "to_base": lambda node: exp.Lower(this=node.copy()),
    "bit_count": lambda node: call("trino_bit_count", *node.expressions),
    "entropy": lambda node: call("trino_entropy", *node.expressions),
}
