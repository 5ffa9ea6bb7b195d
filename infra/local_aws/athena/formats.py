"""The formats that Athena writes tables in, and what each may be compressed by."""

from pathlib import Path

from local_aws.athena import avro, compression, orc
from local_aws.athena.data_types import literal
from local_aws.athena.failures import QueryFailed, unsupported

Options = dict[str, str | list[str]]
# By Athena's names, which is each format's own name for it; the first is the default.
_TEXT = {name: name for name in ("GZIP", "BZIP2", "LZ4", "SNAPPY", "ZSTD", "NONE")}
_CODECS = {
    "PARQUET": {"GZIP": "gzip", "SNAPPY": "snappy", "ZSTD": "zstd", "NONE": "uncompressed"},
    "ORC": {"ZLIB": "zlib", "SNAPPY": "snappy", "LZ4": "lz4", "ZSTD": "zstd", "NONE": "uncompressed"},
    "AVRO": {"DEFLATE": "deflate", "BZIP2": "bzip2", "SNAPPY": "snappy", "ZSTD": "zstandard", "NONE": "null"},
    "JSON": _TEXT,
    "TEXTFILE": _TEXT,
}
_PROPERTIES = ("write_compression", "compression", "parquet_compression", "orc_compression")


class FileFormat:
    """One format with one compression: DuckDB writes a file by `copy_options`, `finish` makes it what it is to be."""

    def __init__(self, name: str, options: Options) -> None:
        if name not in _CODECS:
            raise unsupported(f"format {name}", f"use one of {', '.join(_CODECS)}")
        codecs = _CODECS[name]
        wanted = next((str(options[key]).upper() for key in _PROPERTIES if options.get(key)), next(iter(codecs)))
        if wanted not in codecs:
            raise QueryFailed(
                f"HIVE_UNSUPPORTED_FORMAT: Compression codec {wanted} not supported for {name}; "
                f"use one of {', '.join(codecs)}"
            )
        if options.get("compression_level") and wanted != "ZSTD":
            raise QueryFailed("INVALID_TABLE_PROPERTY: compression_level is for ZSTD alone")
        self.name = name
        self.is_text = name in ("JSON", "TEXTFILE")
        self.codec = codecs[wanted]
        self.suffix = compression.suffix(wanted) if self.is_text else ""
        delimiter = literal(str(options.get("field_delimiter") or "\x01"))
        self.copy_options = {
            "PARQUET": f"FORMAT parquet, COMPRESSION {self.codec}",
            "JSON": "FORMAT json",
            "TEXTFILE": f"FORMAT csv, HEADER false, DELIM {delimiter}, QUOTE '', ESCAPE '', NULLSTR '\\N'",
        }.get(name, "FORMAT parquet")

    def finish(self, path: Path) -> None:
        """Turn what DuckDB has written into a file of this format."""
        if self.is_text:
            path.write_bytes(compression.compress(self.codec, path.read_bytes()))
        elif self.name == "ORC":
            orc.replace_parquet(path, self.codec)
        elif self.name == "AVRO":
            avro.replace_parquet(path, self.codec)
