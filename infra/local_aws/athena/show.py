"""What SHOW and DESCRIBE say about the catalog."""

import re
from typing import Any

from local_aws.athena import statements
from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.failures import QueryFailed

Lines = tuple[list[str], list[tuple[str, str]]]  # of a result, and the names and types of its columns


class CatalogView:
    """The catalog as a query names it: what it says without a database is in `database`."""

    def __init__(self, catalog: Catalog, database: str) -> None:
        self.catalog = catalog
        self.database = database

    def table(self, name: str) -> Table:
        """The table or view of that name; QueryFailed where there is none."""
        *before, table = (part.strip('`"').lower() for part in name.split("."))
        database = before[-1] if before else self.database
        self.need_database(database)
        description = self.catalog.table(database, table)
        if description is None:
            raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{table}")
        return Table(database, description)

    def need_database(self, database: str) -> None:
        """QueryFailed where the database does not exist."""
        if not self.catalog.has_database(database):
            raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}")

    def show(self, statement: statements.Show) -> Lines:
        """The lines that a SHOW or DESCRIBE answers with."""
        what, name, pattern = statement.what, statement.name, statement.pattern
        if what == "DATABASES":
            return _matching(self.catalog.databases(), pattern), [("database_name", "string")]
        if what in ("TABLES", "VIEWS"):
            database = name.strip('`"').lower() if name else self.database
            self.need_database(database)
            names = self.catalog.tables(database)
            if what == "VIEWS":
                names = [n for n in names if (self.catalog.table(database, n) or {}).get("TableType") == "VIRTUAL_VIEW"]
            return _matching(names, pattern), [("tab_name" if what == "TABLES" else "views", "string")]
        table = self.table(str(name))
        if what == "PARTITIONS":
            names = [key.name for key in table.partition_keys]
            if not names:
                raise QueryFailed(
                    f"FAILED: SemanticException [Error 10241]: Table {table.name} is not a partitioned table"
                )
            found = self.catalog.partitions(table.database, table.name)
            return sorted(partition_name(names, p["Values"]) for p in found), [("partition", "string")]
        if what == "COLUMNS":
            return [f"{column:<20}" for column in table.column_names()], [("field", "string")]
        if what == "TBLPROPERTIES":
            properties = {k: v for k, v in table.parameters.items() if pattern in (None, k)}
            return [f"{k}\t{v}" for k, v in properties.items()], [("prpt_name", "string"), ("prpt_value", "string")]
        if what == "DESCRIBE":
            return _describe(table), [("col_name", "string"), ("data_type", "string"), ("comment", "string")]
        if table.is_view != (what == "CREATE VIEW"):
            raise QueryFailed(f"FAILED: SemanticException: {table.name} is {'' if table.is_view else 'not '}a view")
        lines = (
            [f"CREATE VIEW {table.name} AS", *table.view["originalSql"].split("\n")]
            if table.is_view
            else _create_table(table)
        )
        return lines, [("createtab_stmt" if what == "CREATE TABLE" else "Create View", "string")]


def partition_name(names: list[str], values: list[str] | tuple[str, ...]) -> str:
    """year=2013/month=01, as paths and SHOW PARTITIONS have it."""
    return "/".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def _matching(names: list[str], pattern: str | None) -> list[str]:
    expression = "|".join(part.replace("*", ".*") for part in pattern.split("|")) if pattern else ".*"
    return sorted(name for name in names if re.fullmatch(expression, name, re.I))


def _describe(table: Table) -> list[str]:
    lines = [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in (*table.columns, *table.partition_keys)]
    if table.partition_keys:
        lines += [
            "\t \t ",
            "# Partition Information\t \t ",
            f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}",
            "\t \t ",
        ]
        lines += [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in table.partition_keys]
    return lines


def _create_table(table: Table) -> list[str]:
    def columns(found: list[Any]) -> list[str]:
        last = len(found) - 1
        return [
            f"  `{c.name}` {c.type}" + (f" COMMENT '{c.comment}'" if c.comment else "") + (")" if i == last else ", ")
            for i, c in enumerate(found)
        ]

    serde = table.storage.get("SerdeInfo", {})
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *columns(table.columns)]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *columns(table.partition_keys)]
    if table.storage.get("BucketColumns"):
        names = ", \n  ".join(table.storage["BucketColumns"])
        lines += ["CLUSTERED BY ( ", f"  {names}) ", f"INTO {table.storage['NumberOfBuckets']} BUCKETS"]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary')}' "]
    if serde.get("Parameters"):
        lines += [
            "WITH SERDEPROPERTIES ( ",
            ", \n".join(f"  '{k}'='{v}'" for k, v in serde["Parameters"].items()) + ") ",
        ]
    lines += ["STORED AS INPUTFORMAT ", f"  '{table.storage.get('InputFormat')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{table.storage.get('OutputFormat')}'", "LOCATION", f"  '{table.location}'"]
    lines += ["TBLPROPERTIES (", ", \n".join(f"  '{k}'='{v}'" for k, v in table.parameters.items()) + ")"]
    return "\n".join(lines).split("\n")
