"""Silver and gold by write, audit, publish: tables are staged under the run's own prefix, audited, then moved in place.

A reader of a month sees the old one or the new one: what moves is the location of its Glue partition. A crash leaves
the old one, and whatever it staged is dropped by the next run. Tables move one after another, silver's feature table
last, and a run that ends between two of them is made good by the next one: done is a month that all tables have alike.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import awswrangler as wr
import boto3

from silverline import catalog, datasets, sql
from silverline.platform import Platform
from silverline.spec import Spec, Stage

FINGERPRINT, PUBLISHED_AT = "source_fingerprint", "published_at"


def published_months(platform: Platform, table: str, layer: str = "silver") -> dict[str, str]:
    """The months of a published table, each with the fingerprint of what it is made of; empty where there is none."""
    return {
        partition["Values"][0]: partition.get("Parameters", {}).get(FINGERPRINT, "")
        for partition in _partitions(platform, table, layer)
    }


def published_at(platform: Platform, table: str) -> dict[str, datetime]:
    """The months of a published table of silver, each with when that was, or when it first was, before runs said so."""
    return {
        partition["Values"][0]: datetime.fromisoformat(said) if said else partition["CreationTime"]
        for partition in _partitions(platform, table, "silver")
        for said in [partition.get("Parameters", {}).get(PUBLISHED_AT)]
    }


def runs(platform: Platform, table: str) -> dict[str, str]:
    """The months of a published table, each with the run that computed it, as `runs.attempt` calls it: what is
    published stays where it was staged."""
    return {
        partition["Values"][0]: partition["StorageDescriptor"]["Location"].partition("/runs/")[2].partition("/")[0]
        for partition in _partitions(platform, table, "silver")
    }


def made_months(platform: Platform, spec: Spec) -> dict[str, str]:
    """The months that every table of the spec has, and from the same sources, each with the fingerprint of these."""
    first, *others = (
        published_months(platform, table, stage.layer) for stage in spec.stages for table in stage.published
    )
    return {month: made_of for month, made_of in first.items() if all(made_of == other.get(month) for other in others)}


def row_counts(platform: Platform, spec: Spec, months: Sequence[str]) -> list[dict[str, Any]]:
    """Rows in, out and quarantined of each of the months, by the pipeline's audit/row_counts.sql."""
    statement = sql.render(
        spec.name,
        "audit/row_counts",
        bronze=platform.bronze_database,
        silver=platform.silver_database,
        months=list(months),
    )
    return [dict(row) for row in sql.rows(statement, platform.silver_database, platform)]


def stage(
    platform: Platform,
    spec: Spec,
    stage: Stage,
    months: Sequence[str],
    run: str,
    parameters: Mapping[str, str] = {},
) -> dict[str, str]:
    """Write the tables of `stage` for `months` under the run's prefix; returns each one's staged name.

    `parameters` are those of the SQL that not every stage has.
    """
    staged: dict[str, str] = {}
    database = platform.database(stage.layer)
    for folder, tables in (("staging", stage.staged), (stage.layer, stage.published)):
        for table in tables:
            name = staged_name(spec, run, table)
            print(f"staging {table} by glue_like_sql/{spec.name}/{folder}/{table}.sql", flush=True)
            statement = sql.render(
                spec.name, f"{folder}/{table}", **_names(platform, stage, months, staged, parameters)
            )
            _create_empty_table(platform, stage.layer, name, statement, _runs(platform, spec, stage.layer) + f"{run}/")
            sql.execute(f"insert into {name}\n{statement}", database, platform)
            staged[table] = name
            print(f"staged {table} for {len(months)} months as {name}", flush=True)
    return staged


def audit(
    platform: Platform,
    spec: Spec,
    stage: Stage,
    months: Sequence[str],
    staged: Mapping[str, str],
    parameters: Mapping[str, str] = {},
) -> list[dict[str, Any]]:
    """Every check of glue_like_sql/<pipeline>/audit/<stage.audit>.sql that did not hold, with its detail in words."""
    print(f"auditing by glue_like_sql/{spec.name}/audit/{stage.audit}.sql", flush=True)
    statement = sql.render(spec.name, f"audit/{stage.audit}", **_names(platform, stage, months, staged, parameters))
    checks = [dict(row) for row in sql.rows(statement, platform.database(stage.layer), platform)]
    for check in checks:
        print(f"{'ok  ' if check['is_ok'] else 'FAIL'} {check['month']} {check['check_name']}: {check['detail']}")
    if not checks:
        raise RuntimeError(f"audit/{stage.audit}.sql gave no checks at all for {', '.join(months)}")
    return [check for check in checks if not check["is_ok"]]


def quarantined(platform: Platform, stage: Stage, staged: Mapping[str, str]) -> list[dict[str, Any]]:
    """Why rows of the stage's staged quarantine can't be used: table, reason, count, examples; most frequent first."""
    return [
        dict(row)
        for table in stage.published
        if table.endswith("quarantine")
        for row in sql.rows(
            sql.render(".", "quarantined", quarantine=staged[table]), platform.database(stage.layer), platform
        )
    ]


def publish(
    platform: Platform, spec: Spec, stage: Stage, fingerprints: Mapping[str, str], staged: Mapping[str, str]
) -> None:
    """Move the months of each published table to what was staged; a month without a row gets an empty place."""
    glue = boto3.client("glue")
    database = platform.database(stage.layer)
    for table in stage.published:
        try:
            source = glue.get_table(DatabaseName=database, Name=staged[table])["Table"]
        except glue.exceptions.EntityNotFoundException as error:
            raise RuntimeError(f"the staged table {staged[table]} is gone: clear its task `stage` as well") from error
        storage = source["StorageDescriptor"]
        root = storage["Location"].rstrip("/")
        _create_or_update_table(platform, spec, stage.layer, table, source)
        for month, fingerprint in fingerprints.items():
            partition: Any = {
                "Values": [month],
                "StorageDescriptor": {**storage, "Location": f"{root}/month={month}/"},
                "Parameters": {FINGERPRINT: fingerprint, PUBLISHED_AT: datetime.now(UTC).isoformat()},
            }
            name = {"DatabaseName": database, "TableName": table}
            try:
                glue.create_partition(**name, PartitionInput=partition)
            except glue.exceptions.AlreadyExistsException:
                glue.update_partition(**name, PartitionValueList=[month], PartitionInput=partition)
        print(f"published {database}.{table}: {', '.join(fingerprints)}")
        datasets.record([root], [_published_location(platform, spec, stage.layer, table)])


def drop_staged(platform: Platform, spec: Spec) -> list[str]:
    """Forget every staged table of the spec's layers, also of crashed runs, and delete the data that was not published.

    A staged table over data that lies elsewhere than with the runs is forgotten, and its data stays.
    """
    names = []
    for layer in sorted({stage.layer for stage in spec.stages}):
        live = _published_locations(platform, spec, layer)
        for table in wr.catalog.get_tables(database=platform.database(layer), name_prefix=staged_name(spec)):
            location = f"{table['StorageDescriptor']['Location'].rstrip('/')}/"
            if location.startswith(_runs(platform, spec, layer)) and not any(
                place.startswith(location) for place in live
            ):
                wr.s3.delete_objects(location)
            wr.catalog.delete_table_if_exists(database=platform.database(layer), table=table["Name"])
            names.append(table["Name"])
    return names


def staged_name(spec: Spec, run: str = "", table: str = "") -> str:
    """The name of a table that lives for the run only; without run and table, what all of them begin with."""
    return f"staged__{spec.name}__" + (f"{run.replace('-', '_')}__{table}" if table else "")


def _runs(platform: Platform, spec: Spec, layer: str) -> str:
    return f"s3://{platform.bucket(layer)}/{spec.name}/runs/"


def _partitions(platform: Platform, table: str, layer: str) -> list[Any]:
    glue = boto3.client("glue")
    try:
        pages = glue.get_paginator("get_partitions").paginate(DatabaseName=platform.database(layer), TableName=table)
        return [partition for page in pages for partition in page["Partitions"]]
    except glue.exceptions.EntityNotFoundException:
        return []


def _published_locations(platform: Platform, spec: Spec, layer: str) -> list[str]:
    database = platform.database(layer)
    tables = {table for stage in spec.stages if stage.layer == layer for table in stage.published}
    known = {table["Name"] for table in wr.catalog.get_tables(database=database)}
    return [
        location for table in tables & known for location in wr.catalog.get_partitions(database=database, table=table)
    ]


def _create_empty_table(platform: Platform, layer: str, name: str, statement: str, folder: str) -> None:
    """A table of the columns that `statement` yields, its data to come into `folder`.

    Made without data and then moved: a workgroup that says where results lie says so of CREATE TABLE AS as well.
    """
    wr.athena.create_ctas_table(
        f"{statement}\nwith no data",
        database=platform.database(layer),
        ctas_table=name,
        storage_format="parquet",
        write_compression="snappy",
        partitioning_info=["month"],
        workgroup=platform.athena_workgroup,
        wait=True,
    )
    glue = boto3.client("glue")
    made = glue.get_table(DatabaseName=platform.database(layer), Name=name)["Table"]
    kept: Any = {key: made[key] for key in ("Name", "TableType", "PartitionKeys", "Parameters", "StorageDescriptor")}
    kept["StorageDescriptor"]["Location"] = f"{folder}{name}/"
    glue.update_table(DatabaseName=platform.database(layer), TableInput=kept)


def _create_or_update_table(platform: Platform, spec: Spec, layer: str, table: str, source: Mapping[str, Any]) -> None:
    table_input: Any = {
        "Name": table,
        "Description": f"Published by the pipeline {spec.name}, audited by its SQL.",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {
            **source["StorageDescriptor"],
            "Location": _published_location(platform, spec, layer, table),
        },
        "PartitionKeys": source["PartitionKeys"],
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
    }
    catalog.create_or_update_table(platform.database(layer), table_input)


def _published_location(platform: Platform, spec: Spec, layer: str, table: str) -> str:
    return f"s3://{platform.bucket(layer)}/{spec.name}/{table}/"


def _names(
    platform: Platform,
    stage: Stage,
    months: Sequence[str],
    staged: Mapping[str, str],
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    """What the stage's SQL may use."""
    candidate = {table: f"{platform.database(stage.layer)}.{name}" for table, name in staged.items()}
    layers = {"bronze": platform.bronze_database, "silver": platform.silver_database}
    return {**layers, "candidate": candidate, "months": list(months), **parameters}
