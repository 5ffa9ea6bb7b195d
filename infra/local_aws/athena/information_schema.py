"""The Glue catalog as SQL: information_schema.schemata, .tables and .columns."""

import re

from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.data_types import literal, quote, split_top_level
from local_aws.athena.failures import unsupported

_CATALOG = "awsdatacatalog"
_COLUMNS = {
    "schemata": ["catalog_name", "schema_name"],
    "tables": ["table_catalog", "table_schema", "table_name", "table_type"],
    "columns": [
        *("table_catalog", "table_schema", "table_name", "column_name", "ordinal_position"),
        *("column_default", "is_nullable", "data_type"),
    ],
}
_TRINO = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary", "timestamp": "timestamp(3)"}


def select(catalog: Catalog, name: str) -> str:
    """DuckDB SQL for the rows of information_schema.`name`."""
    if name not in _COLUMNS:
        raise unsupported(f"information_schema.{name}", f"use information_schema.{', .'.join(_COLUMNS)}")
    rows: list[list[str | int | None]] = []
    for database in sorted(catalog.databases()):
        if name == "schemata":
            rows.append([_CATALOG, database])
            continue
        for table_name in sorted(catalog.tables(database)):
            description = catalog.table(database, table_name)
            if description is None:  # deleted since the names were listed
                continue
            table = Table(database, description)
            if name == "tables":
                rows.append([_CATALOG, database, table.name, "VIEW" if table.is_view else "BASE TABLE"])
                continue
            for place, column in enumerate((*table.columns, *table.partition_keys), 1):
                kind = trino_type_text(column.type)
                rows.append([_CATALOG, database, table.name, column.name, place, None, "YES", kind])
    columns = _COLUMNS[name]
    values = ", ".join(f"({', '.join(map(_value, row))})" for row in rows or [[None] * len(columns)])
    typed = ", ".join(
        f"cast({quote(column)} as {'bigint' if column == 'ordinal_position' else 'varchar'}) as {column}"
        for column in columns
    )
    return f"SELECT {typed} FROM (VALUES {values}) AS t({', '.join(columns)}) WHERE {columns[0]} IS NOT NULL"


def trino_type_text(hive: str) -> str:
    """Trino's full name of a Glue column type: array(varchar) of array<string>."""
    name = hive.strip().lower()
    if found := re.fullmatch(r"(array|map)<(.*)>", name):
        return f"{found[1]}({', '.join(trino_type_text(part) for part in split_top_level(found[2]))})"
    if found := re.fullmatch(r"struct<(.*)>", name):
        fields = [part.split(":", 1) for part in split_top_level(found[1])]
        return f"row({', '.join(f'{field.strip()} {trino_type_text(kind)}' for field, kind in fields)})"
    return _TRINO.get(name, name)


def _value(value: str | int | None) -> str:
    return "NULL" if value is None else literal(value) if isinstance(value, str) else str(value)
