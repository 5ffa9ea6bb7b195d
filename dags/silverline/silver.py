"""Silver by write, audit, publish: tables are staged under the run's own prefix, audited, and only then moved in place.

A reader of a month sees the old one or the new one: what moves is the location of its Glue partition. A crash leaves
the old one, and whatever it staged is dropped by the next run. Tables move one after another, the feature table last,
and a run that ends between two of them is made good by the next one, because only the feature table tells what is done.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import awswrangler as wr
import boto3

from silverline import sql
from silverline.platform import Platform
from silverline.spec import PipelineSpec, Stage

FINGERPRINT = "source_fingerprint"


def published_months(platform: Platform, table: str) -> dict[str, str]:
    """The months of a silver table, each with the fingerprint of what it was made of; empty where it doesn't exist."""
    glue = boto3.client("glue")
    try:
        pages = glue.get_paginator("get_partitions").paginate(DatabaseName=platform.silver_database, TableName=table)
        return {
            partition["Values"][0]: partition.get("Parameters", {}).get(FINGERPRINT, "")
            for page in pages
            for partition in page["Partitions"]
        }
    except glue.exceptions.EntityNotFoundException:
        return {}


def stage(platform: Platform, spec: PipelineSpec, stage: Stage, months: Sequence[str], run: str) -> dict[str, str]:
    """Write the tables of `stage` for `months` under the run's prefix; returns each one's staged name."""
    staged: dict[str, str] = {}
    for folder, tables in (("staging", stage.staged), ("silver", stage.published)):
        for table in tables:
            name = f"{_staged_prefix(spec)}{run.replace('-', '_')}__{table}"
            statement = sql.render(spec.name, f"{folder}/{table}", months=list(months), **_names(platform, staged))
            _create_empty_table(platform, name, statement, f"s3://{platform.silver_bucket}/{spec.name}/runs/{run}/")
            sql.execute(f"insert into {name}\n{statement}", platform.silver_database, platform)
            staged[table] = name
            print(f"staged {table} for {len(months)} months as {name}", flush=True)
    return staged


def audit(
    platform: Platform, spec: PipelineSpec, stage: Stage, months: Sequence[str], staged: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Every check of glue_like_sql/<pipeline>/audit/<stage.audit>.sql that did not hold, with its detail in words."""
    statement = sql.render(spec.name, f"audit/{stage.audit}", months=list(months), **_names(platform, staged))
    checks = [dict(row) for row in sql.rows(statement, platform.silver_database, platform)]
    for check in checks:
        print(f"{'ok  ' if check['is_ok'] else 'FAIL'} {check['month']} {check['check_name']}: {check['detail']}")
    if not checks:
        raise RuntimeError(f"audit/{stage.audit}.sql gave no checks at all for {', '.join(months)}")
    return [check for check in checks if not check["is_ok"]]


def publish(
    platform: Platform, spec: PipelineSpec, stage: Stage, fingerprints: Mapping[str, str], staged: Mapping[str, str]
) -> None:
    """Move the months of each published table to what was staged; a month without a row gets an empty place."""
    glue = boto3.client("glue")
    for table in stage.published:
        try:
            source = glue.get_table(DatabaseName=platform.silver_database, Name=staged[table])["Table"]
        except glue.exceptions.EntityNotFoundException as error:
            raise RuntimeError(f"the staged table {staged[table]} is gone: clear its task `stage` as well") from error
        storage = source["StorageDescriptor"]
        root = storage["Location"].rstrip("/")
        _create_or_update_table(platform, spec, table, source)
        for month, fingerprint in fingerprints.items():
            partition: Any = {
                "Values": [month],
                "StorageDescriptor": {**storage, "Location": f"{root}/month={month}/"},
                "Parameters": {FINGERPRINT: fingerprint},
            }
            name = {"DatabaseName": platform.silver_database, "TableName": table}
            try:
                glue.create_partition(**name, PartitionInput=partition)
            except glue.exceptions.AlreadyExistsException:
                glue.update_partition(**name, PartitionValueList=[month], PartitionInput=partition)
        print(f"published {platform.silver_database}.{table}: {', '.join(fingerprints)}")


def drop_staged(platform: Platform, spec: PipelineSpec) -> list[str]:
    """Forget every staged table of the pipeline, also of crashed runs, and delete the data that was not published."""
    live = _published_locations(platform, spec)
    names = []
    for table in wr.catalog.get_tables(database=platform.silver_database, name_prefix=_staged_prefix(spec)):
        location = f"{table['StorageDescriptor']['Location'].rstrip('/')}/"
        if not any(place.startswith(location) for place in live):
            wr.s3.delete_objects(location)
        wr.catalog.delete_table_if_exists(database=platform.silver_database, table=table["Name"])
        names.append(table["Name"])
    return names


def _published_locations(platform: Platform, spec: PipelineSpec) -> list[str]:
    tables = {table for stage in spec.stages for table in stage.published}
    known = {table["Name"] for table in wr.catalog.get_tables(database=platform.silver_database)}
    return [
        location
        for table in tables & known
        for location in wr.catalog.get_partitions(database=platform.silver_database, table=table)
    ]


def _create_empty_table(platform: Platform, name: str, statement: str, folder: str) -> None:
    """A table of the columns that `statement` yields, its data to come into `folder`.

    Made without data and then moved: a workgroup that says where results lie says so of CREATE TABLE AS as well.
    """
    wr.athena.create_ctas_table(
        f"{statement}\nwith no data",
        database=platform.silver_database,
        ctas_table=name,
        storage_format="parquet",
        write_compression="snappy",
        partitioning_info=["month"],
        workgroup=platform.athena_workgroup,
        wait=True,
    )
    glue = boto3.client("glue")
    made = glue.get_table(DatabaseName=platform.silver_database, Name=name)["Table"]
    kept: Any = {key: made[key] for key in ("Name", "TableType", "PartitionKeys", "Parameters", "StorageDescriptor")}
    kept["StorageDescriptor"]["Location"] = f"{folder}{name}/"
    glue.update_table(DatabaseName=platform.silver_database, TableInput=kept)


def _create_or_update_table(platform: Platform, spec: PipelineSpec, table: str, source: Mapping[str, Any]) -> None:
    glue = boto3.client("glue")
    table_input: Any = {
        "Name": table,
        "Description": f"Published by the pipeline {spec.name}, audited by its SQL.",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {
            **source["StorageDescriptor"],
            "Location": f"s3://{platform.silver_bucket}/{spec.name}/{table}/",
        },
        "PartitionKeys": source["PartitionKeys"],
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
    }
    try:
        glue.create_table(DatabaseName=platform.silver_database, TableInput=table_input)
    except glue.exceptions.AlreadyExistsException:
        glue.update_table(DatabaseName=platform.silver_database, TableInput=table_input)


def _names(platform: Platform, staged: Mapping[str, str]) -> dict[str, Any]:
    candidate = {table: f"{platform.silver_database}.{name}" for table, name in staged.items()}
    return {"bronze": platform.bronze_database, "silver": platform.silver_database, "candidate": candidate}


def _staged_prefix(spec: PipelineSpec) -> str:
    return f"staged__{spec.name}__"
