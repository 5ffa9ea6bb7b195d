"""Glue storage descriptors of the file formats, as Athena writes them."""

from typing import Any

_HIVE = "org.apache.hadoop.hive"
_TEXT_IN, _TEXT_OUT = "org.apache.hadoop.mapred.TextInputFormat", f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET_IN = f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUT = f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat"
_ORC_IN, _ORC_OUT = f"{_HIVE}.ql.io.orc.OrcInputFormat", f"{_HIVE}.ql.io.orc.OrcOutputFormat"
_AVRO_IN, _AVRO_OUT = f"{_HIVE}.ql.io.avro.AvroContainerInputFormat", f"{_HIVE}.ql.io.avro.AvroContainerOutputFormat"
PARQUET_SERDE = f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe"
ORC_SERDE = f"{_HIVE}.ql.io.orc.OrcSerde"
AVRO_SERDE = f"{_HIVE}.serde2.avro.AvroSerDe"
TEXT_SERDE = f"{_HIVE}.serde2.lazy.LazySimpleSerDe"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"

_SERDES = {"PARQUET": PARQUET_SERDE, "ORC": ORC_SERDE, "AVRO": AVRO_SERDE, "JSON": JSON_SERDE}
_BINARY = {"PARQUET": (_PARQUET_IN, _PARQUET_OUT), "ORC": (_ORC_IN, _ORC_OUT), "AVRO": (_AVRO_IN, _AVRO_OUT)}


def storage_descriptor(file_format: str, location: str, delimiter: str = "\x01") -> dict[str, Any]:
    """StorageDescriptor, without its columns, of a table of `file_format` at `location`."""
    library = _SERDES.get(file_format, TEXT_SERDE)
    read, write = _BINARY.get(file_format, (_TEXT_IN, _TEXT_OUT))
    parameters = {"serialization.format": "1"}
    if library == TEXT_SERDE:
        parameters = {"field.delim": delimiter, "serialization.format": delimiter}
    return {
        "Location": location,
        "InputFormat": read,
        "OutputFormat": write,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": False,
    }
