"""S3 objects as the engine sees them, and their copies on disk that DuckDB reads."""

import hashlib
import os
import threading
import time
import uuid
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyarrow import ArrowException

from local_aws.athena import avro, orc
from local_aws.athena.failures import QueryFailed
from local_aws.athena.text import LineFormat, lower_keys, plain_text

GRACE_SECONDS = 600  # no copy is dropped that was used so recently
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class S3Object:
    """One object of one version: `etag` changes whenever the bytes do."""

    bucket: str
    key: str
    size: int
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


Encryption = dict[str, str] | None  # EncryptionConfiguration, as Athena's requests have it


class ObjectStore(Protocol):
    """What the engine needs of S3."""

    def list(self, bucket: str, prefix: str, places: Sequence[str] = ()) -> list[S3Object]:
        """Every object below `prefix`, in key order; QueryFailed where the bucket does not exist, or where its caller
        may not list each of `places`, or the prefix itself."""

    def find(self, bucket: str, key: str) -> S3Object | None:
        """The object of that key."""

    def check(self, s3_object: S3Object) -> None:
        """QueryFailed where the query's caller may not read the object."""

    def read(self, s3_object: S3Object) -> bytes: ...

    def write(self, bucket: str, key: str, body: bytes, encryption: Encryption = None) -> None: ...

    def delete(self, bucket: str, key: str) -> None:
        """Delete what a query has written that failed; AWS leaves it there, so it takes nobody's leave."""


def split_uri(uri: str) -> tuple[str, str]:
    """(bucket, key) of an s3:// URI; QueryFailed where it is none."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise QueryFailed(f"Invalid S3 location: {uri}. It must look like s3://bucket/prefix/")
    return bucket, key


def folder(uri: str) -> str:
    """`uri` with exactly one slash at its end."""
    return uri.rstrip("/") + "/"


class ObjectCache:
    """Copies of S3 objects below `directory`, one for each bucket, key and ETag, in each form that queries read, for
    those who may read the object itself.

    Once they exceed `limit` bytes, those that no query has used for longest are dropped, down to half of it.
    """

    def __init__(self, store: ObjectStore, directory: Path, limit: int = 2 * 2**30) -> None:
        self.store = store
        self.directory = directory
        self.limit = limit
        directory.mkdir(parents=True, exist_ok=True)
        self._unfinished = directory.with_name(f"{directory.name}-unfinished")
        self._unfinished.mkdir(exist_ok=True)
        self._size = sum(size for _, size, _ in self._files())
        self._lock = threading.Lock()

    def path(self, s3_object: S3Object) -> Path:
        """A local file with the object's bytes."""
        self.store.check(s3_object)
        path = self._name(s3_object, "raw")
        return path if _use(path) else self._write(path, self.store.read(s3_object))

    def parquet(self, s3_object: S3Object) -> Path:
        """A local file with a Parquet object's bytes; QueryFailed where it is none."""
        self.store.check(s3_object)
        path = self._name(s3_object, "parquet")
        if _use(path):
            return path
        body = self.store.read(s3_object)
        if not body.endswith(_PARQUET_MAGIC):
            raise QueryFailed(
                f"HIVE_BAD_DATA: Not valid Parquet file: {s3_object.uri} expected magic number: PAR1 "
                f"got: {body[-4:].decode(errors='replace')}"
            )
        return self._write(path, body)

    def orc(self, s3_object: S3Object) -> Path:
        """A local Parquet file with the rows of an ORC object; QueryFailed where it is none."""
        return self._converted(s3_object, "ORC", orc.as_parquet)

    def avro(self, s3_object: S3Object) -> Path:
        """A local Parquet file with the rows of an Avro object; QueryFailed where it is none."""
        return self._converted(s3_object, "Avro", avro.as_parquet)

    def _converted(self, s3_object: S3Object, form: str, as_parquet: Callable[[bytes], bytes]) -> Path:
        self.store.check(s3_object)
        path = self._name(s3_object, form)
        if _use(path):
            return path
        body = self.store.read(s3_object)
        try:
            converted = as_parquet(body)
        except (ArrowException, OSError, ValueError) as error:  # the words of Arrow and fastavro for what can't be read
            raise QueryFailed(f"HIVE_CANNOT_OPEN_SPLIT: {s3_object.uri} is not a valid {form} file: {error}") from error
        return self._write(path, converted)

    def text(self, s3_object: S3Object) -> Path:
        """A local file with the object's text: see `plain_text`."""
        self.store.check(s3_object)
        path = self._name(s3_object, "text")
        return path if _use(path) else self._write(path, self._text(s3_object).encode())

    def json(self, s3_object: S3Object) -> Path:
        """A local file with the object's text, the keys of its JSON in small letters."""
        self.store.check(s3_object)
        path = self._name(s3_object, "json")
        return path if _use(path) else self._write(path, lower_keys(self._text(s3_object)).encode())

    def lines(self, s3_object: S3Object, lines: LineFormat) -> tuple[Path, bool]:
        """A local file with the object's rows, and whether it is plain: see `LineFormat.convert`."""
        self.store.check(s3_object)
        plain, converted = (self._name(s3_object, f"{form} {lines}") for form in ("plain", "converted"))
        for path in (plain, converted):
            if _use(path):
                return path, path is plain
        is_plain, body = lines.convert(self._text(s3_object))
        return self._write(plain if is_plain else converted, body), is_plain

    def _name(self, s3_object: S3Object, form: str) -> Path:
        return self.directory / hashlib.sha256(f"{s3_object.uri} {s3_object.etag} {form}".encode()).hexdigest()[:40]

    def _text(self, s3_object: S3Object) -> str:
        return plain_text(s3_object.key, self.store.read(s3_object))

    def _write(self, path: Path, body: bytes) -> Path:
        partial = self._unfinished / uuid.uuid4().hex
        partial.write_bytes(body)
        os.replace(partial, path)  # several queries may fetch the same object at once
        with self._lock:
            self._size += len(body)
            if self._size > self.limit:
                self._drop_unused()
        return path

    def _drop_unused(self) -> None:
        files = sorted(self._files())
        self._size = sum(size for _, size, _ in files)
        for used_at, size, path in files:
            # What was used a moment ago may be about to be read.
            if self._size <= self.limit // 2 or used_at > time.time() - GRACE_SECONDS:
                return
            path.unlink()
            self._size -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        """(time of last use, bytes, file) of each copy."""
        found = ((path, path.stat()) for path in self.directory.iterdir())
        return [(status.st_mtime, status.st_size, path) for path, status in found]

    def data_objects(self, locations: Sequence[str]) -> list[list[S3Object]]:
        """The objects Athena reads below each location: not empty ones, nor those named with a leading _ or dot."""
        places = [(bucket, folder(key) if key else "") for bucket, key in map(split_uri, locations)]
        listed = {}
        for bucket in {bucket for bucket, _ in places}:
            keys = [key for other, key in places if other == bucket]
            found = self.store.list(bucket, os.path.commonprefix(keys), keys)
            listed[bucket] = found, [item.key for item in found]
        return [list(_below(prefix, *listed[bucket])) for bucket, prefix in places]


def _below(prefix: str, objects: list[S3Object], keys: list[str]) -> Iterator[S3Object]:
    for index in range(bisect_left(keys, prefix), len(keys)):
        if not keys[index].startswith(prefix):
            return
        if objects[index].size and not any(part[:1] in ("_", ".") for part in keys[index][len(prefix) :].split("/")):
            yield objects[index]


def _use(path: Path) -> bool:
    """Whether `path` exists; it then counts as used now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
