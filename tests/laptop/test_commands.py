"""What `make run` refuses before it starts anything."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ports import free_ports

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2013-13"], "AS_OF=2013-13 is no month: write it as yyyy-mm, for example 2013-06"),
        (["--as-of", "nonsense"], "AS_OF=nonsense is no month"),
        (["--month", "2013"], "MONTH=2013 is no month: write it as yyyy-mm, for example 2013-06"),
        (["--test-months", "0"], "TEST_MONTHS=0 is no number of months from 1 to 12"),
        (["--test-months", "abc"], "TEST_MONTHS=abc is no number of months"),
        (["--tune", "yes"], "TUNE=yes is neither true nor false"),
        (["--pipeline", "nothing"], "there is no pipeline 'nothing' in dags/, only airport_weather"),
    ],
)
def test_a_bad_setting_is_refused_at_once_and_nothing_is_started(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    state = tmp_path / "state"
    environment = {**os.environ, "SILVERLINE_STATE": str(state)}
    command = [sys.executable, "-m", "laptop", "run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1
    assert message in done.stderr
    assert not state.exists()


@pytest.mark.parametrize(
    "command", [["history"], ["reproduce", "1"], ["cost"], ["invoke"], ["announce"]], ids=lambda command: command[0]
)
@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("nothing", "there is no pipeline 'nothing' in dags/, only airport_weather"),
        ("monitoring", "monitoring trains no model"),
    ],
)
def test_a_command_about_what_is_no_pipeline_says_so(
    tmp_path: Path, command: list[str], pipeline: str, message: str
) -> None:
    if pipeline == "monitoring" and command[0] in ("invoke", "announce"):
        message = "make run"  # there is no endpoint, no Airflow
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path / "state")}
    asked = [sys.executable, "-m", "laptop", *command, "--pipeline", pipeline]
    done = subprocess.run(asked, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "state").exists()


def test_where_jobs_can_not_have_their_own_opt_ml_nothing_is_started(tmp_path: Path) -> None:
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path / "state"), "PATH": str(tmp_path)}  # no unshare
    command = [sys.executable, "-m", "laptop", "run"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and "Linux's user namespaces: use Linux" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2013-3", "2013-12"], "FROM=2013-3 is no month: write it as yyyy-mm, for example 2013-03"),
        (["2013-03", "2013-13"], "TO=2013-13 is no month"),
        (["2013-05", "2013-03"], "FROM=2013-05 comes after TO=2013-03"),
        (["2013-03", "2013-05", "--again", "yes"], "AGAIN=yes is neither true nor false"),
        (["2013-03", "2013-05", "--pipeline", "nothing"], "there is no pipeline 'nothing' in dags/"),
    ],
)
def test_a_backfill_of_no_months_is_refused_at_once(tmp_path: Path, arguments: list[str], message: str) -> None:
    state = tmp_path / "state"
    environment = {**os.environ, "SILVERLINE_STATE": str(state)}
    command = [sys.executable, "-m", "laptop", "backfill", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and message in done.stderr
    assert not state.exists()


def test_a_name_that_no_environment_can_have_is_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path), "SILVERLINE_ENV": "../x"}
    command = [sys.executable, "-m", "laptop", "run"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and "ENV=../x is no environment" in done.stderr


@pytest.mark.parametrize("command", ["run", "airflow"])
def test_an_environment_that_is_not_there_is_refused_with_the_command_that_lays_it(
    tmp_path: Path, local_aws: Any, command: str
) -> None:
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path), "SILVERLINE_ENV": "nowhere"}
    port = f"--aws-port={local_aws.url.rpartition(':')[2]}" if command == "run" else "--airflow-port=8799"
    done = subprocess.run(
        [sys.executable, "-m", "laptop", command, port], capture_output=True, text=True, env=environment, cwd=ROOT
    )
    assert done.returncode == 1
    assert "has no /silverline/nowhere/platform" in done.stderr
    assert "terraform -chdir=infra/terraform/examples/local apply -var environment=nowhere" in done.stderr
    assert not list(tmp_path.glob("nowhere/services/*"))


def test_where_no_local_aws_answers_the_commands_that_start_it_are_given(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path), "SILVERLINE_ENV": "dev"}
    command = [sys.executable, "-m", "laptop", "run", f"--aws-port={port}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1
    assert f"python -m local_aws --port {port} --enforce-iam --state-dir {tmp_path}/dev/local_aws" in done.stderr


def test_airflow_on_ones_own_account_asks_for_credentials_first(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    none = files | {"AWS_EC2_METADATA_DISABLED": "true"}
    ours = {"SILVERLINE_STATE": str(tmp_path), "SILVERLINE_ENV": "dev", "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-m", "laptop", "airflow"]
    done = subprocess.run(command, capture_output=True, text=True, env=inherited | none | ours, cwd=ROOT)
    assert done.returncode == 1 and "there are no AWS credentials: log in as for the AWS CLI" in done.stderr


def test_invoking_before_anything_runs_says_what_to_do(tmp_path: Path) -> None:
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path)}
    command = [sys.executable, "-m", "laptop", "invoke"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and "`make run` brings it up" in done.stderr
