"""Takes a query string apart: which statement it is, and what it names."""

import itertools
import re
from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from local_aws.athena.data_types import split_top_level
from local_aws.athena.failures import MalformedQuery, QueryFailed, no_iceberg, unsupported
from local_aws.athena.statements import (
    Create,
    CreateTableAs,
    Drop,
    Explain,
    Insert,
    Partitions,
    Prepared,
    Repair,
    Select,
    SetLocation,
    SetProperties,
    Show,
    Statement,
    Unload,
    begin,
    first_word,
)

_NAME = r'((?:[`"]?[\w$-]+[`"]?\.)*[`"]?[\w$-]+[`"]?)'
QUERIES = {"SELECT", "WITH", "VALUES", "TABLE"}
_STATEMENTS = QUERIES | {"CREATE", "DROP", "INSERT", "DELETE", "UPDATE", "MERGE"}
_EXPECTED = (
    "Expecting: 'ALTER', 'CREATE', 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'INSERT', 'MSCK', 'PREPARE', 'SHOW', "
    "'UNLOAD', <query>"
)


def parse(sql: str, parameters: list[str] | None) -> Statement:
    """The statement in `sql`, its `?` replaced by `parameters` (SQL literals; None leaves them as they are).

    MalformedQuery, with line and column, where it is none."""
    # What stands before the first word becomes blanks: places in the text stay what they are.
    start = begin(sql)
    start = start if first_word(sql) not in QUERIES else len(sql) - len(sql.lstrip())
    text = _blank(sql[:start]) + sql[start:].rstrip().removesuffix(";").rstrip()
    bare = text.strip()
    if not first_word(text):
        raise MalformedQuery(f"line 1:1: mismatched input '<EOF>'. {_EXPECTED}")
    for pattern, build in _OPAQUE:
        if found := pattern.fullmatch(bare):
            return build(found)
    if found := re.fullmatch(r"\s*UNLOAD\s*(\(.*\))\s*TO\s*'([^']*)'(?:\s*WITH\s*\((.*)\))?", text, re.I | re.S):
        return Unload(_query(_alone(found), parameters), found[2], _options(found[3] or ""))
    if re.match(r"\s*EXPLAIN\s+ANALYZE\b", text, re.I):
        raise unsupported("EXPLAIN ANALYZE", "use EXPLAIN, or GetQueryRuntimeStatistics after the query")
    if found := re.fullmatch(r"\s*EXPLAIN\s+(.*)", text, re.I | re.S):
        return Explain(_query(_alone(found), parameters))
    created_as = re.fullmatch(r"\s*CREATE\s+TABLE\s.*?\sAS\s(.*)", text, re.I | re.S)
    if created_as:
        _begin_query(_alone(created_as))
    if first_word(text) not in _STATEMENTS:
        raise _mismatch(text)
    expression = _expression(text, parameters)
    if created_as and isinstance(expression, exp.Command):  # sqlglot has given up on the whole, and names no place
        _expression(_alone(created_as), parameters)
    return _from_expression(expression, bare)


def _begin_query(text: str) -> None:
    if first_word(text) not in QUERIES:
        raise _mismatch(text)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _alone(found: re.Match[str]) -> str:
    """The first group of `found`, at its own place in the text."""
    return _blank(found.string[: found.start(1)]) + found[1]


def _from_expression(expression: exp.Expr, text: str) -> Statement:
    match expression:
        case exp.Query():
            return Select(expression)
        case exp.Values():
            return Select(_select_from(expression))
        case exp.Create(kind="TABLE", expression=exp.Query() as query):
            properties = expression.args.get("properties")
            return CreateTableAs(
                expression.this,
                query,
                _properties(properties),
                bool(expression.args.get("exists")),
                _with_data(properties),
            )
        case exp.Create():
            return Create(expression, text)
        case exp.Insert(expression=exp.Query() | exp.Values() as source):
            query = source if isinstance(source, exp.Query) else _select_from(source)
            target = expression.this
            columns = [column.name for column in target.expressions] if isinstance(target, exp.Schema) else []
            return Insert(target.this if isinstance(target, exp.Schema) else target, columns, query)
        case exp.Drop():
            return Drop(expression)
        case exp.Delete() | exp.Update() | exp.Merge():
            raise no_iceberg(type(expression).__name__.upper())
    raise _mismatch(text)


def _select_from(values: exp.Values) -> exp.Query:
    values.set("alias", exp.TableAlias(this=exp.to_identifier("rows")))
    return exp.select("*").from_(values)


def _mismatch(text: str) -> QueryFailed:
    word = first_word(text)
    if word in ("VACUUM", "OPTIMIZE"):
        return no_iceberg(word)
    if word in _STATEMENTS | {"ALTER", "SHOW", "DEALLOCATE", "PREPARE", "SET", "USE", "CALL"}:
        return unsupported(f"this {word} statement", "docs/local-aws.md lists what is supported")
    before = text[: begin(text)]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    found = text[len(before) : len(before) + len(word)] or text[:1]
    return MalformedQuery(f"line {line}:{column}: mismatched input '{found}'. {_EXPECTED}")


def _expression(text: str, parameters: list[str] | None) -> exp.Expr:
    try:
        found = [e for e in sqlglot.parse(_plain_decimals(text), read="athena") if e is not None]
    except ParseError as error:
        raise _syntax_error(text, error) from error
    except TokenError as error:
        raise MalformedQuery(f"line 1:1: mismatched input. {error}") from error
    if len(found) != 1:
        raise MalformedQuery("Only one sql statement is allowed. Got: " + text)
    return found[0] if parameters is None else _bound(found[0], parameters)


def _plain_decimals(text: str) -> str:
    """`text` with DECIMAL '1.50' as 1.50 in its place: sqlglot takes it for a cast to decimal, whose scale is 0."""
    if not re.search(r"\bdecimal\s*'", text, re.I):
        return text
    for word, value in itertools.pairwise(sqlglot.tokenize(text, read="athena")):
        if word.text.upper() == "DECIMAL" and value.token_type.name == "STRING":
            if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", value.text):
                column = word.col - len(word.text) + 1
                raise MalformedQuery(f"line {word.line}:{column}: '{value.text}' is not a valid DECIMAL literal")
            number = value.text.lstrip("+") + ("" if "." in value.text else ".")
            text = text[: word.start] + number.rjust(value.end + 1 - word.start) + text[value.end + 1 :]
    return text


def _query(text: str, parameters: list[str] | None) -> exp.Query:
    _begin_query(text)
    expression = _expression(text, parameters)
    while isinstance(expression, (exp.Paren, exp.Subquery)) and not expression.args.get("alias"):
        expression = expression.this
    if not isinstance(expression, exp.Query):
        raise _mismatch(text)
    return expression


def _syntax_error(text: str, error: ParseError) -> QueryFailed:
    details = error.errors[0] if error.errors else {}
    token = str(details.get("highlight") or "")
    line, end = int(details.get("line") or 1), int(details.get("col") or 1)
    if "SENTINEL" in str(details.get("description")):
        lines = text.split("\n")
        return MalformedQuery(f"line {len(lines)}:{len(lines[-1]) + 1}: mismatched input '<EOF>'")
    return MalformedQuery(
        f"line {line}:{max(1, end - len(token) + 1)}: mismatched input '{token}'. {details.get('description', '')}"
    )


def _bound(expression: exp.Expr, parameters: list[str]) -> exp.Expr:
    placeholders = sorted(
        (p for p in expression.find_all(exp.Placeholder) if not p.this), key=lambda p: int(p.meta.get("start", 0))
    )
    if len(placeholders) != len(parameters):
        raise QueryFailed(
            f"INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected {len(placeholders)} "
            f"but found {len(parameters)}"
        )
    for placeholder, parameter in zip(_in_text_order(expression, placeholders), parameters, strict=True):
        placeholder.replace(_expression(parameter, []))
    return expression


def _in_text_order(expression: exp.Expr, placeholders: list[exp.Placeholder]) -> list[exp.Placeholder]:
    if all("start" in placeholder.meta for placeholder in placeholders):
        return placeholders
    return [node for node in expression.dfs() if isinstance(node, exp.Placeholder) and not node.this]


def _value(text: str) -> str | list[str]:
    array = re.fullmatch(r"ARRAY\s*\[(.*)\]", text.strip(), re.I | re.S)
    if array:
        return [part.strip().strip("'\"") for part in split_top_level(array[1]) if part.strip()]
    return text.strip().strip("'")


def _options(text: str) -> dict[str, str | list[str]]:
    pairs = [part.split("=", 1) for part in split_top_level(text) if "=" in part]
    return {name.strip().lower(): _value(value) for name, value in pairs}


def _properties(properties: exp.Expr | None) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for prop in properties.expressions if properties else []:
        match prop:
            case exp.PartitionedByProperty():
                found["partitioned_by"] = [item.name for item in prop.this.expressions]
            case exp.FileFormatProperty():
                found["format"] = prop.this.name
            case exp.WithDataProperty():
                continue
            case exp.LocationProperty():
                found["location"] = prop.this.name
            case _:
                value = prop.args.get("value")
                found[prop.name.lower()] = (
                    ([item.name for item in value.expressions] if isinstance(value, exp.Array) else str(value.name))
                    if value is not None
                    else ""
                )
    return found


def _with_data(properties: exp.Expr | None) -> bool:
    return (
        not any(isinstance(p, exp.WithDataProperty) and p.args.get("no") for p in properties.expressions)
        if properties
        else True
    )


def pairs(text: str) -> dict[str, str]:
    """{name: value} of `name = 'value', ...`, as in a PARTITION clause; a value's quotes are taken off."""
    found = {}
    for part in split_top_level(text):
        name, _, value = part.partition("=")
        found[name.strip().strip("`\"'").lower()] = value.strip().strip("'\"")
    return found


def _partitions(action: str, table: str, text: str, lenient: bool) -> Partitions:
    clause = re.compile(r",?\s*PARTITION\s*\(([^)]*)\)(?:\s*LOCATION\s*'([^']*)')?\s*", re.I)
    found, position = [], 0
    while position < len(text):
        matched = clause.match(text, position)
        if not matched:
            raise QueryFailed(
                f"FAILED: ParseException line 1:{position + 1}: mismatched input near '{text[position:][:20]}'"
            )
        found.append((pairs(matched[1]), matched[2]))
        position = matched.end()
    return Partitions(table, action, found, lenient)


def _flags(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("NAME", _NAME).replace(" ", r"\s+"), re.I | re.S)


_OPAQUE: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Statement]]] = [
    (_flags("MSCK REPAIR TABLE NAME"), lambda m: Repair(m[1])),
    (
        _flags(r"ALTER TABLE NAME ADD( IF NOT EXISTS)? (PARTITION.*)"),
        lambda m: _partitions("ADD", m[1], m[3], bool(m[2])),
    ),
    (
        _flags(r"ALTER TABLE NAME DROP( IF EXISTS)? (PARTITION.*)"),
        lambda m: _partitions("DROP", m[1], m[3], bool(m[2])),
    ),
    (
        _flags(r"ALTER TABLE NAME( PARTITION\s*\(([^)]*)\))? SET LOCATION '([^']*)'"),
        lambda m: SetLocation(m[1], pairs(m[3]) if m[3] else {}, m[4]),
    ),
    (_flags(r"ALTER TABLE NAME SET TBLPROPERTIES\s*\((.*)\)"), lambda m: SetProperties(m[1], pairs(m[2]))),
    (_flags(r"SHOW (?:DATABASES|SCHEMAS)(?: LIKE '([^']*)')?"), lambda m: Show("DATABASES", None, m[1])),
    (_flags(r"SHOW TABLES(?: (?:IN|FROM) NAME)?(?: (?:LIKE )?'([^']*)')?"), lambda m: Show("TABLES", m[1], m[2])),
    (_flags(r"SHOW VIEWS(?: (?:IN|FROM) NAME)?(?: LIKE '([^']*)')?"), lambda m: Show("VIEWS", m[1], m[2])),
    (_flags("SHOW PARTITIONS NAME"), lambda m: Show("PARTITIONS", m[1])),
    (_flags("SHOW COLUMNS (?:IN|FROM) NAME"), lambda m: Show("COLUMNS", m[1])),
    (_flags("SHOW COLUMNS (?:IN|FROM) NAME (?:IN|FROM) NAME"), lambda m: Show("COLUMNS", f"{m[2]}.{m[1]}")),
    (_flags("SHOW CREATE TABLE NAME"), lambda m: Show("CREATE TABLE", m[1])),
    (_flags("SHOW CREATE VIEW NAME"), lambda m: Show("CREATE VIEW", m[1])),
    (_flags(r"SHOW TBLPROPERTIES NAME(?:\s*\('([^']*)'\))?"), lambda m: Show("TBLPROPERTIES", m[1], m[2])),
    (_flags("(?:DESCRIBE|DESC)(?: (?:EXTENDED|FORMATTED))? NAME"), lambda m: Show("DESCRIBE", m[1])),
    (_flags(r"EXECUTE NAME(?: USING (.*))?"), lambda m: Prepared(m[1], split_top_level(m[2]) if m[2] else [])),
]
