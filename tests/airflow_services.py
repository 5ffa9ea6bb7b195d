"""Airflow's services as `make run` starts them, with a state of their own."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sagemaker_requests import eventually

from laptop import airflow, services, settings
from laptop.progress import FINISHED
from laptop.settings import REPOSITORY, Settings
from ports import free_ports

# Several of them share two cores: a scheduler that looks five times a second takes an eighth of one for that alone.
UNHURRIED = {"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1"}


@contextmanager
def state_in(folder: Path) -> Iterator[None]:
    """`laptop`, in this process, keeps its state in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (settings, airflow):
            patch.setattr(module, "STATE", folder)
        patch.setattr(services, "RECORDS", folder / "services")
        yield


@contextmanager
def serving[A: airflow.Api](dag_file: Path, state: Path, aws_url: str, api: type[A]) -> Iterator[A]:
    """An Airflow on the local AWS at `aws_url`, which has no DAGs but those of a file that is called as one of them."""
    (port,) = free_ports(1)
    ours = Settings(int(aws_url.rpartition(":")[2]), port)
    dags = state / "dags"
    dags.mkdir()
    shutil.copy(dag_file, dags)
    folders = {"AIRFLOW__CORE__DAGS_FOLDER": str(dags), "PYTHONPATH": str(REPOSITORY / "dags")}
    with state_in(state):
        try:
            airflow.start(ours.environment() | folders | UNHURRIED)
            running = api(ours)
            running.wait_until_ready()
            running.wait_for_dag(dag_file.stem)
            running.unpause(dag_file.stem)
            yield running
        finally:
            services.stop_all()


def read_what_is_asked() -> None:
    """Be no faster than a person is. An answer within the seconds in which a task defers can make Airflow's scheduler
    take the task for killed, and its next try asks anew (https://github.com/apache/airflow/issues/72716)."""
    time.sleep(10)


def run(api: airflow.Api, dag_id: str, **params: Any) -> tuple[str, dict[str, str]]:
    """The id of a run with these params, and the states in which its tasks and, under "run", itself have ended."""
    run_id = str(api.trigger(dag_id, params)["dag_run_id"])
    eventually(lambda: api.run(dag_id, run_id)["state"], FINISHED.__contains__, 300, every=2)
    states = {task["task_id"]: task["state"] for task in api.task_instances(dag_id, run_id)}
    return run_id, states | {"run": api.run(dag_id, run_id)["state"]}
