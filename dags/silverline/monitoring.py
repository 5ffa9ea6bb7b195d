"""Builds the DAG that looks at all pipelines of the environment, one mapped task group each."""

import importlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    CronTriggerTimetable,
    TriggerRule,
    get_current_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowSkipException

from silverline import alerts
from silverline.platform import platform
from silverline.runs import run_slug
from silverline.spec import PipelineSpec

CHECKS: Mapping[str, str] = {
    "bronze": "How old the newest raw file is, and whether files wait for a run.",
    "runs": "Whether the pipeline's last run was well.",
    "jobs": "Which SageMaker jobs have failed since the last look.",
    "orphans": "Which SageMaker jobs go on though no run waits for them.",
    "silver": "How many rows of the newest month can't be used, beside the months before.",
    "endpoint": "Whether the endpoint serves, with which share of errors, and how fast.",
    "traffic": "How far what the endpoint was asked lies from what its model has learned from.",
    "scores": "How far what a batch has scored last lies from what its model was tested on.",
    "quality": "How well the model has answered what is known by now, beside how well it did in the test.",
}
"""What is looked at, by the functions of health.py."""
DRIFT = AssetAlias("drift")
"""Stands for the assets `<pipeline>.drift`: which there are, no file says."""


def monitoring(doc_md: str) -> DAG:
    """The DAG; which pipelines there are it reads from the Airflow variable `platform` when its tasks run."""
    with DAG(
        dag_id="monitoring",
        description="Are all pipelines well? Metrics, and a page a pipeline, once an hour.",
        doc_md=doc_md,
        # Without a start date the first run is at the next 17 past, and not at once for the last.
        schedule=CronTriggerTimetable("17 * * * *", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(minutes=50),
        is_paused_upon_creation=False,  # whatever Airflow's default: one that isn't told to look would never say so
        on_failure_callback=alerts.run_failed,
        tags=["monitoring"],
        default_args={
            "owner": "silverline",
            "retries": 1,
            "retry_delay": timedelta(seconds=10),
            "execution_timeout": timedelta(minutes=10),
            "on_failure_callback": alerts.task_failed,
        },
    ) as dag:

        @task(doc_md="The pipelines of the environment: those that the platform document has a model group for.")
        def pipelines() -> list[str]:
            return sorted(platform().model_package_groups)

        @task_group(group_id="check")
        def check(pipeline: str) -> None:
            found = {name: _looking(name, doc)(pipeline) for name, doc in CHECKS.items()}

            @task(
                trigger_rule=TriggerRule.ALL_DONE,
                doc_md="Writes what was found as metrics and as a page; fails where something could not be looked at.",
            )
            def report(pipeline: str, findings: list[dict[str, Any] | None]) -> str:
                from silverline import health_report, metrics

                place, run = platform(), get_current_context()["dag_run"]
                seen = [finding for finding in findings if finding is not None]
                stream, facts = f"monitoring/{run_slug(run)}", {"dag": "monitoring", "run": run.run_id}
                metrics.write(place, pipeline, stream, facts, health_report.events(seen))
                address = health_report.store(place, pipeline, seen, datetime.now(UTC))
                if unseen := CHECKS.keys() - {finding["check"] for finding in seen}:
                    raise alerts.Consequence(f"could not look at {', '.join(sorted(unseen))}; the rest is in {address}")
                return address

            @task(
                inlets=[DRIFT],
                outlets=[DRIFT],
                doc_md="Tells the pipeline to train again, by the asset `<pipeline>.drift`, where traffic has drifted "
                "away from what the model has learned from; once a model, or each hour would start a run.",
            )
            def retrain(pipeline: str, traffic: dict[str, Any]) -> str:
                from silverline.traffic import served

                model = served(platform(), spec_of(pipeline))
                if traffic["is_well"] is not False or model is None:
                    raise AirflowSkipException("nothing has drifted")
                context, asset = get_current_context(), Asset(f"{pipeline}.drift")
                for event in context["inlet_events"][DRIFT]:
                    if event.asset.name == asset.name and event.extra.get("version") == model.version:
                        raise AirflowSkipException(f"the pipeline knows of it since {event.timestamp:%Y-%m-%d %H:%M}")
                told = {"version": model.version, "sentence": traffic["sentence"]}
                context["outlet_events"][DRIFT].add(asset, extra=told)
                return str(traffic["sentence"])

            report(pipeline, list(found.values()))
            retrain(pipeline, found["traffic"])

        check.expand(pipeline=pipelines())
    return dag


def _looking(name: str, doc_md: str) -> Any:
    """The task that carries out one of health.py's checks for a pipeline."""

    @task(task_id=f"look_at_{name}", doc_md=doc_md)
    def look(pipeline: str) -> dict[str, Any]:
        from silverline import health
        from silverline.health_report import VERDICTS

        context, now = get_current_context(), datetime.now(UTC)
        since = context["prev_start_date_success"] or now - timedelta(hours=1)

        def is_running(dag_id: str) -> bool:
            return bool(context["ti"].get_dr_count(dag_id, states=["queued", "running"]))

        found = health.CHECKS[name](health.Look(platform(), spec_of(pipeline), since, now, is_running))
        print(f"{VERDICTS[found.is_well]}: {found.sentence}", flush=True)
        return asdict(found)

    return look


def spec_of(pipeline: str) -> PipelineSpec:
    """What the DAG file of that name says of the pipeline; ValueError where there is none."""
    try:
        spec = importlib.import_module(pipeline).spec
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"dags/{pipeline}.py has no `spec`: {error}") from error
    assert isinstance(spec, PipelineSpec)
    return spec
