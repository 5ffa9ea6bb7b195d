"""Bronze: which raw files have come. The Glue tables over them belong to the infrastructure, as the buckets do."""

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3

from silverline import contracts
from silverline.platform import Platform

HEADER_BYTES = 65536
MONTH_PREFIX = re.compile(r"^[^/]+/year=(\d{4})/month=(0[1-9]|1[0-2])/")
YEARS = (1900, 1)
"""The first year that bronze's tables have months of, and how many after the present one: what is said as their
projection.year.range."""


class File(NamedTuple):
    """A raw file as it is now: the version keeps it, whatever comes under its name later."""

    table: str
    month: str | None
    key: str
    version_id: str
    etag: str


def files(platform: Platform, tables: Iterable[str]) -> list[File]:
    """The files of the tables, the empty ones left out."""
    return [as_file(table, item) for table, item in newest_versions(platform, tables)]


def newest_versions(platform: Platform, tables: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each file of the tables, the empty ones left out, as S3 lists it, with its table."""
    pages = boto3.client("s3").get_paginator("list_object_versions")
    for table in tables:
        for page in pages.paginate(Bucket=platform.bronze_bucket, Prefix=f"{table}/"):
            yield from ((table, item) for item in page.get("Versions", []) if item["IsLatest"] and item["Size"])


def as_file(table: str, item: Mapping[str, Any]) -> File:
    """The file of the table that S3 lists so."""
    match = MONTH_PREFIX.search(item["Key"])
    return File(table, "-".join(match.groups()) if match else None, item["Key"], item["VersionId"], item["ETag"])


def inventory(listed: Iterable[File], tables: Collection[str]) -> dict[str, dict[str, str]]:
    """Of each month the tables with files for it, and a hash of the names and contents of these files."""
    months: dict[str, dict[str, list[File]]] = defaultdict(lambda: defaultdict(list))
    for file in listed:
        if file.month and file.table in tables:
            months[file.month][file.table].append(file)
    return {month: {table: _hash(files) for table, files in by_table.items()} for month, by_table in months.items()}


def references(platform: Platform, listed: Sequence[File], tables: Iterable[str]) -> dict[str, str]:
    """A hash of the files of each table without partitions; FileNotFoundError where there is none."""
    hashes = {}
    for table in tables:
        files = [file for file in listed if file.table == table]
        if not files:
            raise FileNotFoundError(f"bronze.{table} has no file under s3://{platform.bronze_bucket}/{table}/")
        hashes[table] = _hash(files)
    return hashes


def manifest(platform: Platform, listed: Iterable[File], references: Collection[str], as_of: str) -> dict[str, Any]:
    """The versions of all files that silver is made of up to `as_of`: what makes it again, whatever comes later."""
    used = [file for file in listed if (file.table in references) or (file.month and file.month <= as_of)]
    return {"bucket": platform.bronze_bucket, "files": [file._asdict() for file in sorted(used)]}


def changed(platform: Platform, manifest: Mapping[str, Any], months: Collection[str | None]) -> list[str]:
    """The files of `months`, None for those without one, that came, went or were replaced since `manifest` was made."""
    tables = {file["table"] for file in manifest["files"]}
    known = {(file["key"], file["etag"]) for file in manifest["files"] if file["month"] in months}
    found = {(file.key, file.etag) for file in files(platform, tables) if file.month in months}
    return sorted({key for key, _ in known ^ found})


def misplaced(platform: Platform, listed: Iterable[File], tables: Collection[str]) -> list[str]:
    """The files of the tables, which have a folder a month, that lie in none: Athena does not see them."""
    first, last = YEARS[0], datetime.now(UTC).year + YEARS[1]
    return [
        f"s3://{platform.bronze_bucket}/{file.key}"
        for file in listed
        if file.table in tables and not (file.month and first <= int(file.month[:4]) <= last)
    ]


def broken_headers(platform: Platform, listed: Iterable[File]) -> list[str]:
    """The CSV files whose first line isn't as their contract has it, each with what is wrong, in words."""
    s3, found = boto3.client("s3"), []
    listed = list(listed)
    described = {table: contracts.read(table) for table in {file.table for file in listed}}
    for file in listed:
        contract = described[file.table]
        if contract["format"] != "csv":
            continue
        part = f"bytes=0-{HEADER_BYTES - 1}"
        # Of the newest version, which is the only one that Airflow's role may read.
        answer = s3.get_object(Bucket=platform.bronze_bucket, Key=file.key, Range=part)
        begin = answer["Body"].read()
        if file.key.endswith(".gz"):
            try:
                begin = zlib.decompressobj(wbits=31).decompress(begin)
            except zlib.error:
                found.append(f"s3://{platform.bronze_bucket}/{file.key} is no gzip file, as its name says")
                continue
        line = begin.partition(b"\n")[0].decode(errors="replace")
        if wrong := contracts.broken_header(contract, line):
            found.append(f"s3://{platform.bronze_bucket}/{file.key} {wrong}")
    return found


def _hash(files: Iterable[File]) -> str:
    return hashlib.sha256(repr(sorted((file.key, file.etag) for file in files)).encode()).hexdigest()
