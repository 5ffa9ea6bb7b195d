"""The scripts as SageMaker starts them: by the image's own Python, with its folders in SM_ variables."""

import http.client
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from channels import write_channels

from local_aws.sagemaker import images

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = REPOSITORY / "sagemaker_scripts" / "flight_delay"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


class Job(NamedTuple):
    """A training job that has ended."""

    exit_code: int
    stdout: str
    stderr: str
    model: Path
    output: Path

    def document(self, name: str) -> Any:
        """A JSON file of the output folder."""
        return json.loads((self.output / name).read_text())


class Answer(NamedTuple):
    """What came back for a request."""

    status: int
    content_type: str
    body: str

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


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
        model, output = channels.parent / "model", channels.parent / "output" / "data"
        folders = {f"SM_CHANNEL_{path.name.upper()}": str(path) for path in channels.iterdir()}
        folders |= {"SM_MODEL_DIR": str(model), "SM_OUTPUT_DATA_DIR": str(output), "SM_OUTPUT_DIR": str(output.parent)}
        done = subprocess.run(
            [image_python, "train.py", "--label", "is_late", *hyperparameters],
            cwd=SCRIPTS,
            env={**_environment(), **folders},
            capture_output=True,
            text=True,
        )
        return Job(done.returncode, done.stdout, done.stderr, model, output)

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
    base = tmp_path_factory.mktemp("ml")
    (base / "model").symlink_to(trained.model)
    folders = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": str(trained.model / "code")}
    listener = socket.create_server(("127.0.0.1", 0))
    server = subprocess.Popen(
        [image_python, Path(__file__).with_name("aws_serving.py"), f"fd://{listener.fileno()}"],
        env={
            **_environment(),
            **folders,
            "HOME": str(base),
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        },
        pass_fds=[listener.fileno()],
    )
    address = listener.getsockname()
    listener.close()

    def send(body: Any, content_type: str = "application/json", accept: str = "application/json") -> Answer:
        text = body if isinstance(body, str) else json.dumps(body)
        connection = http.client.HTTPConnection(*address, timeout=60)
        connection.request("POST", "/invocations", text.encode(), {"Content-Type": content_type, "Accept": accept})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers.get_content_type(), response.read().decode())
        connection.close()
        return answer

    yield send
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture(scope="session")
def flight(trained: Job) -> dict[str, Any]:
    """A complete flight that the model answers to."""
    return next(row for row in trained.document("golden.json")["request"] if None not in row.values())


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
