"""`make dashboard`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests

from ports import free_ports

ROOT = Path(__file__).parents[2]
LAY = "from laptop import platform, starting; starting.enter_local_aws(); platform.apply('flight_delay')"


def laptop(state: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SILVERLINE_STATE": str(state), **more}
    python = [sys.executable, *command]
    return subprocess.run(python, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120)


def test_the_environments_dashboard_is_opened_in_the_browser(tmp_path: Path) -> None:
    aws, airflow = free_ports(2)
    url = f"http://127.0.0.1:{aws}/_dashboard/silverline-local"
    (tmp_path / "ports.json").write_text(json.dumps({"aws_port": aws, "airflow_port": airflow}))
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o700)
    try:
        started = laptop(tmp_path, "-c", LAY.rpartition(";")[0])
        assert started.returncode == 0, started.stderr
        nothing = laptop(tmp_path, "-m", "laptop", "dashboard")
        assert nothing.returncode == 1
        assert f"there is no dashboard silverline-local at http://127.0.0.1:{aws}: `make run` lays it" in nothing.stderr
        assert laptop(tmp_path, "-c", LAY).returncode == 0
        done = laptop(tmp_path, "-m", "laptop", "dashboard", BROWSER=f"{browser} %s")
        assert (done.returncode, done.stdout.strip()) == (0, url)
        assert opened.read_text() == url
        assert "flight-delay: invocations and errors" in requests.get(url, timeout=60).text
    finally:
        laptop(tmp_path, "-m", "laptop", "down")


def test_where_local_aws_is_down_it_says_what_brings_it_up(tmp_path: Path) -> None:
    done = laptop(tmp_path, "-m", "laptop", "dashboard")
    assert done.returncode == 1 and "local AWS is not up: `make run` brings it up" in done.stderr
    assert not list(tmp_path.iterdir())


def test_of_an_environment_that_is_not_there_it_says_how_it_is_laid(tmp_path: Path) -> None:
    aws, airflow = free_ports(2)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "ports.json").write_text(json.dumps({"aws_port": aws, "airflow_port": airflow}))
    done = laptop(tmp_path, "-m", "laptop", "dashboard", SILVERLINE_ENV="dev")
    assert done.returncode == 1
    assert f"nothing answers at http://127.0.0.1:{aws}, where dev has to be. Start it" in done.stderr
