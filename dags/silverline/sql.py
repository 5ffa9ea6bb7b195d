"""Renders the statements of glue_like_sql/ and runs them on Athena, in a workgroup that says where results lie."""

import hashlib
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import awswrangler as wr
import boto3
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from silverline import contracts, datasets
from silverline.platform import Platform

# Without a default session awswrangler makes one for every call, each of which reads the services' models anew, and a
# role's credentials.
if boto3.DEFAULT_SESSION is None:
    boto3.setup_default_session()
CONTRACT = "contract.sql"
SQL_FOLDER = contracts.SQL_FOLDER


def render(pipeline: str, name: str, **parameters: Any) -> str:
    """The statement of glue_like_sql/`pipeline`/`name`.sql; UndefinedError where it uses a parameter not given.

    It may import contract.sql, which makes a bronze table's contract SQL.
    """
    loader = FileSystemLoader([SQL_FOLDER / pipeline, SQL_FOLDER])
    environment = Environment(loader=loader, undefined=StrictUndefined)
    environment.globals["contract_of"] = contracts.read
    return environment.get_template(f"{name}.sql").render(**parameters)


def exists(pipeline: str, name: str) -> bool:
    """Whether the pipeline has such a statement."""
    return (SQL_FOLDER / pipeline / f"{name}.sql").exists()


def digest(pipeline: str) -> str:
    """A hash of the statements and bronze tables of `pipeline`: another one means that silver has to be made anew."""
    folder = SQL_FOLDER / pipeline
    content = hashlib.sha256()
    for path in sorted([*folder.rglob("*.sql"), *folder.rglob("*.json")]):
        if {"gold", "monitoring"} & set(path.relative_to(folder).parts):
            continue  # made of silver
        text = path.read_text()
        content.update(f"{path.relative_to(folder)}\0{text}\0".encode())
        if CONTRACT in text:
            content.update((SQL_FOLDER / CONTRACT).read_bytes())
    return content.hexdigest()


def execute(statement: str, database: str, platform: Platform) -> None:
    """Run a statement that gives no rows (INSERT, UNLOAD, DDL) to its end; QueryFailed with Athena's reason.

    A query that nobody waits for any more is stopped: it would go on writing where a retry or a clean-up is at work.
    """
    query = wr.athena.start_query_execution(statement, database=database, workgroup=platform.athena_workgroup)
    with _terminable():
        try:
            wr.athena.wait_query(query)
        except (wr.exceptions.QueryFailed, wr.exceptions.QueryCancelled):
            raise
        except BaseException:
            wr.athena.stop_query_execution(query)
            raise
    datasets.record_query(statement, database, platform)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, by which Airflow ends a task, as an exception; in the main thread, where Python hears of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def rows(statement: str, database: str, platform: Platform) -> Iterator[Mapping[str, Any]]:
    """The result of a small SELECT, a dict a row; missing values are None."""
    frame = wr.athena.read_sql_query(
        statement, database=database, ctas_approach=False, workgroup=platform.athena_workgroup, keep_files=False
    )
    for record in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        yield {str(column): value for column, value in record.items()}
