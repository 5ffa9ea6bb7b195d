"""The rows of a Glue table as a DuckDB relation over local copies of its S3 objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.athena.catalog import HIDDEN_COLUMNS, Catalog, Column, Table
from local_aws.athena.data_types import duckdb_type, literal, quote
from local_aws.athena.failures import QueryFailed, unsupported
from local_aws.athena.objects import ObjectCache, S3Object
from local_aws.athena.plan import Read
from local_aws.athena.projection import is_projected, projected_partitions
from local_aws.athena.text import LineFormat

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

    def scan(self, table: Table, reads: Sequence[Read]) -> Scan:
        """The rows of `table` that any of `reads` may need; the bytes are the sum of what each of them reads."""
        if not table.partition_keys:
            (objects,) = self.cache.data_objects([table.location]) if reads else ([],)
            branches = self._branches(table, objects, [])
            return self._union(table, branches, sum(self._bytes(table, read, objects) for read in reads))
        found: dict[tuple[str, ...], list[S3Object]] = {}
        scanned = 0
        for read in reads:
            partitions = self._partitions(table, read)
            listed = self.cache.data_objects([_location(table, partition) for partition in partitions])
            for partition, objects in zip(partitions, listed, strict=True):
                found[tuple(partition["Values"])] = objects
                scanned += self._bytes(table, read, objects)
        branches = [branch for values, objects in found.items() for branch in self._branches(table, objects, values)]
        return self._union(table, branches, scanned)

    def _union(self, table: Table, branches: list[str], scanned_bytes: int) -> Scan:
        if branches:
            return Scan(" UNION ALL ".join(branches), scanned_bytes)
        empty = [f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in typed_columns(table)]
        return Scan(f"SELECT {', '.join(empty)} WHERE false", 0)

    def _bytes(self, table: Table, read: Read, objects: Sequence[S3Object]) -> int:
        """What Athena reads of `objects`: of Parquet the columns that are needed, of all else everything."""
        if read.columns is None or not objects or not _serde(table).endswith("ParquetHiveSerDe"):
            return sum(found.size for found in objects)
        wanted = [column.name for column in table.columns if column.name in read.columns]
        files = _files(self.cache.parquet(found) for found in objects)
        names = ", ".join(map(literal, wanted)) or "NULL"
        ((size,),) = self.cursor.execute(
            f"SELECT coalesce(sum(total_compressed_size), 0) FROM parquet_metadata({files}) "
            f"WHERE lower(split_part(path_in_schema, ', ', 1)) IN ({names})"
        ).fetchall()
        return int(size)

    def _partitions(self, table: Table, read: Read) -> list[dict[str, Any]]:
        keys = [key.name for key in table.partition_keys]
        if is_projected(table):
            wanted = {key: values for key in keys if (values := read.values(key)) is not None}
            partitions = projected_partitions(table, wanted)
        else:
            partitions = self.catalog.partitions(table.database, table.name)
        conditions = [condition.sql(dialect="duckdb") for condition in read.about(set(keys))]
        if not conditions or not partitions:
            return partitions
        rows = ", ".join(
            f"({index}, {', '.join(map(_partition_value, table.partition_keys, partition['Values']))})"
            for index, partition in enumerate(partitions)
        )
        names = ", ".join(quote(key) for key in keys)
        kept = self.cursor.execute(
            f'SELECT "#" FROM (VALUES {rows}) AS {quote(table.name)} ("#", {names}) WHERE {" AND ".join(conditions)}'
        ).fetchall()
        return [partitions[index] for (index,) in sorted(kept)]

    def _branches(self, table: Table, objects: Sequence[S3Object], values: Sequence[str]) -> list[str]:
        if not objects:
            return []
        keys = [
            f"{_partition_value(key, value)} AS {quote(key.name)}"
            for key, value in zip(table.partition_keys, values, strict=True)
        ]
        if not table.hidden:
            columns, source = self._reader(table, objects)
            return [f"SELECT {', '.join([*columns, *keys])} FROM {source}"]
        branches = []
        for found in objects:
            columns, source = self._reader(table, [found])
            hidden = {"$path": literal(found.uri), "$file_size": f"CAST({found.size} AS BIGINT)"}
            extra = [f"{hidden[name]} AS {quote(name)}" for name in table.hidden]
            branches.append(f"SELECT {', '.join([*columns, *keys, *extra])} FROM {source}")
        return branches

    def _reader(self, table: Table, objects: Sequence[S3Object]) -> tuple[list[str], str]:
        """(SELECT items for the data columns, FROM item) for the table's SerDe."""
        library = _serde(table)
        parameters = table.storage.get("SerdeInfo", {}).get("Parameters") or {}
        match library.rpartition(".")[2]:
            case "ParquetHiveSerDe":
                return self._parquet(table, _files(self.cache.parquet(found) for found in objects))
            case "OrcSerde":
                return self._parquet(table, _files(self.cache.orc(found) for found in objects))
            case "AvroSerDe":
                return self._parquet(table, _files(self.cache.avro(found) for found in objects))
            case "OpenCSVSerde":
                return _open_csv(table), self._lines(table, objects, _open_csv_lines(table, parameters))
            case "LazySimpleSerDe":
                return _lazy_simple(table), self._lines(table, objects, _lazy_simple_lines(table, parameters))
            case "JsonSerDe":
                lower = parameters.get("case.insensitive", "").lower() != "false"
                read = self.cache.json if lower else self.cache.text
                return _json(table, _files(read(found) for found in objects), parameters, lower)
        raise unsupported(
            f"the SerDe {library or '(none)'} of table {table.database}.{table.name}",
            "use Parquet, ORC, Avro, OpenCSVSerde, LazySimpleSerDe or a JSON SerDe",
        )

    def _lines(self, table: Table, objects: Sequence[S3Object], lines: LineFormat) -> str:
        """FROM item of the text columns; DuckDB splits lines without quotes, and reads as CSV what they became else."""
        copies = [self.cache.lines(found, lines) for found in objects]
        names = [column.name for column in table.columns]
        plain, converted = (
            _files(p for p, is_plain in copies if is_plain),
            _files(p for p, is_plain in copies if not is_plain),
        )
        sources = []
        if plain != "[]":
            null = f"nullstr = {literal(lines.null)}" if lines.null is not None else _never_null(names)
            sources.append(
                _read_csv(plain, names, f"delim = {literal(lines.separator)}, quote = '', escape = '', {null}")
            )
        if converted != "[]":
            quoting = "delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
            sources.append(_read_csv(converted, ["-", *names], quoting))
        selected = ", ".join(map(quote, names))
        return "(" + " UNION ALL ".join(f"SELECT {selected} FROM {source}" for source in sources) + ")"

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


def typed_columns(table: Table) -> list[tuple[str, str]]:
    """(name, DuckDB type) of every column of the table's relation."""
    hidden = [Column(name, HIDDEN_COLUMNS[name]) for name in table.hidden]
    return [(c.name, duckdb_type(c.type)) for c in (*table.columns, *table.partition_keys, *hidden)]


def _serde(table: Table) -> str:
    return str(table.storage.get("SerdeInfo", {}).get("SerializationLibrary") or "")


def _location(table: Table, partition: dict[str, Any]) -> str:
    location = partition.get("StorageDescriptor", {}).get("Location")
    if not location:
        raise QueryFailed(f"HIVE_INVALID_METADATA: partition {partition['Values']} of {table.name} has no Location")
    return str(location)


def _partition_value(key: Column, value: str) -> str:
    if value == NULL_PARTITION:
        return f"CAST(NULL AS {duckdb_type(key.type)})"
    return f"CAST({literal(value)} AS {duckdb_type(key.type)})"


def _files(paths: Iterable[Path]) -> str:
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"


def _never_null(names: list[str]) -> str:
    return f"force_not_null = [{', '.join(map(literal, names))}]"


def _read_csv(files: str, names: list[str], quoting: str) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({files}, columns = {{{columns}}}, auto_detect = false, header = false, compression = 'none', "
        f"null_padding = true, strict_mode = false, max_line_size = 16777216, new_line = '\\n', {quoting})"
    )


def _header_lines(table: Table, parameters: dict[str, str]) -> int:
    return int(table.parameters.get("skip.header.line.count") or parameters.get("skip.header.line.count") or 0)


def _open_csv_lines(table: Table, parameters: dict[str, str]) -> LineFormat:
    escape = _unescaped(parameters.get("escapeChar", "\\"))
    return LineFormat(
        separator=_unescaped(parameters.get("separatorChar", ",")),
        # OpenCSVSerde takes its own default, which is the quote, for "not given" and falls back on the backslash.
        escape="\\" if escape == '"' else escape,
        skip=_header_lines(table, parameters),
        quote=parameters.get("quoteChar", '"'),
        quoted=True,
    )


def _open_csv(table: Table) -> list[str]:
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
    return columns


def _lazy_simple_lines(table: Table, parameters: dict[str, str]) -> LineFormat:
    delimiter = parameters.get("field.delim") or parameters.get("serialization.format") or "\x01"
    if delimiter == "1":  # serialization.format's way of saying Ctrl-A
        delimiter = "\x01"
    return LineFormat(
        separator=_unescaped(delimiter),
        escape=_unescaped(parameters.get("escape.delim", "")),
        skip=_header_lines(table, parameters),
        null=parameters.get("serialization.null.format", "\\N"),
    )


def _lazy_simple(table: Table) -> list[str]:
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
    return columns


def _json(table: Table, files: str, parameters: dict[str, str], lower: bool) -> tuple[list[str], str]:
    lenient = parameters.get("ignore.malformed.json", "").lower() == "true"
    keys = {column.name: parameters.get(f"mapping.{column.name}", column.name) for column in table.columns}
    if lower:
        keys = {name: key.lower() for name, key in keys.items()}
    columns = ", ".join(f"{literal(keys[c.name])}: {literal(duckdb_type(c.type))}" for c in table.columns)
    source = (
        f"read_json({files}, format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = {lenient}, "
        "maximum_object_size = 67108864)"
    )
    return [f"{quote(keys[c.name])} AS {quote(c.name)}" for c in table.columns], source


def _unescaped(character: str) -> str:
    return {"\\t": "\t", "\\001": "\x01", "\\u0001": "\x01", "\\\\": "\\"}.get(character, character)
