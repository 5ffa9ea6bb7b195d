"""The same data type in Hive's words (Glue), DuckDB's and Trino's (query results)."""

import re
from typing import Any

import duckdb

from local_aws.athena.failures import QueryFailed

_HIVE_TO_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}

# duckdb id: (Hive, Trino). Types that only DuckDB has are cast to the nearest of Trino's first: see `result_type`.
_NAMES = {
    "boolean": ("boolean", "boolean"),
    "tinyint": ("tinyint", "tinyint"),
    "smallint": ("smallint", "smallint"),
    "integer": ("int", "integer"),
    "bigint": ("bigint", "bigint"),
    "float": ("float", "float"),
    "double": ("double", "double"),
    "varchar": ("string", "varchar"),
    "date": ("date", "date"),
    "timestamp": ("timestamp", "timestamp"),
    "blob": ("binary", "varbinary"),
    "timestamp with time zone": (None, "timestamp with time zone"),
    "time": (None, "time"),
    "json": (None, "json"),
    "interval": (None, "interval day to second"),
    "null": (None, "unknown"),
}

_NARROWED = {
    "hugeint": "BIGINT",
    "uhugeint": "BIGINT",
    "ubigint": "BIGINT",
    "uinteger": "BIGINT",
    "usmallint": "INTEGER",
    "utinyint": "SMALLINT",
    "timestamp_ns": "TIMESTAMP",
    "timestamp_ms": "TIMESTAMP",
    "timestamp_s": "TIMESTAMP",
    "timestamptz_ns": "TIMESTAMP WITH TIME ZONE",
    "enum": "VARCHAR",
    "uuid": "VARCHAR",
    "bignum": "DECIMAL(38,0)",
    "integer_literal": "INTEGER",
    "string_literal": "VARCHAR",
}


def quote(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def split_top_level(text: str) -> list[str]:
    """`text` split at the commas that are outside all brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<([") - (character in ">)]")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def duckdb_type(hive: str) -> str:
    """DuckDB's type for a Glue column type; QueryFailed for one that Athena does not know either."""
    name = hive.strip().lower()
    if name.startswith("array<"):
        return duckdb_type(name[6:-1]) + "[]"
    if name.startswith("map<"):
        return f"MAP({', '.join(duckdb_type(part) for part in split_top_level(name[4:-1]))})"
    if name.startswith("struct<"):
        fields = [part.split(":", 1) for part in split_top_level(name[7:-1])]
        return f"STRUCT({', '.join(f'{quote(field)} {duckdb_type(kind)}' for field, kind in fields)})"
    if name.startswith("decimal"):
        return name.upper() if "(" in name else "DECIMAL(10,0)"
    base = name.split("(")[0].strip()
    if base not in _HIVE_TO_DUCKDB:
        raise QueryFailed(f"HIVE_INVALID_METADATA: column type '{hive}' is not one that Athena knows")
    return _HIVE_TO_DUCKDB[base]


def result_type(duckdb: Any) -> str:
    """The DuckDB type, as SQL, that Trino's result of this type is stored in."""
    if duckdb.id in ("list", "array"):
        return result_type(duckdb.children[0][1]) + "[]"
    if duckdb.id == "map":
        return f"MAP({', '.join(result_type(kind) for _, kind in duckdb.children)})"
    if duckdb.id == "struct":
        return f"STRUCT({', '.join(f'{quote(name)} {result_type(kind)}' for name, kind in duckdb.children)})"
    return _NARROWED.get(duckdb.id, str(duckdb))


def hive_type(duckdb: Any) -> str | None:
    """Glue's name of a DuckDB type (after `result_type`); None where no Hive table can hold it."""
    if duckdb.id == "decimal":
        return str(duckdb).lower()
    if duckdb.id in ("list", "array", "map", "struct"):
        inner = [(name, hive_type(kind)) for name, kind in duckdb.children]
        if any(kind is None for _, kind in inner):
            return None
        if duckdb.id == "struct":
            return f"struct<{','.join(f'{name}:{kind}' for name, kind in inner)}>"
        return f"{'map' if duckdb.id == 'map' else 'array'}<{','.join(str(kind) for _, kind in inner)}>"
    return _NAMES[_base_id(duckdb)][0]


def trino_type(duckdb: Any) -> str:
    """The name of a DuckDB type (after `result_type`) in GetQueryResults' ColumnInfo."""
    if duckdb.id in ("list", "array"):
        return "array"
    if duckdb.id == "struct":
        return "row"
    if duckdb.id in ("map", "decimal"):
        return str(duckdb.id)
    return str(_NAMES[_base_id(duckdb)][1])


def trino_signature(kind: str) -> str:
    """What typeof() says of a value of DuckDB's type `kind`."""
    return _signature(_sqltype(result_type(_sqltype(kind))))


def _signature(duckdb: Any) -> str:
    if duckdb.id in ("list", "array"):
        return f"array({_signature(duckdb.children[0][1])})"
    if duckdb.id == "map":
        return f"map({', '.join(_signature(inner) for _, inner in duckdb.children)})"
    if duckdb.id == "struct":
        # sqlglot calls the fields of ROW(1, 2) _0 and _1, which have no names in Trino.
        fields = [
            f"{'' if re.fullmatch('_[0-9]+', name) else name + ' '}{_signature(t)}" for name, t in duckdb.children
        ]
        return f"row({', '.join(fields)})"
    if duckdb.id == "decimal":
        return str(duckdb).lower()
    name = trino_type(duckdb)
    return {
        "float": "real",
        "timestamp": "timestamp(3)",
        "timestamp with time zone": "timestamp(3) with time zone",
        "time": "time(3)",
    }.get(name, name)


def _sqltype(kind: str) -> Any:
    return duckdb.sqltype(kind.strip('"') if kind == '"NULL"' else kind)


def _base_id(duckdb: Any) -> str:
    # DuckDB's Python types call JSON a varchar with an alias, and the untyped NULL '"NULL"'.
    text = str(duckdb).strip('"').lower()
    if text in _NAMES:
        return text
    if duckdb.id in _NAMES:
        return str(duckdb.id)
    raise QueryFailed(f"NOT_SUPPORTED: a column of DuckDB's type {duckdb} has no type in Athena")
