"""Moves what jobs and endpoints read and write between S3 and their folders."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PARALLEL_DOWNLOADS = 8  # within botocore's ten connections a client


class DataError(Exception):
    """What S3 holds, or lacks, makes the job impossible; the text is AWS's where AWS has one."""


class NotDownloaded(DataError):
    """An object doesn't exist, or may not be read."""


def bucket_and_key(uri: str) -> tuple[str, str]:
    """("bucket", "some/key") of s3://bucket/some/key; DataError for anything else."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")  # a key may hold # and ?, which would end an ordinary URI's path
    if scheme != "s3" or not bucket:
        raise DataError(f"The S3 URI {uri!r} is not of the form s3://bucket/key")
    return bucket, key.lstrip("/")


def keys_under(s3: Any, uri: str) -> Iterator[tuple[str, str]]:
    """(bucket, key) of each object whose key begins with `uri`'s, "folder" markers aside."""
    bucket, prefix = bucket_and_key(uri)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            if not found["Key"].endswith("/"):
                yield bucket, found["Key"]


def listed(s3: Any, uri: str) -> list[tuple[str, str]]:
    """The same in a list; DataError where the bucket doesn't exist or may not be listed."""
    try:
        return list(keys_under(s3, uri))
    except ClientError as error:
        raise DataError(
            f"Data download failed:Failed to download data. ListObjectsV2 failed for {uri}: {_said(error)}"
        ) from error


def _said(error: ClientError) -> str:
    """What S3 answered, as AWS's failure reasons have it."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return f"({code}: {message})"


def exists(s3: Any, uri: str) -> bool:
    """Whether at least one object's key begins with `uri`'s; False where the bucket doesn't exist."""
    try:
        return next(keys_under(s3, uri), None) is not None
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return False
        raise


def named_objects(s3: Any, source: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(bucket, key, name) of each object of an S3DataSource, named as in File mode; DataError where there is none."""
    uri = source["S3Uri"]
    kind = source["S3DataType"]
    if kind == "S3Prefix":
        _, prefix = bucket_and_key(uri)
        base = prefix if prefix.endswith("/") or not prefix else prefix.rpartition("/")[0] + "/"
        # A prefix without a slash may be a folder's name: then AWS leaves that folder's name out too.
        objects = listed(s3, uri)
        if prefix and not prefix.endswith("/") and all(key.startswith(prefix + "/") for _, key in objects):
            base = prefix + "/"
        named = [(bucket, key, key.removeprefix(base)) for bucket, key in objects]
    elif kind == "ManifestFile":
        named = list(_manifest(s3, uri))
    else:
        raise DataError(f"S3DataType {kind} is not implemented by local AWS; S3Prefix and ManifestFile are")
    if not named:
        raise DataError(f'Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source')
    return named


def download_channel(s3: Any, source: Mapping[str, str], folder: Path) -> None:
    """Put a channel's objects into `folder` under the names File mode gives them."""
    named = named_objects(s3, source)
    targets = [(f"s3://{bucket}/{key}", (folder / name).resolve()) for bucket, key, name in named]
    for uri, target in targets:
        if not target.is_relative_to(folder.resolve()):
            raise DataError(f"Data download failed:the key of {uri} leads out of the channel's folder")
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        for done in [pool.submit(download, s3, uri, target) for uri, target in targets]:
            done.result()


def _manifest(s3: Any, uri: str) -> Iterator[tuple[str, str, str]]:
    bucket, key = bucket_and_key(uri)
    try:
        entries = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        prefix, names = entries[0]["prefix"], entries[1:]
    except ClientError as error:
        raise DataError(f"Data download failed:Unable to download object {uri} {_said(error)}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(
            f'Data download failed:the manifest {uri} is not [{{"prefix": "s3://..."}}, "name", ...]'
        ) from error
    for name in names:
        yield *bucket_and_key(prefix + name), name


def download(s3: Any, uri: str, target: Path) -> None:
    """Write one object to `target`; NotDownloaded where S3 doesn't give it."""
    bucket, key = bucket_and_key(uri)
    try:
        found = s3.get_object(Bucket=bucket, Key=key)["Body"]
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as file:
            shutil.copyfileobj(found, file)
    except ClientError as error:
        raise NotDownloaded(f"Data download failed:Unable to download object {uri} {_said(error)}") from error
    except OSError as error:  # one object's key is another one's folder, or the disk is full
        raise DataError(f"Data download failed:Failed to write data. {uri}: {error}") from error


def extract(archive: Path, folder: Path) -> None:
    """Unpack a .tar.gz into `folder`; DataError where it isn't one, or where a member would land outside."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{archive.name} could not be extracted as a .tar.gz archive: {error}") from error


def files_in(folder: Path) -> list[Path]:
    """Every file in `folder` and below it, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def upload(s3: Any, path: Path, uri: str, key_id: str | None = None) -> None:
    """Write one file to the object `uri`, encrypted by the KMS key `key_id`; DataError where S3 doesn't take it."""
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    try:
        with open(path, "rb") as file:
            s3.upload_fileobj(file, *bucket_and_key(uri), ExtraArgs=encryption)
    except ClientError as error:
        raise DataError(f"Artifact upload failed:Unable to upload object {uri} {_said(error)}") from error


def upload_folder(s3: Any, folder: Path, uri: str, key_id: str | None = None) -> None:
    """Write every file in `folder` to S3 below `uri`, under the names it has there."""
    for path in files_in(folder):
        upload(s3, path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", key_id)


def upload_archive(s3: Any, folder: Path, uri: str, key_id: str | None = None) -> None:
    """Pack everything in `folder` into a .tar.gz object at `uri`."""
    packed = folder.with_name(folder.name + ".tar.gz")
    with tarfile.open(packed, "w:gz", compresslevel=6) as tar:
        for entry in sorted(os.listdir(folder)):
            tar.add(folder / entry, arcname=entry)
    upload(s3, packed, uri, key_id)
    packed.unlink()
