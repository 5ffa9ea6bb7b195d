"""What `make run` refuses before it starts anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2013-13"], "AS_OF=2013-13 is no month: write it as yyyy-mm, for example 2013-06"),
        (["--as-of", "nonsense"], "AS_OF=nonsense is no month"),
        (["--test-months", "0"], "TEST_MONTHS=0 is no number of months from 1 to 12"),
        (["--test-months", "abc"], "TEST_MONTHS=abc is no number of months"),
        (["--pipeline", "nothing"], "there is no pipeline 'nothing' in dags/, only flight_delay"),
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


def test_invoking_before_anything_runs_says_what_to_do(tmp_path: Path) -> None:
    environment = {**os.environ, "SILVERLINE_STATE": str(tmp_path)}
    command = [sys.executable, "-m", "laptop", "invoke"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and "`make run` brings it up" in done.stderr
