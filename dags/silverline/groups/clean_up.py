"""What is left when a run is over, however it ended, and what is said of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from silverline import alerts
from silverline.platform import platform
from silverline.runs import run_digest, run_slug
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
    watch(spec, verdict(report))


def verdict(report: Any) -> Any:
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
    return judged.as_teardown(on_failure_fail_dagrun=True)


def watch(spec: Spec, judged: Any) -> None:
    """`watch`, after `judged`: in red and alone where CloudWatch doesn't take what there is to say of the run."""

    @task(
        execution_timeout=timedelta(minutes=5),  # the next run waits for this one's last task
        doc_md="Tells CloudWatch of the run, however it ended: durations of its steps, rows, the model's metrics, what "
        "the gate and the canary said, and what it has cost. Its log events lead from the run to its jobs.",
    )
    def watch() -> None:
        from silverline import costs, jobs, metrics, run_metrics

        context, place = get_current_context(), platform()
        dag_id, run, ti = context["dag"].dag_id, context["dag_run"], context["ti"]
        tasks = list(ti.get_task_breadcrumbs(dag_id, run.run_id))
        now = datetime.now(UTC)
        said = [
            *run_metrics.events(
                dag_id,
                tasks,
                (now - run.start_date).total_seconds(),
                next((task["state"] for task in tasks if task["task_id"] == judged.operator.task_id), "none"),
                lambda task_id: ti.xcom_pull(task_ids=task_id),
            ),
            *run_metrics.cost(
                spec,
                jobs.of_run(spec.aws_name, run_slug(run), run_digest(run)),
                *costs.scanned(place, run.start_date, now),
            ),
        ]
        called = {"dag": dag_id, "run": run.run_id, "run_slug": run_slug(run), "run_digest": run_digest(run)}
        metrics.write(place, spec.name, f"{dag_id}/{run_slug(run)}", called, said)

    watched = watch()
    judged >> watched
    watched.as_teardown()  # the kind of task that Airflow doesn't count for a run's state
