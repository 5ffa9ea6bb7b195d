"""Partition projection: partitions that follow from a table's properties, and are registered nowhere."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]

from local_aws.athena.catalog import Table
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.java_time import strftime_pattern
from local_aws.athena.objects import folder

MAX_PARTITIONS = 1_000_000
_NOW = re.compile(r"NOW(?:([+-])(\d+)(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", re.I)


@dataclass(frozen=True)
class Projection:
    """`projection.<column>.*` of one partition key."""

    table: str
    column: str
    properties: dict[str, str]

    def values(self, wanted: Sequence[str] | None) -> list[str]:
        """The key's values, only those in `wanted` where the query names the ones it reads."""
        match self._property("type").lower():
            case "injected":
                if wanted is None:
                    raise QueryFailed(
                        f"CONSTRAINT_VIOLATION: For the injected projected partition column {self.column}, the WHERE "
                        "clause must contain only static equality conditions, and at least one such condition must be "
                        "present."
                    )
                return list(dict.fromkeys(wanted))
            case "enum":
                found: Iterator[str] = (value.strip() for value in self._property("values").split(","))
            case "integer":
                found = self._integers()
            case "date":
                found = self._dates()
            case other:
                raise self._invalid("type", f"'{other}' is not one of enum, integer, date, injected")
        return [value for value in _bounded(found, self.column) if wanted is None or value in wanted]

    def _integers(self) -> Iterator[str]:
        try:
            low, high = map(int, self._bounds())
            step, digits = int(self.properties.get("interval", 1)), int(self.properties.get("digits", 0))
        except ValueError as error:
            raise self._invalid("range", str(error)) from error
        if step < 1:
            raise self._invalid("interval", "it must be at least 1")
        return (str(number).zfill(digits) for number in range(low, high + 1, step))

    def _dates(self) -> Iterator[str]:
        pattern = strftime_pattern(self._property("format")).replace("%g", "%f")
        now = datetime.now(UTC).replace(tzinfo=None)
        low, high = (self._moment(bound, pattern, now) for bound in self._bounds())
        each = self._step(pattern)
        # NOW stands for the value it is formatted as.
        moment = datetime.strptime(low.strftime(pattern), pattern.replace("%-", "%"))
        while moment <= high:
            yield moment.strftime(pattern)
            moment += each

    def _step(self, pattern: str) -> relativedelta:
        default = "days" if re.search("%-?[dj]", pattern) else "months" if re.search("%-?[mbB]", pattern) else None
        if default is None or re.search("%-?[SMHIfp]", pattern):
            unit, count = self._property("interval.unit"), self._property("interval")
        else:
            unit, count = self.properties.get("interval.unit", default), self.properties.get("interval", "1")
        unit = unit.lower().rstrip("s") + "s"
        if unit not in ("years", "months", "weeks", "days", "hours", "minutes", "seconds"):
            raise self._invalid("interval.unit", f"'{unit}' is no unit of time")
        if not count.isdecimal() or int(count) < 1:
            raise self._invalid("interval", f"'{count}' is no number from 1 on")
        return relativedelta(**{unit: int(count)})

    def _moment(self, text: str, pattern: str, now: datetime) -> datetime:
        if found := _NOW.fullmatch(re.sub(r"\s", "", text)):
            if not found[1]:
                return now
            shifted: datetime = now + relativedelta(**{f"{found[3].lower()}s": int(found[1] + found[2])})
            return shifted
        try:
            return datetime.strptime(text.strip(), pattern.replace("%-", "%"))
        except ValueError as error:
            raise self._invalid("range", f"{error}") from error

    def _bounds(self) -> list[str]:
        bounds = self._property("range").split(",")
        if len(bounds) != 2:
            raise self._invalid("range", "it must be two values with a comma between them")
        return bounds

    def _property(self, name: str) -> str:
        if name not in self.properties:
            raise self._invalid(name, "it is missing")
        return self.properties[name]

    def _invalid(self, name: str, why: str) -> QueryFailed:
        return QueryFailed(
            f"INVALID_TABLE_PROPERTY: Column projection for column '{self.column}' of table {self.table} failed. "
            f"Property 'projection.{self.column}.{name}': {why}"
        )


def is_projected(table: Table) -> bool:
    """Whether the table's partitions are projected; those that Glue has of it then do not count."""
    return table.parameters.get("projection.enabled", "").lower() == "true" and bool(table.partition_keys)


def projected_partitions(table: Table, wanted: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The table's partitions, as Glue would describe them; of a key in `wanted` only with those values."""
    names = [key.name for key in table.partition_keys]
    projections = [_projection(table, name) for name in names]
    missing = [projection.column for projection in projections if not projection.properties]
    if missing:
        raise QueryFailed(
            f"INVALID_TABLE_PROPERTY: Table {table.database}.{table.name} is configured for partition projection, but "
            f"the following partition columns are missing projection configuration: [{', '.join(missing)}]"
        )
    values = [projection.values(wanted.get(projection.column)) for projection in projections]
    template = table.parameters.get("storage.location.template") or folder(table.location) + "".join(
        f"{name}=${{{name}}}/" for name in names
    )
    found = []
    for combination in _bounded(product(*values), table.name):
        location = template
        for name, value in zip(names, combination, strict=True):
            location = location.replace(f"${{{name}}}", value)
        found.append({"Values": list(combination), "StorageDescriptor": {"Location": location}})
    return found


def _projection(table: Table, column: str) -> Projection:
    prefix = f"projection.{column}."
    own = {name[len(prefix) :]: v for name, v in table.parameters.items() if name.lower().startswith(prefix)}
    return Projection(table.name, column, own)


def _bounded[Item](items: Iterable[Item], what: str) -> Iterator[Item]:
    for index, item in enumerate(items):
        if index >= MAX_PARTITIONS:
            raise unsupported(f"more than {MAX_PARTITIONS} projected partitions ({what})", "filter by a partition key")
        yield item
