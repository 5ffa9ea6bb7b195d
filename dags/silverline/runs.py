"""How a DAG runs, and the names that a run gives to what it makes in AWS."""

import hashlib
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import get_current_context
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from silverline import alerts
from silverline.platform import platform
from silverline.spec import Spec

POLL_SECONDS = 5  # between two looks at a job or an endpoint
FIRST = pendulum.datetime(2013, 1, 1, tz="UTC")


def run_slug(dag_run: Any) -> str:
    """A name for the run that AWS takes anywhere (20 letters of [0-9a-f-]), the same for each try of each task."""
    return f"{dag_run.run_after:%Y%m%d-%H%M%S}-{_digest(dag_run)[:4]}"


def run_digest(dag_run: Any) -> str:
    """The same in 8 letters of [0-9a-f], for names that are to be short."""
    return _digest(dag_run)[:8]


def _digest(dag_run: Any) -> str:
    identity = dag_run.run_id
    if backfilled_month(dag_run):
        # A backfill's run is called by its month alone, in every Airflow that works on this environment, and again when
        # the month is done once more.
        identity += dag_run.start_date.isoformat()
    return hashlib.sha256(identity.encode()).hexdigest()


def backfilled_month(dag_run: Any) -> str | None:
    """The month that a run of a backfill stands for; None for any other run."""
    return f"{dag_run.logical_date:%Y-%m}" if dag_run.run_type == "backfill" else None


MACROS = {"run_slug": run_slug, "run_digest": run_digest, "platform": platform}
"""What the requests' templates call."""


def dag_arguments(spec: Spec) -> dict[str, Any]:
    """What every DAG of a pipeline has in common, as arguments of `DAG`."""
    return {
        "description": spec.description,
        "start_date": FIRST,
        "catchup": False,
        "max_active_runs": 1,  # two runs would publish the same months and update the same endpoint
        "tags": list(spec.tags),
        "on_failure_callback": alerts.run_failed,
        "deadline": DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=spec.late_after,
            callback=AsyncCallback("silverline_deadlines.run_late"),  # infra/plugins/
        ),
        "default_args": {
            "owner": spec.owner,
            "retries": 1,
            "retry_delay": timedelta(seconds=10),
            "execution_timeout": timedelta(minutes=15),
            "on_failure_callback": alerts.task_failed,
        },
        "user_defined_macros": MACROS,
    }


def attempt() -> str:
    """The run's slug with the number of the running task's try: the name of what must not be written twice."""
    context = get_current_context()
    return f"{run_slug(context['dag_run'])}-{context['ti'].try_number}"
