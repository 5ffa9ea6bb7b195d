"""Every DAG file as Airflow sees it: imports, speed, docs, owners, retries, timeouts."""

import ast
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from silverline import alerts

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))


@pytest.fixture(scope="module")
def dagbag() -> DagBag:
    return DagBag(dag_folder=DAGS, include_examples=False)


def tasks(dagbag: DagBag) -> list[Any]:
    return [task for dag in dagbag.dags.values() for task in dag.tasks]


def test_every_file_gives_the_dag_of_its_own_name_without_an_import_error(
    dagbag: DagBag, record_property: Callable[[str, object], None]
) -> None:
    for stat in dagbag.dagbag_stats:
        record_property(f"parsed {stat.file}", f"{stat.duration.total_seconds() * 1000:.0f} ms")
    assert dagbag.import_errors == {}
    assert sorted(dagbag.dags) == [path.stem for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_airflow_finds_a_dag_in_the_file_without_running_it(path: Path) -> None:
    content = path.read_text().lower()
    assert "airflow" in content and "dag" in content  # dag_discovery_safe_mode skips the file otherwise


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dag_file_imports_nothing_slow(path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(DAGS)!r}); import {path.stem}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "awswrangler", "pyarrow", "sklearn", "mlflow"} & set(done.stdout.split())
    assert not heavy, f"{path.name} imports {heavy} when it is parsed"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dag_file_imports_only_airflow_pendulum_and_silverline(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert imported <= {"airflow", "pendulum", "silverline"}


def test_every_dag_has_docs_tags_and_runs_one_at_a_time(dagbag: DagBag) -> None:
    for dag in dagbag.dags.values():
        assert dag.doc_md and dag.description and dag.tags
        assert dag.max_active_runs == 1 and dag.catchup is False


def test_every_task_has_an_owner_retries_a_timeout_and_docs(dagbag: DagBag) -> None:
    for task in tasks(dagbag):
        assert task.owner != "airflow", task.task_id
        assert task.retries >= 1, task.task_id
        assert isinstance(task.execution_timeout, timedelta), task.task_id
        assert task.doc_md, task.task_id


def test_people_are_told_of_failed_tasks_failed_runs_and_late_runs(dagbag: DagBag) -> None:
    assert {dag.on_failure_callback for dag in dagbag.dags.values()} == {alerts.run_failed}
    for dag in [dag for dag in dagbag.dags.values() if "sagemaker" in dag.tags]:
        (deadline,) = dag.deadline
        assert deadline.interval == timedelta(hours=3)
    assert {tuple(task.on_failure_callback) for task in tasks(dagbag)} == {(alerts.task_failed,)}


def test_operators_that_wait_for_aws_free_their_slot(dagbag: DagBag) -> None:
    waiting = [task for task in tasks(dagbag) if hasattr(task, "deferrable")]
    assert waiting and all(task.deferrable for task in waiting)


def test_what_is_deployed_waits_for_approval_and_the_report_tells_of_any_decision(dagbag: DagBag) -> None:
    dag = dagbag.dags["flight_delay"]
    deploying = [task for task in dag.tasks if task.task_id.startswith("deploy.") and not task.is_teardown]
    assert deploying and all(
        "approve.decide" in task.get_flat_relative_ids(upstream=True) and task.trigger_rule == "all_success"
        for task in deploying
    )
    assert dag.get_task("report").trigger_rule == dag.get_task("approve.decide").trigger_rule == "none_failed"


@pytest.mark.parametrize(("dag_id", "plan"), [("flight_delay", "bronze.plan"), ("flight_delay_batch", "plan")])
def test_a_run_whose_plan_refuses_to_go_on_stops_no_jobs(dagbag: DagBag, dag_id: str, plan: str) -> None:
    (setup,) = [task for task in dagbag.dags[dag_id].get_task("stop_jobs").upstream_list if task.is_setup]
    assert plan in setup.get_flat_relative_ids(upstream=True) and setup.trigger_rule == "all_success"


def test_nothing_waits_for_what_mlflow_is_told_and_no_run_fails_by_it(dagbag: DagBag) -> None:
    track = dagbag.dags["flight_delay"].get_task("register.track")
    assert track.upstream_task_ids == {"evaluate.gate", "register.register"} and not track.downstream_task_ids
    assert track.is_teardown and not track.on_failure_fail_dagrun


def test_nothing_below_dags_asks_where_it_runs() -> None:
    for path in DAGS.rglob("*.py"):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        assert not {"AWS_ENDPOINT_URL", "is_local", "IS_LOCAL"} & names, path
        assert "AWS_ENDPOINT_URL" not in path.read_text(), path
