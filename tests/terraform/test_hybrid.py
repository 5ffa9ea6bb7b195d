"""Airflow on this machine, everything else in an AWS account: a local AWS that only Terraform has touched."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from terraform_cli import REPOSITORY, Platform

from laptop import services, settings
from laptop.airflow import Api
from laptop.settings import Settings
from ports import free_ports


@pytest.fixture(scope="module")
def environment(platform_on_local_aws: Platform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The shell of a user who is logged in to that account."""
    state = tmp_path_factory.mktemp("hybrid")
    ours = {"SILVERLINE_ENV": platform_on_local_aws.environment, "SILVERLINE_STATE": str(state)}
    return platform_on_local_aws.aws.environment | ours


@pytest.fixture
def airflow(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """`make airflow ENV=dev`, which has said where it is; Ctrl-C at the end leaves nothing running."""
    state = Path(environment["SILVERLINE_STATE"]) / environment["SILVERLINE_ENV"]
    monkeypatch.setattr(settings, "STATE", state)
    monkeypatch.setattr(services, "RECORDS", state / "services")
    (port,) = free_ports(1)
    running = subprocess.Popen(
        [sys.executable, "-m", "laptop", "airflow", f"--airflow-port={port}"],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = "".join(takewhile(lambda line: "Ctrl-C" not in line, running.stdout or []))
        assert f"Airflow   http://127.0.0.1:{port}  (user admin, password " in said
        api = Api(Settings(0, port))
        api.wait_until_ready()
        yield api
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    assert not services.any_alive()


def test_the_pipeline_plans_on_what_the_users_credentials_lead_to(airflow: Api, environment: dict[str, str]) -> None:
    loading = [sys.executable, "-m", "laptop", "demo-data"]
    loaded = subprocess.run(loading, env=environment, cwd=REPOSITORY, capture_output=True, text=True)
    assert "27 files loaded" in loaded.stdout, loaded.stderr
    airflow.wait_for_dag("flight_delay")
    run_id = airflow.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    deadline = time.monotonic() + 120
    state = None
    while state not in ("success", "failed") and time.monotonic() < deadline:
        states = {task["task_id"]: task["state"] for task in airflow.task_instances("flight_delay", run_id)}
        state = states["bronze.plan"]
        time.sleep(0.5)
    assert state == "success", airflow.log_lines("flight_delay", run_id, "bronze.plan", 1)
    assert airflow.xcom("flight_delay", run_id, "bronze.plan")["compute"] == ["2013-01", "2013-02", "2013-03"]
    airflow.fail_unfinished_runs("flight_delay")
