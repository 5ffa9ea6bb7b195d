"""Glue's databases and tables."""

from typing import Any

from werkzeug import Request, Response

from local_aws.console import queries
from local_aws.console.clients import client
from local_aws.console.page import Page

MOST_PARTITIONS = 200
PREVIEW_ROWS = 20


def all_tables(request: Request) -> Page:
    """The databases that there are, with their tables."""
    glue = client("glue")
    databases = [found for page in glue.get_paginator("get_databases").paginate() for found in page["DatabaseList"]]
    of_each = {
        database["Name"]: [
            table
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"])
            for table in page["TableList"]
        ]
        for database in databases
    }
    return Page("tables.html", "Tables", {"databases": of_each})


def table(request: Request, database: str, table: str) -> Page | Response:
    """One table: its columns, partitions and where it is; a POST previews its first rows through Athena."""
    described = client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    sql = f"select * from {queries.quoted(database)}.{queries.quoted(table)} limit {PREVIEW_ROWS}"
    if request.method == "POST":
        return queries.start(sql, request.form.get("workgroup", ""), "")
    partitions, more = _partitions(database, table) if described.get("PartitionKeys") else ([], False)
    values = {
        "database": database,
        "table": described,
        "storage": described.get("StorageDescriptor") or {},
        "partitions": partitions,
        "more": more,
        "sql": sql,
        "rows": PREVIEW_ROWS,
        "workgroups": queries.workgroups(),
    }
    return Page("table.html", f"{database}.{table}", values)


def _partitions(database: str, table: str) -> tuple[list[dict[str, Any]], bool]:
    """The partitions, and whether there are more than these."""
    found: list[dict[str, Any]] = []
    for page in client("glue").get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table):
        found += page["Partitions"]
        if len(found) > MOST_PARTITIONS:
            return found[:MOST_PARTITIONS], True
    return sorted(found, key=lambda partition: partition["Values"]), False
