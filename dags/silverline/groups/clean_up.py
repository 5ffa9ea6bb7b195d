"""What is left when a run is over, however it ended, and what is said of it."""

from typing import Any

from airflow.sdk import get_current_context, task

from silverline import alerts
from silverline.platform import platform
from silverline.spec import Spec


def clean_up(spec: Spec, setup: Any, last: Any, report: Any) -> None:
    """`stop_jobs`, after `last` whenever `setup` ended well, and `verdict`, after `report`."""

    @task(doc_md="Stops the SageMaker jobs that killed, cleared or crashed tasks have left, and says which they were.")
    def stop_jobs() -> list[str]:
        from silverline import jobs

        return jobs.stop_all(platform(), get_current_context()["dag"].dag_id, spec.aws_name)

    stopped = stop_jobs()
    last >> stopped
    stopped.as_teardown(setups=setup, on_failure_fail_dagrun=True)
    verdict(report)


def verdict(report: Any) -> None:
    """`verdict`, which fails the run unless `report` is well.

    Airflow calls a run that a person marks as failed a success, where only skipped tasks and teardowns that are well
    are left of it: hence a teardown that comes last, counts, and is not well then.
    """
    reported = report.operator.task_id

    @task(doc_md="Fails unless the run came to its report: a run that a person has marked as failed is not green.")
    def verdict() -> None:
        context = get_current_context()
        dag_id, run_id = context["dag"].dag_id, context["dag_run"].run_id
        states = context["ti"].get_task_states(dag_id, task_ids=[reported], run_ids=[run_id])
        if (state := states.get(run_id, {}).get(reported)) != "success":
            given_up = state == "skipped"
            raise alerts.Consequence("the run was given up" if given_up else f"see the tasks before: no {reported}")

    judged = verdict()
    report >> judged
    judged.as_teardown(on_failure_fail_dagrun=True)
