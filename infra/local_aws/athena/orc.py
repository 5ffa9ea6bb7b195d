"""ORC files by way of Parquet: DuckDB itself reads and writes none."""

import io
from pathlib import Path

from pyarrow import orc, parquet


def as_parquet(body: bytes) -> bytes:
    """A Parquet file with the rows of an ORC file."""
    made = io.BytesIO()
    parquet.write_table(orc.ORCFile(io.BytesIO(body)).read(), made)
    return made.getvalue()


def replace_parquet(path: Path, compression: str) -> None:
    """Make the Parquet file at `path` an ORC file of the same rows."""
    rows = parquet.ParquetFile(path).read()
    orc.write_table(rows, str(path), compression=compression)
