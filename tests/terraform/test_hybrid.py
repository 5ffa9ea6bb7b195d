"""Airflow on this machine, everything else in an AWS account: a local AWS that only Terraform has touched.

What a user does is done with its commands: deploy, demo-data, airflow."""

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
from silverline import source

FIRST_TASKS = {"bronze.plan", "train.find_source"}  # those that wait for no other


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


def command(environment: dict[str, str], *arguments: str) -> str:
    """What one of our commands says, as its make target calls it."""
    whole = [sys.executable, "-m", *arguments]
    done = subprocess.run(whole, env=environment, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_pipeline_plans_on_what_the_users_credentials_lead_to(airflow: Api, environment: dict[str, str]) -> None:
    assert "`make airflow ENV=dev`" in command(environment, "deploy", "--env", "dev")
    assert "27 files loaded" in command(environment, "laptop", "demo-data")
    airflow.wait_for_dag("flight_delay")
    run_id = airflow.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    deadline = time.monotonic() + 120
    states: dict[str, str] = {}
    while not states.keys() >= FIRST_TASKS and time.monotonic() < deadline:
        tasks = {task["task_id"]: task["state"] for task in airflow.task_instances("flight_delay", run_id)}
        states = {name: tasks[name] for name in FIRST_TASKS if tasks[name] in ("success", "failed")}
        time.sleep(0.5)
    assert states == dict.fromkeys(FIRST_TASKS, "success"), airflow.task_instances("flight_delay", run_id)
    found = airflow.xcom("flight_delay", run_id, "train.find_source")
    assert found == f"s3://silverline-dev-artifacts-123456789012/{source.key('flight_delay')}"
    assert airflow.xcom("flight_delay", run_id, "bronze.plan")["compute"] == ["2013-01", "2013-02", "2013-03"]
    airflow.fail_unfinished_runs("flight_delay")
