"""What is to be predicted, by which rows are told apart, and when they are of: as told, or as the file suggests."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from laptop.services import ServiceError
from scaffold.columns import FEW, Column, moment
from silverline import months
from silverline.bronze import YEARS

YES = ("yes", "y", "true", "t", "1", "positive")


@dataclass(frozen=True)
class Label:
    """What is to be predicted: its name, SQL that says it, and the column that it comes from."""

    name: str
    sql: str
    column: Column


def named(columns: Sequence[Column], variable: str, text: str | None) -> list[Column]:
    return [_one(columns, variable, name) for name in (text or "").split(",") if name]


def _one(columns: Sequence[Column], variable: str, name: str) -> Column:
    for column in columns:
        if name.strip() in (column.header, column.name):
            return column
    raise ServiceError(
        f"{variable}={name}: the file has no such column, only {', '.join(one.header for one in columns)}"
    )


def time(columns: Sequence[Column], text: str | None, console: Console) -> Column | None:
    """The column that says when a row is of: the one that is told, else the only date that no row lacks."""
    if text == "none":
        return None
    if text:
        column = _one(columns, "TIME", text)
        if column.format is None:
            example = next((value for value in column.known if moment(value) is None), "")
            raise ServiceError(f"TIME={text}: {example!r} is no date or time in ISO 8601, as 2026-11-30 is")
        found = [column]
    else:
        found = [column for column in columns if column.format and len(column.known) == len(column.values)]
    if len(found) > 1:
        raise ServiceError(
            f"which of {', '.join(column.header for column in found)} says when a row is of? Say TIME=<column>, or "
            "TIME=none where rows of the past tell nothing of later ones"
        )
    if not found:
        return None
    column = found[0]
    if lacking := len(column.values) - len(column.known):
        raise ServiceError(f"TIME={column.header} is missing in {lacking} rows, which would be of no month")
    there = {value[:7].replace("/", "-") for value in column.known}
    if len(there) < 3:
        console.print(f"{column.header} has {len(there)} month(s), a split by time takes three: it isn't used as time")
        return None
    if gaps := [month for month in months.between(min(there), max(there)) if month not in there]:
        raise ServiceError(
            f"{column.header} has no row of {', '.join(gaps[:3])}, and a split by time takes every month: fill it, or "
            "say TIME=none to split rows by their keys"
        )
    first, last = str(YEARS[0]), str(datetime.now(UTC).year + YEARS[1])
    if not (first <= min(there)[:4] and max(there)[:4] <= last):
        raise ServiceError(
            f"{column.header} goes from {min(there)} to {max(there)}: bronze has months of the years {first} to "
            f"{last}; say TIME=none"
        )
    return column


def key(columns: Sequence[Column]) -> list[Column]:
    """The column that tells one row from another, an identifier's name first; without any, all of them."""
    rows = len(columns[0].values)
    unique = [one for one in columns if len(set(one.known)) == rows and one.type != "number"]
    named = [one for one in unique if re.search(r"(^|_)(id|key|code|number|no|uuid)$", one.name)]
    return (named or unique)[:1] or list(columns)


def label(columns: Sequence[Column], text: str | None, taken: set[str]) -> Label:
    """What is to be predicted, as LABEL says it: a column of two values, `column=value`, or `column>number`."""
    if text is None:
        return _label_of(_candidate(columns, taken))
    if match := re.fullmatch(r"(.+?)\s*(=|>)\s*(.+)", text):
        column, value = _one(columns, "LABEL", match[1]), match[3].strip()
        if match[2] == "=":
            if value not in column.counts:
                raise ServiceError(f"LABEL={text}: {column.header} has no {value!r}, only {_shown(column)}")
            return _is(column, value)
        if not column.is_number or not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise ServiceError(f"LABEL={text}: only numbers can be more than a number")
        above = re.sub(r"\W+", "_", value)
        return Label(f"is_{column.name}_above_{above}".replace("__", "_minus_"), f"{column.name} > {value}", column)
    return _label_of(_one(columns, "LABEL", text))


def _candidate(columns: Sequence[Column], taken: set[str]) -> Column:
    """The only column of two values, or the last one where that is one of them."""
    found = [column for column in columns if len(column.counts) == 2 and column.name not in taken]
    if len(found) == 1 or (found and found[-1] is columns[-1]):
        return found[-1]
    of_two = f"{', '.join(column.header for column in found)} have two values" if found else "no column has two values"
    raise ServiceError(
        f"what is to be predicted? {of_two}: say LABEL=column, LABEL=column=value or LABEL='column>number'"
    )


def _label_of(column: Column) -> Label:
    values = column.counts
    if len(values) != 2:
        raise ServiceError(
            f"LABEL={column.header} has {len(values)} values ({_shown(column)}), and a yes or no takes two: say "
            f"LABEL={column.header}=value" + (f" or LABEL='{column.header}>number'" if column.is_number else "")
        )
    yes = [value for value in values if value.lower() in YES]
    return _is(column, yes[0] if len(yes) == 1 else min(values, key=lambda value: (values[value], value)))


def _is(column: Column, value: str) -> Label:
    """The label that is true where the column has that value."""
    plain = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    name = column.name if value.lower() in YES else plain or column.name
    name = name if re.match(r"(is|has|was)_", name) else f"is_{name}"
    if column.type == "boolean":
        sql = column.name if value.lower() == "true" else f"not {column.name}"
    else:
        literal = value if column.is_number else "'" + value.replace("'", "''") + "'"
        sql = f"{column.name} = {literal}"
    # A feature may be called so already.
    return Label(f"{name}_label" if name == column.name and column.type != "boolean" else name, sql, column)


def _shown(column: Column) -> str:
    found = [value for value, _ in column.counts.most_common(FEW)]
    return ", ".join(found) + (", ..." if len(column.counts) > FEW else "")
