"""Avro files by way of Parquet: DuckDB itself reads and writes none."""

import io
import itertools
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from local_aws.athena.failures import unsupported

_PRIMITIVES = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "enum": pa.string(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
}
_LOGICAL = {
    "date": pa.date32(),
    "timestamp-millis": pa.timestamp("us", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "local-timestamp-millis": pa.timestamp("us"),
    "local-timestamp-micros": pa.timestamp("us"),
    "uuid": pa.string(),
}


def as_parquet(body: bytes) -> bytes:
    """A Parquet file with the rows of an Avro file; ValueError where it is none, or has what Hive has no type for."""
    import fastavro  # here, as no other query needs it

    rows = fastavro.reader(io.BytesIO(body))
    schema: Any = rows.writer_schema
    fields = [(field["name"], _arrow_type(field["type"], {})) for field in schema["fields"]]
    made = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), pa.schema(fields)), made)
    return made.getvalue()


def replace_parquet(path: Path, compression: str) -> None:
    """Make the Parquet file at `path` an Avro file of the same rows."""
    import fastavro

    source = parquet.ParquetFile(path)
    fields = [_field(field, field.name) for field in source.schema_arrow]
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    arrow = pa.schema([(field["name"], _arrow_type(field["type"], {})) for field in fields])
    batches = (batch.cast(arrow).to_pylist(maps_as_pydicts="strict") for batch in source.iter_batches())
    made = io.BytesIO()
    fastavro.writer(made, schema, itertools.chain.from_iterable(batches), compression)
    path.write_bytes(made.getvalue())


def _arrow_type(avro: Any, named: dict[str, Any]) -> Any:
    """Arrow's type for one of an Avro schema; `named` has the records, enums and fixed types met so far."""
    if isinstance(avro, list):
        others = [kind for kind in avro if kind != "null"]
        if len(others) != 1:
            raise ValueError(f"Hive has no type for the union {avro}")
        return _arrow_type(others[0], named)
    if isinstance(avro, str):
        return named[avro] if avro in named else _PRIMITIVES[avro]
    kind, logical = avro["type"], avro.get("logicalType")
    if logical == "decimal":
        found = pa.decimal128(avro["precision"], avro.get("scale", 0))
    elif logical in _LOGICAL:
        found = _LOGICAL[logical]
    elif kind == "record":
        found = pa.struct([(field["name"], _arrow_type(field["type"], named)) for field in avro["fields"]])
    elif kind == "array":
        found = pa.list_(_arrow_type(avro["items"], named))
    elif kind == "map":
        found = pa.map_(pa.string(), _arrow_type(avro["values"], named))
    else:
        found = _arrow_type(kind, named)
    if "name" in avro:
        named[avro["name"]] = found
    return found


def _field(field: Any, path: str) -> dict[str, Any]:
    return {"name": field.name, "type": ["null", _avro_type(field.type, path)], "default": None}


def _avro_type(arrow: Any, path: str) -> Any:
    """Avro's type for one of Arrow's, as Hive writes it; records are named by the `path` of columns and fields."""
    kinds = pa.types
    if kinds.is_struct(arrow):
        return {"type": "record", "name": path, "fields": [_field(field, f"{path}_{field.name}") for field in arrow]}
    if kinds.is_list(arrow):
        return {"type": "array", "items": ["null", _avro_type(arrow.value_type, f"{path}_item")]}
    if kinds.is_map(arrow):
        if not kinds.is_string(arrow.key_type):
            raise unsupported(f"a map in Avro whose keys are no texts ({path})", "use Parquet")
        return {"type": "map", "values": ["null", _avro_type(arrow.item_type, f"{path}_value")]}
    if kinds.is_decimal(arrow):
        return {"type": "bytes", "logicalType": "decimal", "precision": arrow.precision, "scale": arrow.scale}
    if kinds.is_timestamp(arrow):
        return {"type": "long", "logicalType": "timestamp-millis"}
    if kinds.is_date(arrow):
        return {"type": "int", "logicalType": "date"}
    if kinds.is_integer(arrow):
        return "long" if arrow.bit_width == 64 else "int"
    return {"float": "float", "double": "double", "bool": "boolean", "binary": "bytes"}.get(str(arrow), "string")
