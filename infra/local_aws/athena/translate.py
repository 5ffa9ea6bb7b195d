"""Athena's SQL as DuckDB's: sqlglot's translation, with corrections where it changes the meaning."""

import re

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from local_aws.athena import arithmetic, arrays, dates
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.functions import NOT_CARRIED_OUT, NOT_CARRIED_OUT_PREFIXES
from local_aws.athena.syntax import Rule, call, macro, operand_types, refused

_SEE = "docs/local-aws.md says which functions it has"


def to_duckdb(query: exp.Expr) -> str:
    """DuckDB SQL of the same meaning as `query`, whose tables are relations of DuckDB already."""
    translated = _translated(query.copy())
    try:
        return translated.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryFailed(f"NOT_SUPPORTED: local Athena can't translate this query: {error}") from error


def _translated(root: exp.Expr) -> exp.Expr:
    for bracket in root.find_all(exp.Bracket):
        # Back to Trino's places, from 1: the parser and the writer count from 0 where they think that it is an array.
        offset = 1 - bracket.args.get("offset", 0)
        bracket.set("expressions", exp.apply_index_offset(bracket.this, bracket.expressions, offset, "athena"))
        bracket.set("offset", 1)
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


def _java_pattern(pattern: exp.Expr) -> exp.Expr:
    """A regular expression whose groups have their names as RE2 has them."""
    if not isinstance(pattern, exp.Literal):
        return pattern
    return exp.Literal.string(re.sub(r"\(\?<(?![=!])", "(?P<", pattern.this))


def _regular(node: exp.Expr) -> exp.Expr:
    node.set("expression", _java_pattern(node.expression))
    return node


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    replacement, pattern = node.args.get("replacement"), node.expression
    if isinstance(replacement, exp.Lambda):
        raise unsupported("regexp_replace with a function", "use a replacement text with $1, $2")
    if isinstance(replacement, exp.Literal):
        names = _group_names(pattern) if "${" in replacement.this else []
        text = replacement.this.replace("\\", "\\\\")
        text = re.sub(r"\$\{(\w+)\}", lambda found: f"\\{_number(found[1], names)}", text)
        node.set("replacement", exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", text)))
    return _regular(node)


def _group_names(pattern: exp.Expr) -> list[str]:
    """The groups of a regular expression by their numbers; those without names are empty texts."""
    groups = re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|(\((?!\?)|\(\?P?<(?![=!])(\w+)>)", pattern.name)
    return [name for opened, name in groups if opened]


def _number(name: str, names: list[str]) -> int:
    if name not in names:
        raise QueryFailed(f"INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group {{{name}}}")
    return names.index(name) + 1


def _format(node: exp.Expr) -> exp.Expr:
    pattern = node.this
    if not isinstance(pattern, exp.Literal):
        raise unsupported("format() with a pattern that is not a literal", "write the pattern into the query")
    specifiers = re.findall(r"%([-#+ 0,(]*\d*(?:\.\d+)?)([a-zA-Z%])", pattern.this)
    arguments, remaining = [], list(node.expressions)
    for flags, letter in specifiers:
        if letter in ("%", "n") or not remaining:
            continue
        if letter not in "sdfeExX":
            raise unsupported(f"format() with %{letter}", "use %s, %d, %f, %e or %x")
        argument = remaining.pop(0)
        if letter == "s":
            argument = call("trino_text", argument)
        elif letter == "f":
            digits = flags.partition(".")[2] or "6"
            argument = call("trino_rounded", argument, exp.Literal.number(digits))
        arguments.append(argument)
    return call("printf", exp.Literal.string(pattern.this.replace("%n", "\n")), *arguments)


def _anonymous(node: exp.Expr) -> exp.Expr:
    name = node.name.lower()
    if name in NOT_CARRIED_OUT or name.startswith(NOT_CARRIED_OUT_PREFIXES):
        raise unsupported(f"{name}()", _SEE)
    return _CALLS[name](node) if name in _CALLS else node


def _json_extract(node: exp.Expr) -> exp.Expr:
    if node.args.get("json_query"):
        raise unsupported("json_query()", "use json_extract")
    node.set("this", call("trino_json", node.this))
    if isinstance(node, exp.JSONExtractScalar):
        return call("trino_json_scalar", exp.JSONExtract(this=node.this, expression=node.expression))
    return node


def _substring(node: exp.Expr) -> exp.Expr:
    start = node.args["start"]
    if isinstance(start, exp.Literal) and start.this != "0":
        return node
    return call("trino_substr", node.this, start, node.args.get("length"))


def _fetch(node: exp.Expr) -> exp.Expr:
    options = node.args.get("limit_options")
    if options is not None and options.args.get("with_ties"):
        raise unsupported("FETCH FIRST ... WITH TIES", "use rank() in a subquery")
    return node


_CALLS: dict[str, Rule] = {
    **arithmetic.CALLS,
    **arrays.CALLS,
    **dates.CALLS,
    "json_array_length": lambda node: call("trino_json_array_length", *node.expressions),
    "regexp_position": lambda node: call("regexp_position", *map(_java_pattern, node.expressions)),
    "url_encode": lambda node: call("trino_url_encode", *node.expressions),
    "url_decode": lambda node: call("trino_url_decode", *node.expressions),
}
_RULES: dict[type[exp.Expr], Rule] = {
    **arithmetic.RULES,
    **arrays.RULES,
    **dates.RULES,
    exp.Anonymous: _anonymous,
    exp.ApproxDistinct: lambda node: exp.ApproxDistinct(this=node.this),
    # DuckDB's is a sum: null of no rows at all.
    exp.CountIf: lambda node: exp.Count(this=exp.If(this=node.this, true=exp.Literal.number(1))),
    exp.Fetch: _fetch,
    exp.Format: _format,
    exp.JSONExtract: _json_extract,
    exp.JSONExtractScalar: _json_extract,
    exp.JSONValue: refused("json_value()", "use json_extract_scalar"),
    exp.Length: lambda node: call("octet_length", node.this) if operand_types(node)[0] == "BLOB" else node,
    exp.MatchRecognize: refused("MATCH_RECOGNIZE", "use window functions"),
    exp.Normalize: lambda node: (
        call("nfc_normalize", node.this)
        if not node.args.get("form") or node.args["form"].name.upper() == "NFC"
        else refused("normalize() to another form than NFC", "use NFC")(node)
    ),
    exp.ParseJSON: lambda node: call("trino_json_parse", node.this),
    exp.RegexpCount: _regular,
    exp.RegexpExtract: lambda node: call(
        "trino_regexp_extract", node.this, _java_pattern(node.expression), node.args.get("group")
    ),
    exp.RegexpExtractAll: _regular,
    exp.RegexpLike: _regular,
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpSplit: _regular,
    exp.SHA: lambda node: call("unhex", call("sha1", node.this)),
    exp.SHA2Digest: lambda node: call("sha512", node.this) if node.args["length"].name == "512" else node,
    exp.Soundex: refused("soundex()", _SEE),
    exp.Split: lambda node: (
        call("trino_split", node.this, node.expression, node.args["limit"]) if node.args.get("limit") else node
    ),
    exp.SplitPart: macro("trino_split_part", "this", "delimiter", "part_index"),
    exp.Substring: _substring,
    exp.StDistance: refused("st_distance()", _SEE),
    exp.StPoint: refused("st_point()", _SEE),
    exp.StrPosition: lambda node: (
        call("trino_strpos", node.this, node.args["substr"], node.args["occurrence"])
        if node.args.get("occurrence")
        else node
    ),
}
