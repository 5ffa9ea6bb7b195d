"""The contract of somebody's file: what stands in it, and a little more."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from scaffold.choices import Label
from scaffold.columns import FEW, Column
from silverline.contracts import MISSING


def contract(
    name: str, form: str, columns: Sequence[Column], time: Column | None, key: Sequence[Column], label: Label
) -> dict[str, Any]:
    """What the file has to be that has been seen, as bronze_table.schema.json has it."""
    return {
        "description": f"One row per row of the {form.upper()} files of {name}, as they came.",
        "format": form,
        "partitioned": True,
        "key": [column.name for column in key],
        **({"time": time.name} if time else {}),
        "columns": [
            {
                "name": column.name,
                **({"header": column.header} if column.header != column.name and form == "csv" else {}),
                "type": "string",
                **({"required": True} if is_required(column, key, label, len(columns)) else {}),
                "values": values(column, column in key and len(key) < len(columns)),
            }
            for column in columns
        ],
    }


def is_required(column: Column, key: Sequence[Column], label: Label, count: int) -> bool:
    is_key = column in key and len(key) < count
    return is_key or column is label.column or len(column.known) == len(column.values)


def values(column: Column, is_key: bool = False) -> dict[str, Any]:
    """A JSON Schema of what is to be expected: numbers twice as far apart as they have been, but for flags; texts that
    have been; of a key anything of its type."""
    if is_key:
        return {"type": column.type, **({"format": column.format} if column.format else {})}
    if column.is_number and column.known:
        numbers = [float(value) for value in column.known]
        low, high = min(numbers), max(numbers)
        if column.type == "integer" and (low, high) == (0, 1):  # a flag
            return {"type": column.type, "minimum": 0, "maximum": 1}
        reach = high - low or abs(high) or 1.0
        minimum = 0 if low >= 0 else -_beyond(reach - low)
        return {"type": column.type, "minimum": minimum, "maximum": _beyond(high + reach)}
    if column.format:
        return {"type": "string", "format": column.format}
    if column.type == "string" and 1 < len(column.counts) <= FEW:
        return {"type": "string", "enum": sorted(column.counts)}
    return {"type": column.type}


def _beyond(bound: float) -> int | float:
    """The next number further out that has three digits."""
    step = 10.0 ** (math.floor(math.log10(abs(bound))) - 2) if bound else 1.0
    rounded = float(f"{math.ceil(round(bound / step, 6)) * step:.3g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def text(contract: Mapping[str, Any]) -> str:
    """The contract as JSON, a line a column."""
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in contract.items() if name != "columns"]
    columns = ",\n".join(f"    {json.dumps(column)}" for column in contract["columns"])
    return "\n".join(["{", *lines, '  "columns": [', columns, "  ]", "}"]) + "\n"


def example(columns: Sequence[Column], key: Sequence[Column]) -> dict[str, str]:
    """The first row that lacks as little as any."""
    rows = list(zip(*(column.values for column in columns), strict=True))
    fullest = min(rows, key=lambda row: sum(value in MISSING for value in row))
    return {column.name: value for column, value in zip(columns, fullest, strict=True)}


def broken(columns: Sequence[Column], key: Sequence[Column], label: Label) -> list[tuple[dict[str, str], str]]:
    """Changes to the example, each with what is then said of it."""
    found = []
    for column in columns:
        allowed = values(column, column in key and len(key) < len(columns))
        if is_required(column, key, label, len(columns)):
            found.append(({column.name: ""}, f"{column.name}: is missing"))
        if column.kind != "string":
            found.append(({column.name: "?"}, f"{column.name}: is no {column.kind}"))
        if "maximum" in allowed:
            more = str(int(allowed["maximum"]) + 1)
            found.append(({column.name: more}, f"{column.name}: is more than {allowed['maximum']}"))
        if "enum" in allowed:
            found.append(({column.name: "?"}, f"{column.name}: is none of {', '.join(allowed['enum'])}"))
    return found
