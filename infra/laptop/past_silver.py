"""Silver as it was: made again from the versions of bronze's files, in a place of its own, and gone afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import awswrangler as wr
import boto3
from botocore.exceptions import ClientError

from laptop import bronze as bronze_tables
from laptop.services import ServiceError
from silverline import bronze, months, silver
from silverline.bronze import File
from silverline.platform import Platform
from silverline.spec import PipelineSpec

NAMED_FILES = 5
GONE = ("404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed")  # 405: the version is a deletion


def missing(manifest: Mapping[str, Any]) -> list[str]:
    """The files of the manifest whose versions are no longer there, as they were."""
    s3, gone = boto3.client("s3"), []
    for file in manifest["files"]:
        try:
            head = s3.head_object(Bucket=manifest["bucket"], Key=file["key"], VersionId=file["version_id"])
            is_there = head["ETag"] == file["etag"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            is_there = False
        if not is_there:
            gone.append(f"s3://{manifest['bucket']}/{file['key']} (version {file['version_id']})")
    return gone


@contextmanager
def made_again(
    platform: Platform, spec: PipelineSpec, manifest: Mapping[str, Any], as_of: str, sql_digest: str, run: str
) -> Iterator[Platform]:
    """The platform, its bronze and silver being databases that hold just the files of the manifest and what the SQL
    makes of them; ServiceError naming the files whose versions are gone. Databases and files are deleted in the end."""
    if silver_sources := manifest.get("silver"):
        raise ServiceError(
            f"silver can't be made again: {spec.name} is made of {', '.join(silver_sources)}, and what these were "
            "made of is known to the lineage of their own pipelines' models"
        )
    if gone := missing(manifest):
        more = f" and {len(gone) - NAMED_FILES} more" if len(gone) > NAMED_FILES else ""
        raise ServiceError(
            f"silver can't be made again: {len(gone)} raw files are gone in the versions that the model was made of: "
            f"{', '.join(gone[:NAMED_FILES])}{more}"
        )
    name = f"silverline_{platform.environment}_{run.replace('-', '_')}"
    place = replace(platform, bronze_database=f"{name}_bronze", silver_database=f"{name}_silver")
    folder = f"{spec.name}/runs/{run}/"  # where also silver.stage writes
    glue = boto3.client("glue")
    try:
        for database in (place.bronze_database, place.silver_database):
            glue.create_database(DatabaseInput={"Name": database, "Description": "Made by `make reproduce`, to go."})
        _copy(manifest, platform.silver_bucket, f"{folder}bronze/")
        for table in (*spec.monthly_sources, *spec.reference_sources):
            described = bronze_tables.tables()[table]
            below = f"{platform.silver_bucket}/{folder}bronze"
            bronze_tables.create_or_update(table, described, place.bronze_database, below)
        compute(place, spec, [File(**file) for file in manifest["files"]], as_of, sql_digest, run)
        yield place
    finally:
        for database in (place.bronze_database, place.silver_database):
            try:
                glue.delete_database(Name=database)  # and its tables
            except glue.exceptions.EntityNotFoundException:
                pass  # it was not reached
        wr.s3.delete_objects(f"s3://{platform.silver_bucket}/{folder}")


def _copy(manifest: Mapping[str, Any], bucket: str, folder: str) -> None:
    s3 = boto3.client("s3")
    for file in manifest["files"]:
        source = {"Bucket": manifest["bucket"], "Key": file["key"], "VersionId": file["version_id"]}
        s3.copy(source, bucket, f"{folder}{file['key']}")  # type: ignore[arg-type]


def compute(place: Platform, spec: PipelineSpec, files: Sequence[File], as_of: str, sql_digest: str, run: str) -> None:
    """Every month up to `as_of` as the pipeline computes it. It isn't audited: the same rows were, and the data version
    tells whether they are the same."""
    inventory = bronze.inventory(files, spec.monthly_sources)
    references = bronze.references(place, files, spec.reference_sources)
    fingerprints = {
        month: months.fingerprint(month, inventory, references, sql_digest)
        for month in months.counted(min(inventory), as_of, inventory, spec.split_by)
    }
    for stage in spec.stages:
        staged = silver.stage(place, spec, stage, list(fingerprints), run)
        silver.publish(place, spec, stage, fingerprints, staged)
