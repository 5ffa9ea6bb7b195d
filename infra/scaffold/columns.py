"""What the columns of somebody's file are, by what stands in them."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from laptop.contract import MOMENT, as_text
from laptop.services import ServiceError
from silverline.contracts import MISSING

FEW = 12
"""So many different texts are categories that a contract can list; up to `MANY` are a feature all the same."""
MANY = 50
# What Athena keeps for itself, of https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, what partitions are
# called, and what contract.sql calls its own columns.
RESERVED = frozenset(
    "alter and as between broken_rules by case cast constraint create cross cube current_date current_time "
    "current_timestamp current_user deallocate delete describe distinct drop else end escape except execute exists "
    "extract false file_month first for from full group grouping having in inner insert intersect into is join last "
    "left like listagg localtime localtimestamp month natural normalize not null on or order outer prepare "
    "quarantine_reason rank_in_key raw_row recursive right rollup row_key select skip table then trim true uescape "
    "union unnest using values when where with year".split()
)


@dataclass(frozen=True)
class Column:
    """A column: what the file calls it, what SQL calls it, its type as JSON Schema has it, and its values as text."""

    header: str
    name: str
    type: str
    format: str | None
    values: Sequence[str]

    @property
    def kind(self) -> str:
        """The type, or what a text is a form of: date, date-time."""
        return self.format or self.type

    @property
    def known(self) -> list[str]:
        """The values that aren't missing."""
        return [value for value in self.values if value not in MISSING]

    @property
    def is_number(self) -> bool:
        """Whether it counts or measures something."""
        return self.type in ("integer", "number")

    @property
    def counts(self) -> Counter[str]:
        """How often each value stands there."""
        return Counter(self.known)


def read(path: Path) -> tuple[str, list[Column]]:
    """The format, csv or json, and the columns of a file; ServiceError where it is neither, or has no rows."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ServiceError(f"FILE={path} isn't there") from None
    except UnicodeDecodeError as error:
        raise ServiceError(f"FILE={path} is not UTF-8 ({error}): save it as UTF-8 first") from None
    kind = "json" if text.lstrip().startswith(("{", "[")) else "csv"
    headers, rows = (_json_rows if kind == "json" else _csv_rows)(path, text)
    if not rows:
        raise ServiceError(f"FILE={path} has no rows")
    names: list[str] = []
    for header in headers:
        name = _name(header)
        if kind == "json" and name != header.lower():
            raise ServiceError(f"FILE={path}: JSON's key {header!r} can't be a column's name: call it {name!r}")
        if name in names:
            raise ServiceError(f"FILE={path}: two columns would both be called {name!r}: rename one")
        names.append(name)
    columns = [list(values) for values in zip(*rows, strict=True)]
    return kind, [_column(*one) for one in zip(headers, names, columns, strict=True)]


def moment(text: str) -> datetime | None:
    """The date, or date and time in UTC, that a text is in ISO 8601, slashes allowed; None where it is none."""
    text = text.replace("/", "-")
    if not MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None


def _csv_rows(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text[:65536], delimiters=",;\t|")
        delimiter = dialect.delimiter
    except csv.Error:
        delimiter = ","
    lines = [line for line in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if line]
    if len(lines) < 2:
        raise ServiceError(f"FILE={path} needs a line of names and at least one row")
    headers, rows = [header.strip() for header in lines[0]], lines[1:]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(headers):
            raise ServiceError(f"FILE={path}, line {number}: {len(row)} values for the {len(headers)} names of line 1")
    return headers, [[value.strip() for value in row] for row in rows]


def _json_rows(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    try:
        found = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except ValueError as error:
        raise ServiceError(f"FILE={path} is neither a JSON list nor JSON Lines: {error}") from None
    if not all(isinstance(row, dict) for row in found):
        raise ServiceError(f"FILE={path}: each row has to be an object")
    headers = list(dict.fromkeys(key for row in found for key in row))
    nested = {key for row in found for key, value in row.items() if isinstance(value, dict | list)}
    if nested:
        raise ServiceError(
            f"FILE={path}: {', '.join(sorted(nested))} holds objects or lists: make columns of them first"
        )
    return headers, [[as_text(row.get(header)) for header in headers] for row in found]


def _name(header: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")
    name = name if name[:1].isalpha() and not name.startswith("raw_") else f"column_{name}"
    return f"{name}_value" if name in RESERVED else name


def _column(header: str, name: str, values: list[str]) -> Column:
    known = [value for value in values if value not in MISSING]
    for kind, form, pattern in (
        ("boolean", None, r"(?i:true|false)"),
        ("integer", None, r"-?(0|[1-9]\d{0,17})"),  # what begins with a nought is a code
        ("number", None, r"-?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d{1,2})?(?<=\d)"),
    ):
        if known and all(re.fullmatch(pattern, value) for value in known):
            return Column(header, name, kind, form, values)
    if known and all(moment(value) for value in known):
        has_time = any(len(value) > 10 for value in known)
        return Column(header, name, "string", "date-time" if has_time else "date", values)
    return Column(header, name, "string", None, values)
