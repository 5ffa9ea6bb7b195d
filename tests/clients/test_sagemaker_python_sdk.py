"""The SageMaker Python SDK, unmodified and in its own environment: its trainer, processors, transformer, tuner, model
builder, registry and endpoint work by AWS_ENDPOINT_URL alone."""

import json
import os
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
from slope_model import INFERENCE, TRAIN

pytestmark = [pytest.mark.long(45), pytest.mark.timeout(900)]
PYTHON = Path(__file__).parents[2] / ".envs" / "sagemaker-sdk" / "bin" / "python"
DOUBLE = """
    import pathlib, sys
    for path in pathlib.Path("/opt/ml/processing/input/rows").rglob("*.csv"):
        pathlib.Path("/opt/ml/processing/output", path.name).write_text(path.read_text() * int(sys.argv[2]))
    print("repeated", sys.argv[2], "times")
"""
BROKEN = "raise ValueError('the data is bad')"


@pytest.fixture(scope="module")
def journey(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the SDK logged on the way of sdk_journey.py, and what that saw."""
    folder = tmp_path_factory.mktemp("sdk")
    scripts = {"train.py": TRAIN, "inference.py": INFERENCE, "double.py": DOUBLE, "broken.py": BROKEN}
    (folder / "code").mkdir()
    for name, script in scripts.items():
        (folder / "code" / name).write_text(textwrap.dedent(script))
    (folder / "data").mkdir()
    (folder / "data" / "rows.csv").write_text("1,2\n3,4\n")
    config = folder / "config.yaml"
    config.write_text("{SchemaVersion: '1.0', SageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}}")
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("sdk_journey.py"), folder, "sdk-bucket"],
        env={**os.environ, "SAGEMAKER_USER_CONFIG_OVERRIDE": str(config)},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def seen(journey: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return journey[1]


def test_model_trainer_trains_by_the_sdks_own_drivers(seen: dict[str, Any]) -> None:
    assert seen["trained"] == ["Completed", {"loss": 0.25}]


def test_model_trainer_shows_the_jobs_log(journey: tuple[str, dict[str, Any]]) -> None:
    assert "Running Basic Script driver" in journey[0] and "rows=2;" in journey[0]


def test_model_trainer_says_why_a_job_failed(seen: dict[str, Any]) -> None:
    assert "Final Resource State: Failed. Failure Reason: AlgorithmError: " in seen["broken"]
    assert "ValueError: the data is bad" in seen["broken"]


@pytest.mark.parametrize(("processor", "times"), [("script", 2), ("framework", 3)])
def test_processors_run_a_local_script_on_local_data(seen: dict[str, Any], processor: str, times: int) -> None:
    assert seen[processor] == "1,2\n3,4\n" * times


def test_a_processors_log_is_shown(journey: tuple[str, dict[str, Any]]) -> None:
    assert "repeated 2 times" in journey[0]


def test_transformer_joins_answers_to_the_input(seen: dict[str, Any]) -> None:
    assert seen["transformed"] == "1,2,2.5,5.0\n3,4,7.5,10.0\n"


def test_hyperparameter_tuner_finds_the_best_job_and_has_a_table_of_all(seen: dict[str, Any]) -> None:
    assert seen["tuned"] == ["3", 2]


def test_an_endpoint_of_model_builder_answers_and_refuses(seen: dict[str, Any]) -> None:
    assert seen["answer"] == [2.5, 5.0]
    assert seen["refused"] == "ModelError"


def test_model_builder_registers_a_model(seen: dict[str, Any]) -> None:
    assert seen["registered"] == "Approved"


def test_what_the_sdk_has_made_it_deletes(seen: dict[str, Any]) -> None:
    assert seen["left"] == []
