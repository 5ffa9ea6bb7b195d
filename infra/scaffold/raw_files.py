"""Somebody's rows as raw files of bronze, a folder a month."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from laptop.services import ServiceError
from scaffold.columns import Column
from silverline.contracts import MISSING


def lay(data: Path, name: str, form: str, columns: Sequence[Column], time: Column | None) -> dict[Path, str]:
    """The rows as raw files, by their paths, a folder a month: of the time of each, or all of them of today's."""
    if form == "csv":
        _require_readable(columns)
    today = f"{datetime.now(UTC):%Y-%m}"
    months = [value[:7].replace("/", "-") for value in time.values] if time else [today] * len(columns[0].values)
    rows_of: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for month, row in zip(months, zip(*(column.values for column in columns), strict=True), strict=True):
        rows_of[month].append(row)
    return {
        data / name / f"year={month[:4]}" / f"month={month[5:]}" / f"{name}.{'csv' if form == 'csv' else 'jsonl'}": (
            _csv(columns, rows) if form == "csv" else _json_lines(columns, rows)
        )
        for month, rows in sorted(rows_of.items())
    }


def _require_readable(columns: Sequence[Column]) -> None:
    """ServiceError where Athena's reader of CSV files (OpenCSVSerDe) would take a value for something else."""
    for column in columns:
        for number, value in enumerate(column.values, start=1):
            if "\n" in value or "\\" in value:
                what = "a line break" if "\n" in value else "a backslash"
                raise ServiceError(
                    f"{column.header} has {what} in row {number}, which Athena's reader of CSV files doesn't take for "
                    "what it is: take it out, leave the column out of the file, or bring the file as JSON Lines"
                )


def _csv(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.header for column in columns)
    writer.writerows(rows)
    return text.getvalue()


def _json_lines(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(
        json.dumps({column.name: _json_value(column, value) for column, value in zip(columns, row, strict=True)}) + "\n"
        for row in rows
    )


def _json_value(column: Column, text: str) -> Any:
    if text in MISSING:
        return None
    match column.type:
        case "boolean":
            return text.lower() == "true"
        case "integer":
            return int(text)
        case "number":
            return float(text)
    return text
