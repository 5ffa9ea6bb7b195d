"""moto's Glue, with a search that it lacks, and without what it says it runs: jobs, crawlers, workflows."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from local_aws.exceptions import NotImplementedHere

TABLES = "Make tables by Athena's CREATE EXTERNAL TABLE and MSCK REPAIR TABLE, or by CreateTable."
QUERIES = "Transform data by Athena's queries, or by SageMaker processing jobs."


def _refusal(operation: str, instead: str) -> Callable[[Any], Any]:
    def refuse(response: Any) -> Any:
        raise NotImplementedHere(operation, instead)

    return refuse


def _search_tables(response: Any) -> ActionResult:
    """SearchTables by SearchText: all tables that have it in a name, a description or a parameter, in one page."""
    refused = sorted(response.parameters.keys() & {"Filters", "SortCriteria", "ResourceShareType"})
    if refused:
        raise NotImplementedHere(f"SearchTables with {', '.join(refused)}", "Search by SearchText.")
    text = response.parameters.get("SearchText", "").strip('"').lower()
    backend = response.glue_backend
    tables = [t.as_dict() for database in backend.get_databases() for t in backend.get_tables(database.name, None)]
    return ActionResult({"TableList": [table for table in tables if text in _searched(table)]})


def _searched(table: dict[str, Any]) -> str:
    columns = [*(table.get("StorageDescriptor") or {}).get("Columns", []), *table.get("PartitionKeys", [])]
    parts = [table["Name"], table.get("Description"), *(table.get("Parameters") or {}).values()]
    parts += [column.get(member) for column in columns for member in ("Name", "Comment")]
    return "\n".join(str(part) for part in [*parts, *(table.get("Parameters") or {})] if part).lower()


def install() -> None:
    """Add what moto lacks, and put refusals in the place of what it pretends."""
    GlueResponse.search_tables = _search_tables
    GlueResponse.start_crawler = _refusal("StartCrawler", TABLES)
    GlueResponse.start_job_run = _refusal("StartJobRun", QUERIES)
    GlueResponse.start_trigger = _refusal("StartTrigger", QUERIES)
    GlueResponse.start_workflow_run = _refusal("StartWorkflowRun", QUERIES)
