"""Somebody's rows as raw files of bronze, a folder a month."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scaffold.columns import Column
from silverline.contracts import MISSING


def lay(data: Path, name: str, form: str, columns: Sequence[Column], time: Column | None) -> list[Path]:
    """The rows as raw files, a folder a month: of the time of each, or all of them of today's."""
    today = f"{datetime.now(UTC):%Y-%m}"
    months = [value[:7].replace("/", "-") for value in time.values] if time else [today] * len(columns[0].values)
    rows_of: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for month, row in zip(months, zip(*(column.values for column in columns), strict=True), strict=True):
        rows_of[month].append(row)
    laid = []
    for month, rows in sorted(rows_of.items()):
        folder = data / name / f"year={month[:4]}" / f"month={month[5:]}"
        folder.mkdir(parents=True)
        laid.append(folder / f"{name}.{'csv' if form == 'csv' else 'jsonl'}")
        laid[-1].write_text(_csv(columns, rows) if form == "csv" else _json_lines(columns, rows))
    return laid


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
    return json.loads(text.lower()) if column.type in ("integer", "number", "boolean") else text
