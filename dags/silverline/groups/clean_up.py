"""What is left when a run is over, however it ended."""

from typing import Any

from airflow.sdk import get_current_context, task

from silverline.platform import platform
from silverline.spec import PipelineSpec


def clean_up(spec: PipelineSpec, setup: Any, last: Any) -> Any:
    """`stop_jobs`, after `last` and whenever `setup` ended well: no job of this DAG goes on that nobody waits for."""

    @task(doc_md="Stops the SageMaker jobs that killed, cleared or crashed tasks have left, and says which they were.")
    def stop_jobs() -> list[str]:
        from silverline import jobs

        return jobs.stop_all(platform(), get_current_context()["dag"].dag_id, spec.aws_name)

    stopped = stop_jobs()
    last >> stopped
    return stopped.as_teardown(setups=setup)
