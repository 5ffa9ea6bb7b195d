"""Names that a run gives to what it makes in AWS."""

import hashlib
from typing import Any

from airflow.sdk import get_current_context

POLL_SECONDS = 5  # between two looks at a job or an endpoint


def run_slug(dag_run: Any) -> str:
    """A name for the run that AWS takes anywhere (20 letters of [0-9a-f-]), the same for each try of each task."""
    return f"{dag_run.run_after:%Y%m%d-%H%M%S}-{hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:4]}"


def attempt() -> str:
    """The run's slug with the number of the running task's try: the name of what must not be written twice."""
    context = get_current_context()
    return f"{run_slug(context['dag_run'])}-{context['ti'].try_number}"
