"""The Glue Data Catalog as the engine sees it."""

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol


class Catalog(Protocol):
    """What the engine needs of Glue; tables and partitions are Glue's own TableInput and PartitionInput."""

    def databases(self) -> list[str]: ...

    def has_database(self, name: str) -> bool: ...

    def create_database(self, name: str, database_input: dict[str, Any]) -> None: ...

    def delete_database(self, name: str) -> None: ...

    def tables(self, database: str) -> list[str]: ...

    def table(self, database: str, name: str) -> dict[str, Any] | None: ...

    def create_table(self, database: str, table_input: dict[str, Any]) -> None: ...

    def update_table(self, database: str, table_input: dict[str, Any]) -> None: ...

    def delete_table(self, database: str, name: str) -> None: ...

    def partitions(self, database: str, table: str) -> list[dict[str, Any]]: ...

    def put_partition(self, database: str, table: str, partition_input: dict[str, Any]) -> None:
        """Create the partition, or replace the one of the same values."""

    def delete_partition(self, database: str, table: str, values: list[str]) -> None: ...


# Columns that every table has, and that * leaves out.
HIDDEN_COLUMNS = {"$path": "string", "$file_size": "bigint"}


@dataclass(frozen=True)
class Column:
    """A column of a Glue table, with its type in Hive's words."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class Table:
    """A Glue table, read from its description."""

    database: str
    description: dict[str, Any]
    hidden: tuple[str, ...] = ()  # those of HIDDEN_COLUMNS that a query uses

    def with_hidden(self, names: list[str]) -> "Table":
        """This table, also with the hidden columns `names`."""
        return Table(self.database, self.description, tuple(names))

    @property
    def name(self) -> str:
        return str(self.description["Name"])

    @cached_property
    def storage(self) -> dict[str, Any]:
        return self.description.get("StorageDescriptor") or {}

    @cached_property
    def columns(self) -> list[Column]:
        return _columns(self.storage.get("Columns"))

    @cached_property
    def partition_keys(self) -> list[Column]:
        return _columns(self.description.get("PartitionKeys"))

    @property
    def location(self) -> str:
        return str(self.storage.get("Location") or "")

    @property
    def parameters(self) -> dict[str, str]:
        return self.description.get("Parameters") or {}

    @property
    def is_view(self) -> bool:
        return self.description.get("TableType") == "VIRTUAL_VIEW"

    @cached_property
    def view(self) -> dict[str, Any]:
        """Athena's own record of a view: `originalSql`, and the `schema` its table names are resolved in."""
        text = str(self.description["ViewOriginalText"]).removeprefix("/* Presto View: ").removesuffix(" */")
        return dict(json.loads(base64.b64decode(text)))

    def column_names(self) -> list[str]:
        return [column.name for column in (*self.columns, *self.partition_keys)]


def view_text(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """ViewOriginalText for Glue, as Athena writes it."""
    record = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(record).encode()).decode()} */"


def _columns(found: list[dict[str, Any]] | None) -> list[Column]:
    return [Column(c["Name"].lower(), c.get("Type", "string"), c.get("Comment") or "") for c in found or []]
