"""The scripts: models that they have trained, and requests to one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import script_jobs
from channels import days, write_channels
from script_jobs import SEGMENTS_REQUEST, Answer, Job

from local_aws.sagemaker import images

REPOSITORY = Path(__file__).parents[2]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


@pytest.fixture(scope="session")
def image_python() -> Path:
    """The Python of the environment that stands in for the training image."""
    return images.environment(images.named_by(IMAGE), REPOSITORY / ".envs") / "bin" / "python"


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    """Fresh channels that can be trained on: train/, validation/ and test/, of Parquet files."""
    return write_channels(tmp_path / "channels")


@pytest.fixture(scope="session")
def train(image_python: Path) -> Callable[..., Job]:
    """Runs train.py as the training toolkit does, on the channels of a folder."""

    def run(channels: Path, *hyperparameters: str) -> Job:
        return script_jobs.train(image_python, "flight_delay", channels, "--label", "is_late", *hyperparameters)

    return run


@pytest.fixture(scope="session")
def trained(train: Callable[..., Job], tmp_path_factory: pytest.TempPathFactory) -> Job:
    """One job that succeeded."""
    channels = write_channels(tmp_path_factory.mktemp("trained") / "channels")
    told = {"max_iter": 20, "data_version": "v7", "git_commit": "abc123", "cost_missed": 3}
    job = train(channels, *(word for name, value in told.items() for word in (f"--{name}", str(value))))
    assert job.exit_code == 0, job.stderr
    return job


@pytest.fixture(scope="session")
def invoke(
    trained: Job, image_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Answer]]:
    """Sends a request to the trained model behind AWS's own transformer and worker."""
    with script_jobs.serve(image_python, trained.model, tmp_path_factory.mktemp("ml")) as send:
        yield send


@pytest.fixture(scope="session")
def flight(trained: Job) -> dict[str, Any]:
    """A complete flight that the model answers to."""
    return next(row for row in trained.document("golden.json")["request"] if None not in row.values())


@pytest.fixture(scope="session")
def train_segments(image_python: Path) -> Callable[..., Job]:
    """Runs airport_weather's train.py as its pipeline has it run, but for the hyperparameters that are named."""
    told = {name: json.loads(value) for name, value in SEGMENTS_REQUEST["HyperParameters"].items()}
    told = {name: value for name, value in told.items() if not name.startswith("sagemaker_")}

    def run(channels: Path, **hyperparameters: Any) -> Job:
        words = (word for name, value in (told | hyperparameters).items() for word in (f"--{name}", str(value)))
        return script_jobs.train(image_python, "airport_weather", channels, *words)

    return run


@pytest.fixture(scope="session")
def segmented(train_segments: Callable[..., Job], tmp_path_factory: pytest.TempPathFactory) -> Job:
    """One job of airport_weather's that succeeded, on days in which four segments are planted."""
    channels = write_channels(tmp_path_factory.mktemp("segments") / "channels", days)
    job = train_segments(channels, git_commit="abc123")
    assert job.exit_code == 0, job.stderr
    return job
