"""Which months a run computes, and which ones train, validate and test: pure functions of 'yyyy-mm' strings."""

import hashlib
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import date

from silverline.spec import SplitBy

MONTH = r"\d{4}-(0[1-9]|1[0-2])"
"""What a month looks like as text."""
Inventory = Mapping[str, Mapping[str, str]]
"""Of each month the bronze tables that have files for it, and a hash of these files."""


def previous(month: str, count: int = 1) -> str:
    """The month `count` months before `month`."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 - count, 12)
    return f"{year:04}-{number + 1:02}"


def between(first: str, last: str) -> list[str]:
    """All months from `first` to `last`, both included; empty where `last` comes first."""
    months = []
    while last >= first:
        months.append(last)
        last = previous(last)
    return months[::-1]


def choose_as_of(as_of: str | None, inventory: Inventory, tables: Collection[str]) -> str:
    """The test month: `as_of`, or the newest that every table has; ValueError where there is none."""
    if not inventory:
        raise ValueError(
            f"there is nothing yet of {', '.join(map(_called, tables))}: put raw files into bronze (`make run` loads "
            "the demo data), and let the pipelines run first whose silver tables these are"
        )
    if as_of is None:
        complete = [month for month, files in inventory.items() if files.keys() >= set(tables)]
        if not complete:
            raise ValueError(f"there is no month of all of {', '.join(map(_called, tables))}")
        return max(complete)
    date.fromisoformat(f"{as_of}-01")
    if as_of not in inventory:
        raise ValueError(f"there is nothing for as_of={as_of}; there is {min(inventory)} to {max(inventory)}")
    return as_of


def missing(
    inventory: Inventory, published: Iterable[str], tables: Iterable[str], as_of: str, split_by: SplitBy = "month"
) -> list[str]:
    """What is lacking, in words: every table needs something for every month from the first known one to `as_of`, or,
    where months mean nothing, for every one of which there is something.

    A month that silver has and its sources haven't, whenever it is, was lost: bronze is never rewritten.
    """
    published = set(published)
    known = {*inventory, *published}
    needed = published | set(counted(min(known), as_of, known, split_by))
    return [
        f"{_called(table)} has nothing for {month}" + (" any more, though silver has that month" * (month in published))
        for month in sorted(needed)
        for table in tables
        if table not in inventory.get(month, {})
    ]


def fingerprint(month: str, inventory: Inventory, references: Mapping[str, str], sql_digest: str) -> str:
    """A hash of all that a silver month is made of: its files, those of the month before (features look back), the
    reference tables and the SQL. The same hash means that there is nothing to compute."""
    sources = [sorted(inventory.get(source, {}).items()) for source in (month, previous(month))]
    return hashlib.sha256(repr((sources, sorted(references.items()), sql_digest)).encode()).hexdigest()


def counted(first: str, last: str, known: Container[str], split_by: SplitBy) -> list[str]:
    """The months from `first` to `last` that count: all, or, where months mean nothing, those that are `known`."""
    return [month for month in between(first, last) if split_by == "month" or month in known]


def splits(first: str, as_of: str, test_months: int, split_by: SplitBy = "month") -> dict[str, tuple[str, str]]:
    """First and last month of train, validation and test, by time, or all of them where rows are split by their keys;
    ValueError where no month is left to train on."""
    if split_by == "key":
        return dict.fromkeys(("train", "validation", "test"), (first, as_of))
    validation = previous(as_of, test_months)
    last_train = previous(validation)
    if first > last_train:
        raise ValueError(
            f"as_of={as_of} with test_months={test_months} leaves no month to train on: validation would be "
            f"{validation}, and the data starts in {first}; at least {test_months + 2} months are needed"
        )
    return {
        "train": (first, last_train),
        "validation": (validation, validation),
        "test": (previous(as_of, test_months - 1), as_of),
    }


def _called(table: str) -> str:
    """How people know a source: silver's has its pipeline before it already."""
    return table if "." in table else f"bronze.{table}"
