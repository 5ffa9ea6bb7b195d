"""Writes the rows of a query as files: in a table's format, by partitions and buckets, below a location in S3."""

import shutil
import urllib.parse
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.athena.buckets import BUCKET, Buckets
from local_aws.athena.data_types import literal, quote
from local_aws.athena.failures import QueryFailed
from local_aws.athena.formats import FileFormat
from local_aws.athena.objects import Encryption, ObjectStore, split_uri
from local_aws.athena.results import ResultColumn, as_text

MAX_PARTITIONS = 100


@dataclass(frozen=True)
class Written:
    """What a write left behind: row count, objects, and each partition's values with its location."""

    rows: int
    uris: list[str]
    partitions: dict[tuple[str, ...], str]


@dataclass(frozen=True)
class Layout:
    """Where rows go below `location`: by the partition `keys`, then by `buckets`, into files of one format."""

    location: str
    file_format: FileFormat
    keys: list[str]
    buckets: Buckets = Buckets()


class FileWriter:
    """Writes for one query on its DuckDB connection; object names carry the query's id."""

    def __init__(
        self, connection: Any, store: ObjectStore, scratch: Path, query_id: str, encryption: Encryption
    ) -> None:
        self.connection = connection
        self.store = store
        self.scratch = scratch
        self.query_id = query_id
        self.encryption = encryption

    def write(self, sql: str, columns: list[ResultColumn], layout: Layout) -> Written:
        """Write `sql`'s rows, whose columns are c0, c1, ...; where anything fails, no object is left."""
        directory = self.scratch / uuid.uuid4().hex
        directory.mkdir()
        try:
            rows, files = self._copy(sql, columns, layout, directory)
            for path in files:
                layout.file_format.finish(path)
            return self._upload(rows, files, directory, layout)
        finally:
            shutil.rmtree(directory)

    def remove(self, uris: Sequence[str]) -> None:
        """Delete the objects of a write."""
        for uri in uris:
            self.store.delete(*split_uri(uri))

    def _copy(self, sql: str, columns: list[ResultColumn], layout: Layout, directory: Path) -> tuple[int, list[Path]]:
        """(row count, files that hold rows) of what DuckDB writes below `directory`."""
        as_texts = layout.file_format.name == "TEXTFILE"
        items = [
            f"{as_text(f'c{i}', c.type) if as_texts and c.name not in layout.keys else f'c{i}'} AS {quote(c.name)}"
            for i, c in enumerate(columns)
        ]
        how = layout.file_format.copy_options
        folders = [quote(key) for key in layout.keys]
        if layout.buckets.count:
            items.append(f"{layout.buckets.number(columns)} AS {BUCKET}")
            folders.append(BUCKET)
        if layout.keys:
            sql = self._limited(sql, columns, layout.keys)
        if folders:
            how += f", PARTITION_BY ({', '.join(folders)})"
        target = directory if folders else directory / "data"
        copy = f"COPY (SELECT {', '.join(items)} FROM ({sql})) TO {literal(str(target))}"
        if how.startswith("FORMAT parquet"):
            written = self.connection.execute(f"{copy} ({how}, RETURN_STATS true)").fetchall()
            return sum(row[1] for row in written), [Path(row[0]) for row in written if row[1]]
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

    def _upload(self, rows: int, files: list[Path], directory: Path, layout: Layout) -> Written:
        bucket, prefix = split_uri(layout.location)
        uris: list[str] = []
        partitions: dict[tuple[str, ...], str] = {}
        try:
            for path in files:
                folders = path.relative_to(directory).parent.parts
                parts = "/".join(folders[: len(layout.keys)])
                below = f"{prefix}{parts}/" if parts else prefix
                key = below + self._name(folders[len(layout.keys) :]) + layout.file_format.suffix
                self.store.write(bucket, key, path.read_bytes(), self.encryption)
                uris.append(f"s3://{bucket}/{key}")
                if layout.keys:
                    values = tuple(urllib.parse.unquote(part.partition("=")[2]) for part in parts.split("/"))
                    partitions[values] = f"s3://{bucket}/{below}"
        except Exception:
            self.remove(uris)
            raise
        return Written(rows, uris, partitions)

    def _name(self, bucket: Sequence[str]) -> str:
        """A new object's name; that of a bucket's tells its number, as Hive's readers expect."""
        if not bucket:
            return f"{self.query_id}_{uuid.uuid4()}"
        number = int(bucket[0].rpartition("=")[2])
        return f"{number:06}_0_{uuid.uuid4()}_{self.query_id}"
