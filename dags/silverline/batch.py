"""Builds a pipeline's batch DAG from its spec: plan, score, publish."""

from typing import Any

from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from silverline.groups.clean_up import clean_up
from silverline.groups.gold import gold
from silverline.groups.score import NO_MODEL, score
from silverline.months import MONTH
from silverline.platform import platform
from silverline.runs import dag_arguments
from silverline.spec import BatchSpec


def batch(spec: BatchSpec, doc_md: str) -> DAG:
    """The DAG of `spec`; it reads the Airflow variable `platform` when its tasks run."""
    with DAG(
        dag_id=f"{spec.name}_batch",
        doc_md=doc_md,
        schedule=Asset(f"{spec.name}.{spec.feature_table}") | Asset(f"{spec.name}.endpoint"),
        params={
            "month": Param(None, type=["null", "string"], pattern=f"^{MONTH}$", description="month to score, yyyy-mm"),
            "prefix": Param(
                None, type=["null", "string"], pattern="^s3://[^/]+/.+/$", description="JSON Lines to score as `month`"
            ),
        },
        **dag_arguments(spec),
    ) as dag:

        @task(doc_md="Which months are scored, and of what.")
        def plan() -> dict[str, Any]:
            from silverline import predictions, silver

            place, params = platform(), get_current_context()["params"]
            published = silver.published_months(place, spec.feature_table)
            scored = silver.published_months(place, spec.table, "gold")
            try:
                months = predictions.choose_months(params["month"], params["prefix"], published, scored)
            except ValueError as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence
            return {
                "months": months,
                "prefix": params["prefix"],
                "fingerprints": {month: published.get(month, "") for month in months},
            }

        @task(trigger_rule=TriggerRule.NONE_FAILED, doc_md="What was scored and published, or why nothing was.")
        def report(plan: dict[str, Any], model: dict[str, Any] | None) -> dict[str, Any]:
            from silverline import predictions

            if model is None:
                return {"months": plan["months"], "skipped": NO_MODEL}
            place = platform()
            return {
                "months": plan["months"],
                "model": model["name"],
                "table": f"{place.gold_database}.{spec.table}",
                "summary": predictions.summary(place, spec, plan["months"]),
            }

        planned = plan()
        model, requests, scored = score(spec, planned)
        reported = report(planned, model)
        gold(spec, planned, model, requests, scored) >> reported
        clean_up(spec, setup=requests, last=scored, report=reported)
    return dag
