"""Athena's queries: those that were run, their results, and a box to run one."""

import itertools
from typing import Any

from werkzeug import Request, Response

from local_aws.console.clients import client
from local_aws.console.page import Page

MOST_QUERIES, MOST_ROWS = 50, 1000
FOLLOW_SECONDS, LIST_SECONDS = 1, 5  # where a query runs
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def all_queries(request: Request) -> Page | Response:
    """The newest queries of all workgroups; a POST runs one, and leads to it. `from` puts an earlier one's SQL into
    the box, `sql` any."""
    if request.method == "POST":
        form = request.form
        return start(form.get("sql", ""), form.get("workgroup", ""), form.get("database", ""))
    groups = workgroups()
    sql, group, database = request.args.get("sql", ""), "", ""
    if earlier := request.args.get("from"):
        execution = client("athena").get_query_execution(QueryExecutionId=earlier)["QueryExecution"]
        sql, group = execution["Query"], execution["WorkGroup"]
        database = execution.get("QueryExecutionContext", {}).get("Database", "")
    pages = client("glue").get_paginator("get_databases").paginate()
    databases = [found["Name"] for page in pages for found in page["DatabaseList"]]
    found = _newest(groups)
    values = {
        "queries": found,
        "workgroups": groups,
        "databases": databases,
        "sql": sql,
        "workgroup": group,
        "database": database,
        "most": MOST_QUERIES,
    }
    running = any(query["Status"]["State"] not in ENDED for query in found)
    return Page("queries.html", "Queries", values, refresh=LIST_SECONDS if running else 0)


def query(request: Request, query_id: str) -> Page:
    """One query: its state, reason and statistics, and its result as a table."""
    athena = client("athena")
    execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    state = execution["Status"]["State"]
    header, rows, more = _result(execution) if state == "SUCCEEDED" else ([], [], False)
    values = {"query": execution, "state": state, "header": header, "rows": rows, "more": more, "most": MOST_ROWS}
    return Page("query.html", "Query", values, refresh=0 if state in ENDED else FOLLOW_SECONDS)


def start(sql: str, workgroup: str, database: str) -> Response:
    """Run a query, and lead to its page."""
    context = {"QueryExecutionContext": {"Database": database}} if database else {}
    started = client("athena").start_query_execution(QueryString=sql, WorkGroup=workgroup or "primary", **context)
    return Response(status=303, headers={"Location": f"/_console/queries/{started['QueryExecutionId']}"})


def workgroups() -> list[str]:
    """The workgroups' names, first those that say where results go: the others need to be told."""
    athena = client("athena")
    names = [group["Name"] for group in athena.list_work_groups()["WorkGroups"] if group["State"] == "ENABLED"]
    located = {}
    for name in names:
        configuration = athena.get_work_group(WorkGroup=name)["WorkGroup"].get("Configuration", {})
        located[name] = bool(configuration.get("ResultConfiguration", {}).get("OutputLocation"))
    return sorted(names, key=lambda name: (not located[name], name))


def quoted(name: str) -> str:
    """A database's or table's name as a SELECT has it."""
    return '"' + name.replace('"', '""') + '"'


def _newest(groups: list[str]) -> list[dict[str, Any]]:
    athena = client("athena")
    ids = [
        query_id
        for group in groups
        for query_id in athena.list_query_executions(WorkGroup=group, MaxResults=MOST_QUERIES)["QueryExecutionIds"]
    ]
    found = [
        execution
        for batch in itertools.batched(ids, 50)
        for execution in athena.batch_get_query_execution(QueryExecutionIds=list(batch))["QueryExecutions"]
    ]
    found.sort(key=lambda execution: execution["Status"]["SubmissionDateTime"], reverse=True)
    return found[:MOST_QUERIES]


def _result(execution: dict[str, Any]) -> tuple[list[str], list[list[str | None]], bool]:
    """The columns' names, the rows, None for NULL, and whether there are more."""
    pages = (
        client("athena")
        .get_paginator("get_query_results")
        .paginate(
            QueryExecutionId=execution["QueryExecutionId"],
            PaginationConfig={"MaxItems": MOST_ROWS + 2, "PageSize": 1000},
        )
    )
    header: list[str] = []
    rows: list[list[str | None]] = []
    for page in pages:
        header = [column["Label"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
    if execution.get("StatementType") == "DML" and rows and rows[0] == header:  # a SELECT's result begins with it
        rows = rows[1:]
    return header, rows[:MOST_ROWS], len(rows) > MOST_ROWS
