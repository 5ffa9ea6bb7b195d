"""The scripts of a pipeline as SageMaker starts them: by the image's own Python, with its folders in SM_ variables."""

import http.client
import json
import os
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from airport_weather import spec as segments_spec
from silverline import sagemaker_requests

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts"
SEGMENTS_REQUEST = sagemaker_requests.training_job(
    segments_spec, "job", "s3://b/splits/", "s3://b/sourcedir.tar.gz", "v7"
)
"""What airport_weather's pipeline asks SageMaker for."""


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


class Evaluation(NamedTuple):
    """An evaluate.py that has ended."""

    exit_code: int
    stderr: str
    output: Path

    def document(self, name: str) -> Any:
        """A JSON file that it wrote."""
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


def train(python: Path, pipeline: str, channels: Path, *words: str) -> Job:
    """Runs the pipeline's train.py as the training toolkit does, on the channels of a folder."""
    model, output = channels.parent / "model", channels.parent / "output" / "data"
    folders = {f"SM_CHANNEL_{path.name.upper()}": str(path) for path in channels.iterdir()}
    folders |= {"SM_MODEL_DIR": str(model), "SM_OUTPUT_DATA_DIR": str(output), "SM_OUTPUT_DIR": str(output.parent)}
    done = subprocess.run(
        [python, "train.py", *words],
        cwd=SCRIPTS / pipeline,
        env={**_environment(), **folders},
        capture_output=True,
        text=True,
    )
    return Job(done.returncode, done.stdout, done.stderr, model, output)


def evaluate(python: Path, pipeline: str, output: Path, **arguments: Any) -> Evaluation:
    """Runs the pipeline's evaluate.py with these arguments, its inputs' folders among them."""
    words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    done = subprocess.run(
        [python, "evaluate.py", *words, "--output", output],
        cwd=SCRIPTS / pipeline,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    return Evaluation(done.returncode, done.stderr, output)


def pack(folder: Path, archive: Path) -> None:
    """Makes the folder an archive, as SageMaker makes one of what a job leaves."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")


@contextmanager
def serve(python: Path, model: Path, base: Path) -> Iterator[Callable[..., Answer]]:
    """Sends a request to the model of that folder behind AWS's own transformer and worker; `base` is /opt/ml."""
    (base / "model").symlink_to(model)
    folders = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": str(model / "code")}
    listener = socket.create_server(("127.0.0.1", 0))
    server = subprocess.Popen(
        [python, Path(__file__).with_name("aws_serving.py"), f"fd://{listener.fileno()}"],
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

    try:
        yield send
    finally:
        server.terminate()
        server.wait(timeout=20)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
