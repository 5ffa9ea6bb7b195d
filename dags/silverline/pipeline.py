"""Builds a pipeline's DAG from its spec: bronze, silver, train, evaluate, register, approve, deploy."""

from typing import Any

from airflow.sdk import DAG, Asset, AssetAll, AssetAny, Param, TriggerRule, task

from silverline.groups.approve import approve
from silverline.groups.bronze import bronze
from silverline.groups.clean_up import clean_up
from silverline.groups.deploy import deploy
from silverline.groups.evaluate import evaluate
from silverline.groups.register import register
from silverline.groups.silver import silver
from silverline.groups.train import train
from silverline.months import MONTH
from silverline.runs import FIRST, dag_arguments
from silverline.schedule import asset_or_backfill
from silverline.spec import PipelineSpec

ROW_COUNTS = ("rows_in", "rows_out", "rows_quarantined")
GATED = ("decision", "reasons", "metrics", "answers", "evaluation", "champion")


def pipeline(spec: PipelineSpec, doc_md: str) -> DAG:
    """The DAG of `spec`; it reads the Airflow variables `platform` and `git_commit` when its tasks run."""
    with DAG(
        dag_id=spec.name,
        doc_md=doc_md,
        schedule=asset_or_backfill(_news(spec) | Asset(f"{spec.name}.drift"), FIRST),
        params={
            "as_of": Param(None, type=["null", "string"], pattern=f"^{MONTH}$", description="test month, yyyy-mm"),
            **_split_params(spec),
            **_tuning_params(spec),
        },
        **dag_arguments(spec),
    ) as dag:
        planned = bronze(spec)
        counted, published, unusable = silver(spec, planned)
        trained = train(spec, planned, published)
        gated = evaluate(spec, planned, trained)
        package = register(spec, planned, trained.split, gated, trained.chosen)
        smoke = deploy(spec, approve(spec, gated, package))

        @task(
            trigger_rule=TriggerRule.NONE_FAILED,
            doc_md="What the run did, in one place: rows, metrics beside champion and baselines, decision, endpoint.",
        )
        def report(
            plan: dict[str, Any],
            counts: list[dict[str, Any]],
            gated: dict[str, Any],
            package: str,
            smoke: dict[str, Any] | None,
            chosen: dict[str, Any] | None,
            unusable: list[list[dict[str, Any]] | None],
        ) -> dict[str, Any]:
            from silverline import model_packages

            status, description = model_packages.approval(package)
            return {
                "as_of": plan["as_of"],
                "splits": plan["splits"],
                "computed_months": plan["compute"],
                "rows": {name: sum(row[name] for row in counts) for name in ROW_COUNTS},
                # Of the months that this run has computed.
                "unusable": [row for of_a_stage in unusable for row in of_a_stage or []],
                **{name: gated[name] for name in GATED},
                "tuning": chosen and chosen["sentence"],  # None where nothing was tuned
                "model_package": package,
                "approval": {"status": status, "description": description},
                "endpoint": spec.aws_name,
                # None where nothing was deployed: one of another package is of a time before tasks were cleared.
                "smoke_test": smoke if smoke and smoke["package"] == package else None,
            }

        reported = report(planned, counted, gated, package, smoke, trained.chosen, unusable)
        # After everything that starts jobs, and again with whatever of it runs again.
        clean_up(spec, setup=trained.source, last=gated, report=reported)
    return dag


def _news(spec: PipelineSpec) -> Asset | AssetAll | AssetAny:
    """The assets that are new where there is something new to learn from: of the silver tables all."""
    silver = AssetAll(*map(Asset, spec.silver_sources))
    if not (spec.monthly_sources or spec.reference_sources):
        return silver
    raw = Asset(f"{spec.name}.bronze")
    return raw | silver if spec.silver_sources else raw


def _split_params(spec: PipelineSpec) -> dict[str, Param]:
    if spec.split_by == "key":
        return {}
    about = "months of test up to as_of"
    return {"test_months": Param(spec.test_months, type="integer", minimum=1, maximum=12, description=about)}


def _tuning_params(spec: PipelineSpec) -> dict[str, Param]:
    if spec.tuning is None:
        return {}
    return {"tune": Param(spec.tuning.every_run, type="boolean", description="look for hyperparameters first")}
