"""Writes the rows of a query as a table: CREATE TABLE AS, INSERT INTO, UNLOAD."""

import re
import shutil
import urllib.parse
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from local_aws.athena import orc, statements
from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.data_types import duckdb_type, hive_type, literal, quote
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.objects import Encryption, ObjectCache, folder, split_uri
from local_aws.athena.results import ResultColumn, as_text
from local_aws.athena.storage import storage_descriptor

MAX_PARTITIONS = 100
_COMPRESSIONS = {
    "PARQUET": {
        "SNAPPY": "snappy",
        "GZIP": "gzip",
        "ZSTD": "zstd",
        "LZ4": "lz4_raw",
        "NONE": "uncompressed",
        "": "gzip",
    },
    "ORC": {
        "SNAPPY": "snappy",
        "ZLIB": "zlib",
        "GZIP": "zlib",
        "ZSTD": "zstd",
        "LZ4": "lz4",
        "NONE": "uncompressed",
        "": "zlib",
    },
    "JSON": {"GZIP": "gzip", "NONE": "none", "": "gzip"},
    "TEXTFILE": {"GZIP": "gzip", "NONE": "none", "": "gzip"},
}


@dataclass(frozen=True)
class Written:
    """What a write left behind: row count, objects, and each partition's values with its location."""

    rows: int
    uris: list[str]
    partitions: dict[tuple[str, ...], str]


class TableWriter:
    """Writes for one query on its DuckDB connection; object names carry the query's id."""

    def __init__(
        self,
        connection: Any,
        catalog: Catalog,
        cache: ObjectCache,
        scratch: Path,
        query_id: str,
        encryption: Encryption,
    ) -> None:
        self.connection = connection
        self.catalog = catalog
        self.cache = cache
        self.scratch = scratch
        self.query_id = query_id
        self.encryption = encryption

    def may_create(self, database: str, name: str, if_not_exists: bool) -> bool:
        """Whether the table is still to be made; QueryFailed where it must not exist, or its database does not."""
        if database not in self.catalog.databases():
            raise QueryFailed(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
        if self.catalog.table(database, name) is None:
            return True
        if if_not_exists:
            return False
        raise QueryFailed(f"TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists")

    def create_table_as(
        self,
        database: str,
        name: str,
        statement: statements.CreateTableAs,
        sql: str,
        columns: list[ResultColumn],
        default: str,
    ) -> Written:
        """Write `sql`'s rows and make the Glue table over them; where anything fails, neither is left."""
        properties = statement.properties
        _refuse_unknown(properties, "CREATE TABLE")
        keys = _partition_keys(columns, properties.get("partitioned_by"), "CREATE TABLE")
        hive = _hive_columns(columns)
        location = folder(str(properties.get("external_location") or properties.get("location") or default))
        if self.cache.store.list(*split_uri(location)):
            raise QueryFailed(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{database}.{name}' already exists: {location}. "
                "You may need to manually clean the data at this location before retrying."
            )
        file_format = str(properties.get("format") or "PARQUET").upper()
        written = Written(0, [], {})
        if statement.with_data:
            written = self._write(sql, columns, keys, location, file_format, properties)
        try:
            descriptor = storage_descriptor(file_format, location, str(properties.get("field_delimiter") or "\x01"))
            descriptor["Columns"] = [{"Name": n, "Type": t} for n, t in hive if n not in keys]
            self.catalog.create_table(
                database,
                {
                    "Name": name,
                    "Owner": "hadoop",
                    "TableType": "EXTERNAL_TABLE",
                    "Retention": 0,
                    "StorageDescriptor": descriptor,
                    "PartitionKeys": [{"Name": n, "Type": t} for n, t in hive if n in keys],
                    "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "presto_query_id": self.query_id},
                },
            )
            self._register(Table(database, self.catalog.table(database, name) or {}), written)
        except Exception:
            self._remove(written.uris)
            raise
        return written

    def insert(self, table: Table, names: list[str], sql: str, columns: list[ResultColumn]) -> Written:
        """Add `sql`'s rows to `table`, whose types they must have; new partitions are registered."""
        if table.is_view:
            raise QueryFailed(f"NOT_SUPPORTED: Inserting into views is not supported: {table.database}.{table.name}")
        declared = {column.name: duckdb_type(column.type) for column in (*table.columns, *table.partition_keys)}
        targets = [name.lower() for name in names] or list(declared)
        unknown = [name for name in targets if name not in declared]
        if unknown:
            raise QueryFailed(
                f"COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: {unknown[0]}"
            )
        given = [str(column.type) for column in columns]
        wanted = [declared[name] for name in targets]
        if len(given) != len(wanted) or not all(map(_may_store, given, wanted)):
            raise QueryFailed(
                "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: "
                f"Table: [{', '.join(wanted).lower()}], Query: [{', '.join(given).lower()}]"
            )
        places = {name: f"c{index}" for index, name in enumerate(targets)}
        ordered = ", ".join(
            f"CAST({places.get(name, 'NULL')} AS {kind}) AS c{index}"
            for index, (name, kind) in enumerate(declared.items())
        )
        stored = [ResultColumn(name, duckdb.sqltype(kind)) for name, kind in declared.items()]
        keys = [key.name for key in table.partition_keys]
        written = self._write(
            f"SELECT {ordered} FROM ({sql})",
            stored,
            keys,
            folder(table.location),
            _format_of(table),
            {"write_compression": ""},
        )
        self._register(table, written)
        return written

    def unload(self, statement: statements.Unload, sql: str, columns: list[ResultColumn]) -> Written:
        """Write `sql`'s rows below the location, which must be empty."""
        options = statement.options
        _refuse_unknown(options, "UNLOAD")
        if "format" not in options:
            raise QueryFailed("line 1:1: UNLOAD needs WITH (format = 'PARQUET' | 'ORC' | 'TEXTFILE' | 'JSON')")
        location = folder(statement.location)
        if self.cache.store.list(*split_uri(location)):
            raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory for UNLOAD already exists: {location}")
        keys = _partition_keys(columns, options.get("partitioned_by"), "UNLOAD")
        _hive_columns(columns)
        return self._write(sql, columns, keys, location, str(options["format"]).upper(), options)

    def _write(
        self,
        sql: str,
        columns: list[ResultColumn],
        keys: list[str],
        location: str,
        file_format: str,
        options: dict[str, str | list[str]],
    ) -> Written:
        directory = self.scratch / uuid.uuid4().hex
        directory.mkdir()
        try:
            rows, files = self._copy(sql, columns, keys, directory, file_format, options)
            return self._upload(rows, files, directory, keys, location)
        finally:
            shutil.rmtree(directory)

    def _copy(
        self,
        sql: str,
        columns: list[ResultColumn],
        keys: list[str],
        directory: Path,
        file_format: str,
        options: dict[str, str | list[str]],
    ) -> tuple[int, list[Path]]:
        """(row count, files that hold rows) of what DuckDB writes below `directory`."""
        text = file_format == "TEXTFILE"
        items = ", ".join(
            f"{as_text(f'c{i}', c.type) if text and c.name not in keys else f'c{i}'} AS {quote(c.name)}"
            for i, c in enumerate(columns)
        )
        how = _copy_options(file_format, options)
        target = directory if keys else directory / ("data.gz" if "COMPRESSION gzip, FILE" in how else "data")
        if keys:
            how += f", PARTITION_BY ({', '.join(quote(key) for key in keys)})"
            sql = self._limited(sql, columns, keys)
        copy = f"COPY (SELECT {items} FROM ({sql})) TO {literal(str(target))}"
        if file_format in ("PARQUET", "ORC"):
            written = self.connection.execute(f"{copy} ({how}, RETURN_STATS true)").fetchall()
            files = [Path(row[0]) for row in written if row[1]]
            for path in files if file_format == "ORC" else ():
                orc.replace_parquet(path, _codec(file_format, options))
            return sum(row[1] for row in written), files
        (rows,) = self.connection.execute(f"{copy} ({how})").fetchone()
        return rows, sorted(path for path in directory.rglob("*") if path.is_file()) if rows else []

    def _limited(self, sql: str, columns: list[ResultColumn], keys: list[str]) -> str:
        """`sql` materialised, after a check that it makes no more partitions than Athena can write at once."""
        name = quote(f"rows {uuid.uuid4().hex}")
        self.connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        places = ", ".join(f"c{i}" for i, column in enumerate(columns) if column.name in keys)
        (count,) = self.connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {places} FROM {name})").fetchone()
        if count > MAX_PARTITIONS:
            raise QueryFailed(
                f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MAX_PARTITIONS} open writers for partitions/buckets"
            )
        return f"SELECT * FROM {name}"

    def _upload(self, rows: int, files: list[Path], directory: Path, keys: list[str], location: str) -> Written:
        bucket, prefix = split_uri(location)
        uris: list[str] = []
        partitions: dict[tuple[str, ...], str] = {}
        try:
            for path in files:
                parts = path.relative_to(directory).parent.as_posix() if keys else ""
                below = f"{prefix}{parts}/" if parts else prefix
                key = f"{below}{self.query_id}_{uuid.uuid4()}{path.suffix if path.suffix == '.gz' else ''}"
                self.cache.store.write(bucket, key, path.read_bytes(), self.encryption)
                uris.append(f"s3://{bucket}/{key}")
                if keys:
                    values = tuple(urllib.parse.unquote(part.partition("=")[2]) for part in parts.split("/"))
                    partitions[values] = f"s3://{bucket}/{below}"
        except Exception:
            self._remove(uris)
            raise
        return Written(rows, uris, partitions)

    def _register(self, table: Table, written: Written) -> None:
        known = {tuple(p["Values"]) for p in self.catalog.partitions(table.database, table.name)}
        for values, location in written.partitions.items():
            if values not in known:
                descriptor = {**table.storage, "Location": location}
                partition = {"Values": list(values), "StorageDescriptor": descriptor, "Parameters": {}}
                self.catalog.put_partition(table.database, table.name, partition)

    def _remove(self, uris: Sequence[str]) -> None:
        for uri in uris:
            self.cache.store.delete(*split_uri(uri))


def _refuse_unknown(properties: dict[str, str | list[str]], what: str) -> None:
    if any(name in properties for name in ("bucketed_by", "bucket_count")):
        raise unsupported("bucketed_by", "leave it out, or use partitioned_by")
    if str(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise unsupported(f"table_type {properties['table_type']}", "use Parquet tables in Glue")
    known = {
        "external_location", "location", "format", "partitioned_by", "write_compression", "compression", "table_type",
        "parquet_compression", "field_delimiter", "is_external", "compression_level",
    }  # fmt: skip
    for name in properties:
        if name not in known:
            raise QueryFailed(f"INVALID_TABLE_PROPERTY: line 1:1: {what} property '{name}' does not exist")


def _partition_keys(columns: list[ResultColumn], partitioned_by: str | list[str] | None, what: str) -> list[str]:
    keys = [key.lower() for key in partitioned_by or []] if isinstance(partitioned_by, list) else []
    names = [column.name for column in columns]
    missing = [key for key in keys if key not in names]
    if missing:
        raise QueryFailed(f"INVALID_TABLE_PROPERTY: line 1:1: Partition columns {missing} not present in schema")
    if keys and names[-len(keys) :] != keys:
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as "
            f"the table properties: [{', '.join(keys)}]"
        )
    if keys and len(keys) == len(names):
        raise QueryFailed(f"INVALID_TABLE_PROPERTY: {what}: Table contains only partition columns")
    return keys


def _hive_columns(columns: list[ResultColumn]) -> list[tuple[str, str]]:
    """(name, Glue type) of each column; QueryFailed where no table can have such columns."""
    found: list[tuple[str, str]] = []
    for index, column in enumerate(columns):
        if re.fullmatch(r"_col\d+", column.name):
            raise QueryFailed(f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {index + 1}")
        if column.name in (name for name, _ in found):
            raise QueryFailed(f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{column.name}' specified more than once")
        if column.info()["Type"] == "unknown":
            raise QueryFailed(f"COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: {column.name}")
        kind = hive_type(column.type)
        if kind is None:
            raise QueryFailed(f"NOT_SUPPORTED: Unsupported Hive type: {column.info()['Type']} (column {column.name})")
        found.append((column.name, kind))
    return found


def _codec(file_format: str, options: dict[str, str | list[str]]) -> str:
    if file_format not in _COMPRESSIONS:
        raise unsupported(f"format {file_format}", "use PARQUET, ORC, JSON or TEXTFILE")
    wanted = str(
        options.get("write_compression")
        or options.get("compression")
        or options.get("parquet_compression")
        or options.get("orc_compression")
        or ""
    )
    codec = _COMPRESSIONS[file_format].get(wanted.upper())
    if codec is None:
        raise unsupported(
            f"{wanted} compression of {file_format}", f"use one of {', '.join(_COMPRESSIONS[file_format])}"
        )
    return codec


def _copy_options(file_format: str, options: dict[str, str | list[str]]) -> str:
    codec = _codec(file_format, options)
    if file_format == "ORC":
        return "FORMAT parquet"  # which becomes ORC
    if file_format == "PARQUET":
        return f"FORMAT parquet, COMPRESSION {codec}"
    suffix = ", FILE_EXTENSION 'gz'" if codec == "gzip" else ""
    if file_format == "JSON":
        return f"FORMAT json, COMPRESSION {codec}{suffix}"
    delimiter = str(options.get("field_delimiter") or "\x01")
    plain = f"DELIM {literal(delimiter)}, QUOTE '', ESCAPE '', NULLSTR '\\N'"
    return f"FORMAT csv, HEADER false, {plain}, COMPRESSION {codec}{suffix}"


def _format_of(table: Table) -> str:
    library = str(table.storage.get("SerdeInfo", {}).get("SerializationLibrary"))
    formats = {"ParquetHiveSerDe": "PARQUET", "OrcSerde": "ORC", "JsonSerDe": "JSON", "LazySimpleSerDe": "TEXTFILE"}
    for name, file_format in formats.items():
        if library.endswith(name):
            return file_format
    raise unsupported(f"INSERT INTO a table of {library}", "insert into a Parquet table")


_INTEGERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]


def _may_store(given: str, wanted: str) -> bool:
    if given == wanted or given == '"NULL"':
        return True
    if given in _INTEGERS:
        return (
            wanted in ("DOUBLE", "FLOAT")
            or wanted.startswith("DECIMAL")
            or (wanted in _INTEGERS and _INTEGERS.index(given) <= _INTEGERS.index(wanted))
        )
    if given.startswith("DECIMAL"):
        return wanted.startswith("DECIMAL") or wanted in ("DOUBLE", "FLOAT")
    return (given, wanted) in (("FLOAT", "DOUBLE"), ("DATE", "TIMESTAMP"))
