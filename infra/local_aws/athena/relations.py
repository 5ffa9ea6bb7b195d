"""The rows of a Glue table as a DuckDB relation over local copies of its S3 objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.athena.catalog import Catalog, Column, Table
from local_aws.athena.data_types import duckdb_type, literal, quote
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.objects import ObjectCache, S3Object

# Hive's LazySimpleSerDe makes a value that does not parse null; OpenCSVSerde fails the query.
_MACROS = {
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass
class Scan:
    """SELECT statement that yields a table's rows, and the bytes of the objects behind it."""

    sql: str
    scanned_bytes: int


class Relations:
    """Builds the scan of a table; `cursor` is a DuckDB connection."""

    def __init__(self, cursor: Any, catalog: Catalog, cache: ObjectCache) -> None:
        self.cursor = cursor
        self.catalog = catalog
        self.cache = cache

    def scan(self, table: Table, partition_filter: str | None) -> Scan:
        """The rows of `table`, of those partitions only that `partition_filter` (DuckDB SQL) lets through."""
        if table.parameters.get("projection.enabled", "").lower() == "true":
            raise unsupported(f"partition projection (table {table.name})", "register partitions: MSCK REPAIR TABLE")
        if not table.partition_keys:
            objects = self.cache.data_objects(table.location)
            return self._union(table, [self._branch(table, objects, [])], objects)
        branches, scanned = [], []
        for partition in self._partitions(table, partition_filter):
            location = partition.get("StorageDescriptor", {}).get("Location")
            if not location:
                raise QueryFailed(
                    f"HIVE_INVALID_METADATA: partition {partition['Values']} of {table.name} has no Location"
                )
            objects = self.cache.data_objects(location)
            if objects:
                branches.append(self._branch(table, objects, partition["Values"]))
                scanned += objects
        return self._union(table, branches, scanned)

    def _union(self, table: Table, branches: list[str], objects: Sequence[S3Object]) -> Scan:
        sql = " UNION ALL ".join(branches) or self._branch(table, [], [])
        return Scan(sql, sum(found.size for found in objects))

    def _partitions(self, table: Table, partition_filter: str | None) -> list[dict[str, Any]]:
        partitions = self.catalog.partitions(table.database, table.name)
        if not partition_filter or not partitions:
            return partitions
        rows = ", ".join(
            f"({index}, {', '.join(map(_partition_value, table.partition_keys, partition['Values']))})"
            for index, partition in enumerate(partitions)
        )
        names = ", ".join(quote(key.name) for key in table.partition_keys)
        kept = self.cursor.execute(
            f'SELECT "#" FROM (VALUES {rows}) AS {quote(table.name)} ("#", {names}) WHERE {partition_filter}'
        ).fetchall()
        return [partitions[index] for (index,) in sorted(kept)]

    def _branch(self, table: Table, objects: Sequence[S3Object], values: Sequence[str]) -> str:
        keys = [
            f"{_partition_value(key, value)} AS {quote(key.name)}"
            for key, value in zip(table.partition_keys, values, strict=bool(values))
        ]
        if objects:
            columns, source = self._reader(table, [str(self.cache.path(found)) for found in objects])
            return f"SELECT {', '.join([*columns, *keys])} FROM {source}"
        empty = [
            f"CAST(NULL AS {duckdb_type(c.type)}) AS {quote(c.name)}" for c in (*table.columns, *table.partition_keys)
        ]
        return f"SELECT {', '.join(empty)} WHERE false"

    def _reader(self, table: Table, paths: list[str]) -> tuple[list[str], str]:
        """(SELECT items for the data columns, FROM item) for the table's SerDe."""
        library = str(table.storage.get("SerdeInfo", {}).get("SerializationLibrary") or "")
        parameters = table.storage.get("SerdeInfo", {}).get("Parameters") or {}
        files = "[" + ", ".join(literal(path) for path in paths) + "]"
        match library.rpartition(".")[2]:
            case "ParquetHiveSerDe":
                return self._parquet(table, files)
            case "OpenCSVSerde":
                return _open_csv(table, files, parameters)
            case "LazySimpleSerDe":
                return _lazy_simple(table, files, parameters)
            case "JsonSerDe":
                return _json(table, files, parameters)
        raise unsupported(
            f"the SerDe {library or '(none)'} of table {table.database}.{table.name}",
            "use Parquet, OpenCSVSerde, LazySimpleSerDe or a JSON SerDe",
        )

    def _parquet(self, table: Table, files: str) -> tuple[list[str], str]:
        source = f"read_parquet({files}, union_by_name = true, hive_partitioning = false)"
        found = {
            str(name).lower(): (str(name), str(kind))
            for name, kind, *_ in self.cursor.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        }
        columns = []
        for column in table.columns:
            target = duckdb_type(column.type)
            name, kind = found.get(column.name, (None, ""))
            if name is None:
                columns.append(f"CAST(NULL AS {target}) AS {quote(column.name)}")
            elif (kind == "VARCHAR") != (target == "VARCHAR"):
                raise QueryFailed(
                    f"HIVE_BAD_DATA: Field {column.name}'s type {kind} in parquet file is incompatible with type "
                    f"{column.type} defined in table schema"
                )
            elif kind == target:
                columns.append(f"{quote(name)} AS {quote(column.name)}")
            else:
                columns.append(f"CAST({quote(name)} AS {target}) AS {quote(column.name)}")
        return columns, source


def _partition_value(key: Column, value: str) -> str:
    if value == NULL_PARTITION:
        return f"CAST(NULL AS {duckdb_type(key.type)})"
    return f"CAST({literal(value)} AS {duckdb_type(key.type)})"


def _csv_source(table: Table, files: str, options: dict[str, str], quoting: str) -> str:
    skip = table.parameters.get("skip.header.line.count") or options.get("skip.header.line.count") or "0"
    columns = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in table.columns)
    return (
        f"read_csv({files}, columns = {{{columns}}}, auto_detect = false, header = false, skip = {int(skip)}, "
        f"null_padding = true, strict_mode = false, max_line_size = 16777216, {quoting})"
    )


def _open_csv(table: Table, files: str, parameters: dict[str, str]) -> tuple[list[str], str]:
    delimiter, quote_character = parameters.get("separatorChar", ","), parameters.get("quoteChar", '"')
    escape = parameters.get("escapeChar", "\\")
    names = ", ".join(literal(column.name) for column in table.columns)
    source = _csv_source(
        table,
        files,
        parameters,
        f"delim = {literal(_unescaped(delimiter))}, quote = {literal(quote_character)}, "
        f"escape = {literal(_unescaped(escape))}, force_not_null = [{names}]",
    )
    columns = []
    for column in table.columns:
        name, target = quote(column.name), duckdb_type(column.type)
        if target == "VARCHAR":
            columns.append(name)
        elif target == "DATE":  # OpenCSVSerde knows dates and timestamps only as numbers since 1970
            columns.append(f"CAST(DATE '1970-01-01' + trino_cast_integer({name}) AS DATE) AS {name}")
        elif target == "TIMESTAMP":
            columns.append(f"make_timestamp(trino_cast_bigint({name}) * 1000) AS {name}")
        elif target in _MACROS:
            columns.append(f"trino_cast_{_MACROS[target]}({name}) AS {name}")
        else:
            columns.append(f"CAST({name} AS {target}) AS {name}")
    return columns, source


def _lazy_simple(table: Table, files: str, parameters: dict[str, str]) -> tuple[list[str], str]:
    delimiter = parameters.get("field.delim") or parameters.get("serialization.format") or "\x01"
    if delimiter == "1":  # serialization.format's way of saying Ctrl-A
        delimiter = "\x01"
    null = parameters.get("serialization.null.format", "\\N")
    escape = f", escape = {literal(_unescaped(parameters['escape.delim']))}" if parameters.get("escape.delim") else ""
    quoting = f"delim = {literal(_unescaped(delimiter))}, quote = '', nullstr = {literal(null)}{escape}"
    columns = []
    for column in table.columns:
        name, target = quote(column.name), duckdb_type(column.type)
        if target == "VARCHAR":
            columns.append(name)
        elif target in _MACROS:
            columns.append(f"trino_try_cast_{_MACROS[target]}({name}) AS {name}")
        elif target.startswith("DECIMAL"):
            columns.append(f"TRY_CAST({name} AS {target}) AS {name}")
        else:
            raise unsupported(f"type {column.type} in the text table {table.name}", "use Parquet or JSON for it")
    return columns, _csv_source(table, files, parameters, quoting)


def _json(table: Table, files: str, parameters: dict[str, str]) -> tuple[list[str], str]:
    lenient = parameters.get("ignore.malformed.json", "").lower() == "true"
    keys = {column.name: parameters.get(f"mapping.{column.name}", column.name) for column in table.columns}
    columns = ", ".join(f"{literal(keys[c.name])}: {literal(duckdb_type(c.type))}" for c in table.columns)
    source = (
        f"read_json({files}, format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = {lenient}, "
        "maximum_object_size = 67108864)"
    )
    return [f"{quote(keys[c.name])} AS {quote(c.name)}" for c in table.columns], source


def _unescaped(character: str) -> str:
    return {"\\t": "\t", "\\001": "\x01", "\\u0001": "\x01", "\\\\": "\\"}.get(character, character)
