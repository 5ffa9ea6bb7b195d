"""moto's Glue, without what it says it runs: jobs, crawlers and workflows of which nothing comes."""

from collections.abc import Callable
from typing import Any

from moto.glue.responses import GlueResponse

from local_aws.exceptions import NotImplementedHere

TABLES = "Make tables by Athena's CREATE EXTERNAL TABLE and MSCK REPAIR TABLE, or by CreateTable."
QUERIES = "Transform data by Athena's queries, or by SageMaker processing jobs."


def _refusal(operation: str, instead: str) -> Callable[[Any], Any]:
    def refuse(response: Any) -> Any:
        raise NotImplementedHere(operation, instead)

    return refuse


def install() -> None:
    """Put refusals in the place of moto's methods."""
    GlueResponse.start_crawler = _refusal("StartCrawler", TABLES)
    GlueResponse.start_job_run = _refusal("StartJobRun", QUERIES)
    GlueResponse.start_trigger = _refusal("StartTrigger", QUERIES)
    GlueResponse.start_workflow_run = _refusal("StartWorkflowRun", QUERIES)
