"""Runs a DAG in this process by Airflow's own `dag.test`: its scheduling, its XComs, its triggers, and no service."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from silverline.platform import platform


def prepare(dag_file: Path, patch: pytest.MonkeyPatch) -> None:
    """Make Airflow's database, and `dag_file` one of its DAG files."""
    folder = Path(os.environ["AIRFLOW_HOME"]) / "dags"
    folder.mkdir(exist_ok=True)
    shutil.copy(dag_file, folder)
    done = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    from airflow.sdk.execution_time import supervisor

    # It makes the API that tasks talk to anew for every task, which takes seconds.
    patch.setattr(supervisor, "in_process_api_server", functools.cache(supervisor.in_process_api_server))
    patch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")


def run(dag: Any, **params: Any) -> dict[str, str]:
    """The states of the tasks in the end."""
    platform.cache_clear()  # a task has a process of its own elsewhere
    return {ti.task_id: str(ti.state) for ti in dag.test(run_conf=params).get_task_instances()}
