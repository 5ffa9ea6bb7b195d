"""Glue storage descriptors of the file formats, as Athena writes them."""

from typing import Any

_HIVE = "org.apache.hadoop.hive"
_TEXT_IN, _TEXT_OUT = "org.apache.hadoop.mapred.TextInputFormat", f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET_IN = f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUT = f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe"
TEXT_SERDE = f"{_HIVE}.serde2.lazy.LazySimpleSerDe"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"


def storage_descriptor(file_format: str, location: str, delimiter: str = "\x01") -> dict[str, Any]:
    """StorageDescriptor, without its columns, of a table of `file_format` at `location`."""
    parquet = file_format == "PARQUET"
    library = {"PARQUET": PARQUET_SERDE, "JSON": JSON_SERDE}.get(file_format, TEXT_SERDE)
    parameters = {"serialization.format": "1"}
    if library == TEXT_SERDE:
        parameters = {"field.delim": delimiter, "serialization.format": delimiter}
    return {
        "Location": location,
        "InputFormat": _PARQUET_IN if parquet else _TEXT_IN,
        "OutputFormat": _PARQUET_OUT if parquet else _TEXT_OUT,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": False,
    }
