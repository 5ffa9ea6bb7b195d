"""What is left when a run is over, however it ended."""

from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from silverline.platform import platform
from silverline.spec import Spec


def clean_up(spec: Spec, setup: Any, last: Any, report: Any) -> Any:
    """`stop_jobs`, after `last` whenever `setup` ended well: no job of this DAG goes on that nobody waits for.

    Airflow calls a run that a person marks as failed a success, where only skipped tasks and a teardown that is well
    are left of it: hence the teardown, which counts, is not well where `report` was skipped.
    """

    @task(doc_md="Stops the SageMaker jobs that killed, cleared or crashed tasks have left, and says which they were.")
    def stop_jobs() -> list[str]:
        from silverline import jobs

        context = get_current_context()
        dag_id, run_id = context["dag"].dag_id, context["dag_run"].run_id
        stopped = jobs.stop_all(platform(), dag_id, spec.aws_name)
        states = context["ti"].get_task_states(dag_id, task_ids=[report.operator.task_id], run_ids=[run_id])
        if states.get(run_id, {}).get(report.operator.task_id) == "skipped":
            raise AirflowFailException(f"the run was given up; jobs stopped: {', '.join(stopped) or 'none'}")
        return stopped

    stopped = stop_jobs()
    last >> stopped
    return stopped.as_teardown(setups=setup, on_failure_fail_dagrun=True)
