"""Writes the rows of a query as a table: CREATE TABLE AS, INSERT INTO, UNLOAD."""

import re

import duckdb

from local_aws.athena import statements
from local_aws.athena.buckets import buckets_of
from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.data_types import duckdb_type, hive_type
from local_aws.athena.failures import QueryFailed, no_iceberg, unsupported
from local_aws.athena.files import FileWriter, Layout, Written
from local_aws.athena.formats import FileFormat, Options
from local_aws.athena.objects import folder, split_uri
from local_aws.athena.results import ResultColumn
from local_aws.athena.storage import storage_descriptor


class TableWriter:
    """Writes one query's rows by `files`, and registers in the catalog what they make."""

    def __init__(self, catalog: Catalog, files: FileWriter) -> None:
        self.catalog = catalog
        self.files = files

    def may_create(self, database: str, name: str, if_not_exists: bool) -> bool:
        """Whether the table is still to be made; QueryFailed where it must not exist, or its database does not."""
        if not self.catalog.has_database(database):
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
        if self.files.store.list(*split_uri(location)):
            raise QueryFailed(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{database}.{name}' already exists: {location}. "
                "You may need to manually clean the data at this location before retrying."
            )
        file_format = FileFormat(str(properties.get("format") or "PARQUET").upper(), properties)
        buckets = buckets_of(properties, [column for column, _ in hive if column not in keys])
        layout = Layout(location, file_format, keys, buckets)
        written = self.files.write(sql, columns, layout) if statement.with_data else Written(0, [], {})
        try:
            delimiter = str(properties.get("field_delimiter") or "\x01")
            descriptor = storage_descriptor(file_format.name, location, delimiter)
            if buckets.count:
                descriptor |= {"BucketColumns": list(buckets.columns), "NumberOfBuckets": buckets.count}
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
                    "Parameters": {
                        "EXTERNAL": "TRUE",
                        "has_encrypted_data": "false",
                        "presto_query_id": self.files.query_id,
                    },
                },
            )
            self._register(Table(database, self.catalog.table(database, name) or {}), written)
        except Exception:
            self.files.remove(written.uris)
            raise
        return written

    def insert(self, table: Table, names: list[str], sql: str, columns: list[ResultColumn]) -> Written:
        """Add `sql`'s rows to `table`, whose types they must have; new partitions are registered."""
        if table.is_view:
            raise QueryFailed(f"NOT_SUPPORTED: Inserting into views is not supported: {table.database}.{table.name}")
        if table.storage.get("BucketColumns"):
            raise QueryFailed(
                f"NOT_SUPPORTED: Inserting into bucketed tables is not supported: {table.database}.{table.name}"
            )
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
        layout = Layout(folder(table.location), _format_of(table), keys)
        written = self.files.write(f"SELECT {ordered} FROM ({sql})", stored, layout)
        self._register(table, written)
        return written

    def unload(self, statement: statements.Unload, sql: str, columns: list[ResultColumn]) -> Written:
        """Write `sql`'s rows below the location, which must be empty."""
        options = statement.options
        _refuse_unknown(options, "UNLOAD")
        if "format" not in options:
            raise QueryFailed("line 1:1: UNLOAD needs WITH (format = 'PARQUET' | 'ORC' | 'AVRO' | 'TEXTFILE' | 'JSON')")
        location = folder(statement.location)
        if self.files.store.list(*split_uri(location)):
            raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory for UNLOAD already exists: {location}")
        keys = _partition_keys(columns, options.get("partitioned_by"), "UNLOAD")
        _hive_columns(columns)
        return self.files.write(
            sql, columns, Layout(location, FileFormat(str(options["format"]).upper(), options), keys)
        )

    def _register(self, table: Table, written: Written) -> None:
        if not written.partitions:
            return
        known = {tuple(p["Values"]) for p in self.catalog.partitions(table.database, table.name)}
        for values, location in written.partitions.items():
            if values not in known:
                descriptor = {**table.storage, "Location": location}
                partition = {"Values": list(values), "StorageDescriptor": descriptor, "Parameters": {}}
                self.catalog.put_partition(table.database, table.name, partition)


def _refuse_unknown(properties: Options, what: str) -> None:
    if str(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise no_iceberg(f"table_type = '{properties['table_type']}'")
    known = {
        "external_location", "location", "format", "partitioned_by", "write_compression", "compression", "table_type",
        "parquet_compression", "orc_compression", "field_delimiter", "is_external", "compression_level",
    }  # fmt: skip
    if what == "CREATE TABLE":
        known |= {"bucketed_by", "bucket_count"}
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


def _format_of(table: Table) -> FileFormat:
    serde = table.storage.get("SerdeInfo", {})
    library = str(serde.get("SerializationLibrary"))
    name = next((name for end, name in _WRITABLE.items() if library.endswith(end)), None)
    if name is None:
        raise unsupported(f"INSERT INTO a table of {library}", "insert into a Parquet table")
    codec = table.parameters.get("write.compression") or table.parameters.get(f"{name.lower()}.compression") or ""
    delimiter = (serde.get("Parameters") or {}).get("field.delim") or ""
    return FileFormat(name, {"write_compression": codec, "field_delimiter": delimiter})


_WRITABLE = {
    "ParquetHiveSerDe": "PARQUET",
    "OrcSerde": "ORC",
    "AvroSerDe": "AVRO",
    "JsonSerDe": "JSON",
    "LazySimpleSerDe": "TEXTFILE",
}
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
