"""What becomes of a DAG run where MLflow is there, where it is down, and where there is none."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from small_model import PLATFORM, gate, plan

import airflow_runs
from ports import free_ports
from silverline import registration

pytestmark = [pytest.mark.timeout(300), pytest.mark.long(60)]


@pytest.fixture(scope="module")
def run_dag(model: str) -> Iterator[Callable[[], tuple[str, dict[str, str]]]]:
    """Runs the DAG of tracked.py with Airflow; returns the run's state and its tasks'."""
    with pytest.MonkeyPatch.context() as patch:
        airflow_runs.prepare(Path(__file__).parent / "tracked.py", patch)
        from tracked import dag

        patch.setenv("AIRFLOW_VAR_PLATFORM", json.dumps(vars(PLATFORM)))

        def run() -> tuple[str, dict[str, str]]:
            ended = dag.test(run_conf={"plan": plan(), "gate": gate(model)})
            return str(ended.state), {ti.task_id: str(ti.state) for ti in ended.get_task_instances()}

        yield run


def test_without_an_mlflow_the_task_is_skipped(run_dag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    state, tasks = run_dag()
    assert state == "success" and tasks["register.track"] == "skipped" and tasks["deploy"] == "success"


def test_with_one_the_run_is_told_of_under_its_own_name(
    run_dag: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    state, tasks = run_dag()
    assert state == "success" and set(tasks.values()) == {"success"}
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("flight_delay-test")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.tags["dag_run"].startswith("manual__")


def test_where_it_is_down_the_task_is_red_the_model_is_deployed_and_the_run_is_green(
    run_dag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    state, tasks = run_dag()
    assert tasks.pop("register.track") == "failed"
    assert state == "success" and set(tasks.values()) == {"success"}


def test_where_nothing_was_registered_the_run_is_red_and_there_is_nothing_to_tell(
    run_dag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.delattr(registration, "register")
    state, tasks = run_dag()
    assert state == "failed" and tasks["register.register"] == "failed"
    assert tasks["register.track"] == "skipped" and tasks["deploy"] == "upstream_failed"
