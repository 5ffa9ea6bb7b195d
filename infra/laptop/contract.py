"""`make contract`: a raw file held against the contract of its bronze table, before it is delivered."""

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from rich.console import Console
from rich.table import Table

from laptop import bronze
from laptop.services import ServiceError
from silverline import contracts

EXAMPLES = 3
INTEGER, NUMBER = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# ISO 8601 as contract.sql reads it: jsonschema's own would ask for an offset from UTC, which Athena's cast refuses.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?")
FORMATS = FormatChecker(())


@FORMATS.checks("date", raises=ValueError)
def _is_date(text: object) -> bool:
    return bool(DATE.fullmatch(str(text))) and bool(datetime.fromisoformat(str(text)))


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(text: object) -> bool:
    return bool(MOMENT.fullmatch(str(text))) and bool(datetime.fromisoformat(str(text).removesuffix("Z")))


class Broken(NamedTuple):
    """A value that breaks a rule of its column, in the row of that number, from 1."""

    column: str
    rule: str
    row: int
    value: str


def show(table: str, path: Path, console: Console) -> int:
    """Print each rule that the file breaks, how often, and examples; 1 where there is any, 0 where there is none."""
    try:
        contract = bronze.contract(contracts.path_of(table))
    except FileNotFoundError as error:
        raise ServiceError(str(error)) from None
    found: dict[tuple[str, str], list[Broken]] = defaultdict(list)
    rows = 0
    for number, broken in check_all(contract, read(contract, path)):
        rows = number
        for one in broken:
            found[one.column, one.rule].append(one)
    if not found:
        console.print(f"{path}: {rows:,} rows keep the contract of bronze.{table}", highlight=False)
        return 0
    shown = Table(box=None, padding=(0, 2), pad_edge=False)
    for head in ("column", "rule", "rows", "for example"):
        shown.add_column(head, justify="right" if head == "rows" else "left")
    for (column, rule), all_of_it in sorted(found.items(), key=lambda one: -len(one[1])):
        examples = ", ".join(f"{one.value!r} (row {one.row})" for one in all_of_it[:EXAMPLES])
        shown.add_row(column, rule, f"{len(all_of_it):,}", examples)
    console.print(shown)
    unusable = len({broken.row for all_of_it in found.values() for broken in all_of_it})
    console.print(f"\n{path}: {unusable:,} of {rows:,} rows break the contract of bronze.{table}", highlight=False)
    return 1


def read(contract: Mapping[str, Any], path: Path) -> Iterator[dict[str, str]]:
    """The file's rows by the names of the contract's columns, a value that is missing as ""; ServiceError where its
    first line isn't as the contract has it, or it can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise ServiceError(f"FILE={path} can't be read: {error}") from None
    names = [column["name"] for column in contract["columns"]]
    if contract["format"] == "json":
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                row = {key.lower(): value for key, value in json.loads(line).items()}
            except (ValueError, AttributeError) as error:
                raise ServiceError(f"FILE={path}, line {number} is no JSON object: {error}") from None
            yield {name: as_text(row.get(name)) for name in names}
        return
    if wrong := contracts.broken_header(contract, text.partition("\n")[0]):
        raise ServiceError(f"FILE={path} {wrong}: Athena takes a CSV file's columns by their places")
    for number, values in enumerate(list(csv.reader(text.splitlines(keepends=True)))[1:], start=2):
        if values and len(values) != len(names):
            raise ServiceError(f"FILE={path}, line {number}: {len(values)} values for {len(names)} columns")
        if values:
            yield dict(zip(names, values, strict=True))


def check_all(contract: Mapping[str, Any], rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[int, list[Broken]]]:
    """Of each row its number, from 1, and what it breaks; also that its key came before."""
    keys: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, start=1):
        broken, key = list(check(contract, row, number)), tuple(row[name] for name in contract.get("key", ()))
        if key and not broken:
            if key in keys:
                rule = "comes more than once in a month"
                broken.append(Broken(", ".join(contract["key"]), rule, number, ", ".join(key)))
            keys.add(key)
        yield number, broken


def check(contract: Mapping[str, Any], row: Mapping[str, str], number: int) -> Iterator[Broken]:
    """What a row breaks, in the words of contract.sql."""
    for column in contract["columns"]:
        name, text, schema = column["name"], row[column["name"]].strip(), column.get("values", {"type": "string"})
        if text in contracts.MISSING:
            if column.get("required"):
                yield Broken(name, "is missing", number, text)
            continue
        for error in Draft202012Validator(schema, format_checker=FORMATS).iter_errors(_typed(schema, text)):
            yield Broken(name, _rule(schema, error.validator), number, text)


def as_text(value: Any) -> str:
    """A JSON value as it would stand in a CSV file."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    """The value that the text is, by the column's type; the text itself where it is none."""
    if schema.get("format"):
        return text.replace("/", "-")
    if schema["type"] == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if schema["type"] == "integer" and INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    if schema["type"] == "number" and NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _rule(schema: Mapping[str, Any], keyword: Any) -> str:
    match keyword:
        case "minimum":
            return f"is less than {schema['minimum']}"
        case "maximum":
            return f"is more than {schema['maximum']}"
        case "enum":
            return f"is none of {', '.join(map(str, schema['enum']))}"
    return f"is no {schema.get('format', schema['type'])}"
