"""Tells OpenLineage, where Airflow is told of a listener, which datasets the running task reads and writes.

A dataset is an address in S3, of an object or of a table's or a channel's prefix, or an ARN. The provider's SageMaker
operators tell of theirs by themselves.
"""

import re
from collections.abc import Iterable
from typing import Any

from silverline.platform import Platform

READ = re.compile(r"\b(?:from|join)\s+(\w+)\.(\w+)", re.IGNORECASE)
INSERTED = re.compile(r"insert into (\w+)", re.IGNORECASE)
UNLOADED = re.compile(r"\)\s*to '(s3://[^']+)'", re.IGNORECASE)


def record(reads: Iterable[str], writes: Iterable[str]) -> None:
    """Emit an event of the running task; nothing without a transport (AIRFLOW__OPENLINEAGE__TRANSPORT)."""
    if not _wanted():
        return
    from airflow.providers.openlineage.api import emit_dataset_lineage

    emit_dataset_lineage(inputs=[dataset(one) for one in reads], outputs=[dataset(one) for one in writes])


def record_query(statement: str, database: str, platform: Platform) -> None:
    """Emit what an INSERT into a table of `database`, or an UNLOAD, reads and writes; nothing for other statements."""
    if not _wanted():
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        writes = [_location(database, table) for table in INSERTED.findall(statement)] + UNLOADED.findall(statement)
        if writes:
            record([_location(*table) for table in tables_read(statement, platform)], writes)
    except (BotoCoreError, ClientError) as error:  # the query itself has succeeded
        print(f"OpenLineage is not told of a query, whose tables can't be looked up: {error}", flush=True)


def tables_read(statement: str, platform: Platform) -> list[tuple[str, str]]:
    """Database and name of each of the platform's tables that the statement selects from."""
    databases = {platform.database(layer) for layer in ("bronze", "silver", "gold")}
    return sorted({(database, table) for database, table in READ.findall(statement) if database in databases})


def dataset(address: str) -> Any:
    """An address as OpenLineage names it: bucket and key, or an ARN's account and resource."""
    from openlineage.client.event_v2 import Dataset

    if address.startswith("arn:"):
        *account, resource = address.split(":", 5)
        return Dataset(namespace=":".join(account), name=resource)
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return Dataset(namespace=f"s3://{bucket}", name=key.rstrip("/"))


def _wanted() -> bool:
    from airflow.providers.openlineage import conf  # the listener itself takes a second to import

    return not conf.is_disabled()


def _location(database: str, table: str) -> str:
    import boto3

    described = boto3.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    return str(described["StorageDescriptor"]["Location"])
