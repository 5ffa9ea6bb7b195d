"""S3 objects as the engine sees them, and their copies on disk that DuckDB reads."""

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_aws.athena.failures import QueryFailed


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


class ObjectStore(Protocol):
    """What the engine needs of S3."""

    def list(self, bucket: str, prefix: str) -> list[S3Object]:
        """Every object below `prefix`, in key order; QueryFailed where the bucket does not exist."""

    def read(self, s3_object: S3Object) -> bytes: ...

    def write(self, bucket: str, key: str, body: bytes) -> None: ...

    def delete(self, bucket: str, key: str) -> None: ...


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
    """Copies of S3 objects below `directory`, one for each bucket, key and ETag."""

    def __init__(self, store: ObjectStore, directory: Path) -> None:
        self.store = store
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, s3_object: S3Object) -> Path:
        """A local file with the object's bytes; its name keeps the key's suffixes (.csv.gz)."""
        identity = hashlib.sha256(f"{s3_object.uri} {s3_object.etag}".encode()).hexdigest()[:40]
        path = self.directory / (identity + "".join(Path(s3_object.key).suffixes[-2:]))
        if not path.exists():
            partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
            partial.write_bytes(self.store.read(s3_object))
            os.replace(partial, path)  # several queries may fetch the same object at once
        return path

    def data_objects(self, location: str) -> list[S3Object]:
        """The objects Athena reads below `location`: not empty ones, nor those named with a leading _ or dot."""
        bucket, key = split_uri(location)
        prefix = folder(key) if key else ""
        return [
            found
            for found in self.store.list(bucket, prefix)
            if found.size and not any(part[:1] in ("_", ".") for part in found.key[len(prefix) :].split("/"))
        ]
