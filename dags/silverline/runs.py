"""How a DAG runs, and the names that a run gives to what it makes in AWS."""

import hashlib
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import get_current_context

from silverline.spec import Spec

POLL_SECONDS = 5  # between two looks at a job or an endpoint


def run_slug(dag_run: Any) -> str:
    """A name for the run that AWS takes anywhere (20 letters of [0-9a-f-]), the same for each try of each task."""
    return f"{dag_run.run_after:%Y%m%d-%H%M%S}-{hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:4]}"


def run_digest(dag_run: Any) -> str:
    """The same in 8 letters of [0-9a-f], for names that are to be short."""
    return hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:8]


def dag_arguments(spec: Spec) -> dict[str, Any]:
    """What every DAG of a pipeline has in common, as arguments of `DAG`."""
    return {
        "description": spec.description,
        "start_date": pendulum.datetime(2013, 1, 1, tz="UTC"),
        "catchup": False,
        "max_active_runs": 1,  # two runs would publish the same months and update the same endpoint
        "tags": list(spec.tags),
        "default_args": {
            "owner": spec.owner,
            "retries": 1,
            "retry_delay": timedelta(seconds=10),
            "execution_timeout": timedelta(minutes=15),
        },
        "user_defined_macros": {"run_slug": run_slug, "run_digest": run_digest},
    }


def attempt() -> str:
    """The run's slug with the number of the running task's try: the name of what must not be written twice."""
    context = get_current_context()
    return f"{run_slug(context['dag_run'])}-{context['ti'].try_number}"
