"""Renders the statements of glue_like_sql/ and runs them on Athena, in a workgroup that says where results lie."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import awswrangler as wr
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from silverline.platform import Platform

# Beside this package, because MWAA carries nothing but the dags/ folder; in the repository it is a link.
SQL_FOLDER = Path(__file__).parents[1] / "glue_like_sql"


def render(pipeline: str, name: str, **parameters: Any) -> str:
    """The statement of glue_like_sql/`pipeline`/`name`.sql; UndefinedError where it uses a parameter not given."""
    environment = Environment(loader=FileSystemLoader(SQL_FOLDER / pipeline), undefined=StrictUndefined)
    return environment.get_template(f"{name}.sql").render(**parameters)


def digest(pipeline: str) -> str:
    """A hash of the statements and bronze tables of `pipeline`: another one means that silver has to be made anew."""
    folder = SQL_FOLDER / pipeline
    content = hashlib.sha256()
    for path in sorted([*folder.rglob("*.sql"), *folder.rglob("*.json")]):
        if "gold" in path.relative_to(folder).parts:
            continue  # made of silver
        content.update(f"{path.relative_to(folder)}\0{path.read_text()}\0".encode())
    return content.hexdigest()


def execute(statement: str, database: str, platform: Platform) -> None:
    """Run a statement that gives no rows (INSERT, UNLOAD, DDL) to its end; QueryFailed with Athena's reason."""
    wr.athena.start_query_execution(statement, database=database, workgroup=platform.athena_workgroup, wait=True)


def rows(statement: str, database: str, platform: Platform) -> Iterator[Mapping[str, Any]]:
    """The result of a small SELECT, a dict a row; missing values are None."""
    frame = wr.athena.read_sql_query(
        statement, database=database, ctas_approach=False, workgroup=platform.athena_workgroup, keep_files=False
    )
    for record in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        yield {str(column): value for column, value in record.items()}
