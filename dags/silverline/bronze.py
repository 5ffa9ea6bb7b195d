"""Bronze: which raw files have come. The Glue tables over them belong to the infrastructure, as the buckets do."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable

import boto3

from silverline.platform import Platform

MONTH_PREFIX = re.compile(r"/year=(\d{4})/month=(\d{2})/")


def inventory(platform: Platform, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of each month the tables with files for it, and a hash of the names and contents of these files."""
    months: dict[str, dict[str, str]] = defaultdict(dict)
    for table in tables:
        files: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for key, etag in _objects(platform.bronze_bucket, f"{table}/"):
            if match := MONTH_PREFIX.search(key):
                files["-".join(match.groups())].append((key, etag))
        for month, objects in files.items():
            months[month][table] = _hash(objects)
    return dict(months)


def references(platform: Platform, tables: Iterable[str]) -> dict[str, str]:
    """A hash of the files of each table without partitions; FileNotFoundError where there is none."""
    hashes = {}
    for table in tables:
        objects = list(_objects(platform.bronze_bucket, f"{table}/"))
        if not objects:
            raise FileNotFoundError(f"bronze.{table} has no file under s3://{platform.bronze_bucket}/{table}/")
        hashes[table] = _hash(objects)
    return hashes


def _objects(bucket: str, prefix: str) -> Iterable[tuple[str, str]]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return ((item["Key"], item["ETag"]) for page in pages for item in page.get("Contents", []) if item["Size"])


def _hash(objects: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(repr(sorted(objects)).encode()).hexdigest()
