"""Data contracts: what the files of a bronze table have to be, glue_like_sql/<pipeline>/bronze/<table>.json.

A column's `values` is a JSON Schema of what may stand in it (https://json-schema.org). contract.sql makes SQL of it,
which says what breaks it, for pipelines whose staging imports it; flight_delay's has more to say, by hand, and takes
the bounds from it.
infra/laptop/contract.py checks a file by it before it is delivered. A key tells the rows of a month's files apart.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Beside this package, because MWAA carries nothing but the dags/ folder; in the repository it is a link.
SQL_FOLDER = Path(__file__).parents[1] / "glue_like_sql"
MISSING = ("", "NA")
"""What stands in a file for a value that isn't known."""


def read(table: str) -> dict[str, Any]:
    """The contract of the bronze table, whichever pipeline has it; FileNotFoundError where none has."""
    contract: dict[str, Any] = json.loads(path_of(table).read_text())
    return contract


def path_of(table: str) -> Path:
    """Where the contract of the bronze table is; FileNotFoundError where no pipeline has one."""
    found = sorted(SQL_FOLDER.glob(f"*/bronze/{table}.json"))
    if not found:
        raise FileNotFoundError(f"bronze.{table} has no contract: glue_like_sql/<pipeline>/bronze/{table}.json")
    if len(found) > 1:
        raise ValueError(f"bronze.{table} has {len(found)} contracts, and is one table: {', '.join(map(str, found))}")
    return found[0]


def header(contract: Mapping[str, Any]) -> list[str]:
    """The names that the first line of a CSV file has to have, in this order."""
    return [column.get("header", column["name"]) for column in contract["columns"]]


def broken_header(contract: Mapping[str, Any], line: str) -> str | None:
    """What is wrong with the first line of a CSV file, in words; None where it is as the contract has it.

    Athena takes a CSV file's columns by their places: one more or less, and all that follow are another's.
    """
    found, wanted = next(csv.reader([line.strip("\ufeff\r\n")]), []), header(contract)
    if found == wanted:
        return None
    lacking, unknown = _but(wanted, found), _but(found, wanted)
    said = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has {', '.join(unknown)}, which is new"] * bool(unknown)
    return " and ".join(said) or f"has its columns in another order: {', '.join(found)}"


def _but(names: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name not in known]
