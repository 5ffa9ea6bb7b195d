"""What DuckDB says went wrong, in Athena's words."""

import re

from sqlglot import exp

from local_aws.athena.binding import position
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.functions import NOT_CARRIED_OUT

_ACCESS = "cannot be resolved or requester is not authorized to access requested resources"
_OPERATORS: dict[str, type[exp.Expr]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "%": exp.Mod,
    "||": exp.DPipe,
}
_TYPES = {"INT32": "INT", "INT64": "BIGINT", "INT16": "SMALLINT", "INT8": "TINYINT", "BOOL": "BOOLEAN", "FLOAT": "REAL"}

_NUMBERS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}


def query_failed(error: Exception, query: exp.Expr | None) -> QueryFailed:
    """The failure that Athena reports for DuckDB's `error`; places come from `query`."""
    text = str(error)
    first = text.split("\n")[0]
    if m := re.search(r"""['"]((?:INVALID_FUNCTION_ARGUMENT|NOT_SUPPORTED): .+?)\??['"]""", text):
        return QueryFailed(m[1])  # of a macro
    if m := re.search(r"invalid perl operator: (\S+)", text):
        return unsupported(f"{m[1]} in a regular expression", "write it without looking around")
    if m := re.search(r'Referenced column "([^"]+)" (?:was )?not found', text):
        return _column(m[1], query)
    if m := re.search(r'"([^"]+)" does not have a column named "([^"]+)"', text):
        return _column(f"{m[1]}.{m[2]}", query)
    if m := re.search(r'Referenced table "([^"]+)" not found', text):
        columns = query.find_all(exp.Column) if query is not None else iter(())
        column = next((c for c in columns if c.table.lower() == m[1].lower()), None)
        return _column(f"{m[1]}.{column.name}" if column else m[1], query)
    if m := re.search(r'Ambiguous reference to column name "([^"]+)"', text):
        return QueryFailed(f"AMBIGUOUS_NAME: {_place(m[1], query)}: Column '{m[1]}' is ambiguous")
    if m := re.search(r'column "?([^"\s]+)"? must appear in the GROUP BY clause', text):
        return QueryFailed(
            f"EXPRESSION_NOT_AGGREGATE: {_place(m[1], query)}: '{m[1]}' must be an aggregate expression or appear in "
            "GROUP BY clause"
        )
    if m := re.search(r"(?:Scalar|Aggregate|Table)? ?Function with name \"?(\w+)\"? does not exist", text):
        if m[1].lower() in NOT_CARRIED_OUT:
            return unsupported(f"{m[1].lower()}()", "docs/local-aws.md says which functions it has")
        return QueryFailed(f"FUNCTION_NOT_FOUND: {_place(m[1], query)}: Function '{m[1]}' not registered")
    if m := re.search(r"No function matches the given name and argument types '([^(]+)\((.*?)\)'", text):
        return _no_function(m[1], m[2].lower(), query)
    if m := re.search(r"Cannot (?:compare|mix) values of type (\w+).*? and (?:type )?(\w+)", text):
        return QueryFailed(f"TYPE_MISMATCH: line 1:1: Cannot apply operator: {m[1].lower()} = {m[2].lower()}")
    if m := re.search(r"Could not (?:convert|cast) (?:string |value )?['\"](.*?)\??['\"] to ['\"]?(\w+)", text):
        return QueryFailed(f"INVALID_CAST_ARGUMENT: Cannot cast '{m[1]}' to {_TYPES.get(m[2], m[2])}")
    if m := re.search(r'(?:invalid|Invalid) (timestamp|date) field format: "(.*?)\??"', text):
        return QueryFailed(f"INVALID_CAST_ARGUMENT: Value cannot be cast to {m[1]}: {m[2]}")
    if "Division by zero" in text:
        return QueryFailed("DIVISION_BY_ZERO: Division by zero")
    if m := re.search(r"Overflow in (\w+) of (INT\d+) \((.*?)\)", text):
        return QueryFailed(f"NUMERIC_VALUE_OUT_OF_RANGE: {_NUMBERS.get(m[2], m[2])} {m[1]} overflow: {m[3]}")
    if m := re.search(r"Type \w+ with value (\S+) can't be cast .* out of range for the destination type (\w+)", text):
        return QueryFailed(f"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for {_NUMBERS.get(m[2], m[2].lower())}: {m[1]}")
    if m := re.search(r'Casting value "(.*?)" to type DECIMAL\((\d+),(\d+)\) failed', text):
        return QueryFailed(f"INVALID_CAST_ARGUMENT: Cannot cast '{m[1]}' to DECIMAL({m[2]}, {m[3]})")
    if "Map keys must be unique" in text:
        return QueryFailed("INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed")
    if "Malformed JSON" in text:
        return QueryFailed(f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: {first}")
    if "Out of Memory" in first:
        return QueryFailed(f"EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor. {first}")
    if "Could not parse string" in text:
        return QueryFailed(f"INVALID_FUNCTION_ARGUMENT: {first.removeprefix('Invalid Input Error: ')}")
    if m := re.search(r"(?:JSON|CSV) Error.*|.*(?:read_json|read_csv).*|.*\.(?:csv|json|jsonl)\".*", text):
        return QueryFailed(f"HIVE_BAD_DATA: {text}")
    return QueryFailed(f"GENERIC_USER_ERROR: {first}")


def _no_function(name: str, types: str, query: exp.Expr | None) -> QueryFailed:
    types = types.replace("integer_literal", "integer").replace("string_literal", "varchar")
    if not name[0].isalpha() and "," in types:
        left, right = (part.strip() for part in types.split(",", 1))
        operator = name.strip().replace("//", "/")
        node = next(iter(_all(query, _OPERATORS[operator])), None) if operator in _OPERATORS else None
        place = position(node) if node is not None else "line 1:1"
        return QueryFailed(f"TYPE_MISMATCH: {place}: Cannot apply operator: {left} {operator} {right}")
    return QueryFailed(
        f"TYPE_MISMATCH: {_place(name, query)}: Unexpected parameters ({types}) for function {name.lower()}"
    )


def _column(name: str, query: exp.Expr | None) -> QueryFailed:
    return QueryFailed(f"COLUMN_NOT_FOUND: {_place(name.rpartition('.')[2], query)}: Column '{name.lower()}' {_ACCESS}")


def _place(name: str, query: exp.Expr | None) -> str:
    kinds: list[type[exp.Expr]] = [exp.Column, exp.Func, exp.Identifier]
    for kind in kinds:
        for node in _all(query, kind):
            own = (
                node.name
                if not isinstance(node, exp.Func)
                else (node.name if isinstance(node, exp.Anonymous) else node.key)
            )
            if own.lower() == name.lower():
                return position(node)
    return "line 1:1"


def _all(query: exp.Expr | None, kind: type[exp.Expr]) -> list[exp.Expr]:
    return list(query.find_all(kind)) if query is not None else []
