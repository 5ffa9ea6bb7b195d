"""One production variant: a model server process, kept alive, and the connections to it."""

import fcntl
import http.client
import logging
import select
import shutil
import signal
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.sagemaker import data
from local_aws.sagemaker.container import Container
from local_aws.sagemaker.failures import LONGEST_REASON
from local_aws.sagemaker.invocations import Invocations
from local_aws.sagemaker.logs import LogStream
from local_aws.sagemaker.role import RoleSession

logger = logging.getLogger(__name__)

INVOCATION_SECONDS = 60.0  # AWS's own limit for a container's answer
PING_SECONDS = 2.0  # likewise
IDLE_SECONDS = 60.0  # less than the model server's keep-alive
STARTUP_SECONDS = 480.0
DRAIN_SECONDS = INVOCATION_SECONDS


class NotHealthy(Exception):
    """The container did not come up; the text is AWS's FailureReason."""


class NoAnswer(Exception):
    """The container gave no answer to an invocation; the text says why."""


@dataclass(frozen=True)
class Variant:
    """What a production variant of an endpoint configuration runs."""

    name: str
    weight: float
    instance_count: int
    image: str
    model_data_url: str | None
    variables: Mapping[str, str]
    network: bool
    startup_seconds: float
    role: RoleSession
    environment: Callable[[], Path]


@dataclass(frozen=True)
class Answer:
    """What the container answered."""

    status: int
    content_type: str
    custom_attributes: str | None
    body: bytes


class _Connection(http.client.HTTPConnection):
    reused = False


def _listener() -> socket.socket:
    """A socket that listens on loopback, numbered so that a shell on the way to the model server can't mistake it."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as low:
        return socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10))


class ModelServer:
    """A variant's running model server; it listens on a socket of ours, so that requests wait while it restarts."""

    def __init__(self, variant: Variant, endpoint_name: str, folder: Path) -> None:
        self.variant = variant
        self._folder = folder
        self._environment: Path | None = None
        self._log = LogStream(
            variant.role.client("logs"),
            f"/aws/sagemaker/Endpoints/{endpoint_name}",
            f"{variant.name}/i-{uuid.uuid4().hex[:17]}",
        )
        self._invocations = Invocations(variant.role.client("cloudwatch"), endpoint_name, variant.name)
        self._listener = _listener()
        self._port: int = self._listener.getsockname()[1]
        self._idle: list[tuple[float, _Connection]] = []
        self._lock = threading.Lock()
        self._in_flight = 0
        self._stopping = threading.Event()
        self._container: Container | None = None
        self._last_words: deque[str] = deque(maxlen=20)

    def start(self) -> None:
        """Fetch the model, start its server and wait until it answers pings; NotHealthy where it doesn't."""
        variant = self.variant
        self._environment = variant.environment()
        opt_ml = self._folder / "ml"
        (opt_ml / "model").mkdir(parents=True)
        s3 = variant.role.client("s3")
        self._fetch(s3, variant.model_data_url, opt_ml / "model")
        source = variant.variables.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if source.startswith("s3://"):
            self._fetch(s3, source, opt_ml / "code")
        self._container = self._launch()
        self._wait_until_healthy()
        threading.Thread(target=self._keep_alive, name=f"variant {variant.name}", daemon=True).start()

    def enter(self) -> None:
        """Count a request that is about to be sent: `stop` waits for it."""
        with self._lock:
            self._in_flight += 1

    def leave(self) -> None:
        """Count a request as answered."""
        with self._lock:
            self._in_flight -= 1

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The container's answer to POST /invocations; NoAnswer where it gives none in AWS's 60 seconds."""
        started = time.monotonic()
        try:
            answer = self._post(body, headers)
        except NoAnswer:
            self._invocations.count(0, started)
            raise
        self._invocations.count(answer.status, started)
        return answer

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        while True:
            connection = self._take()
            try:
                connection.request("POST", "/invocations", body, dict(headers))
                response = connection.getresponse()
                content = response.read()
            except TimeoutError:
                connection.close()
                raise NoAnswer(
                    "Your invocation timed out while waiting for a response from container primary. "
                    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, "
                    "and try again."
                ) from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if connection.reused:  # closed since its last request, by a restart for instance: take another
                    continue
                raise NoAnswer(f"the container closed the connection without an answer ({error!r})") from error
            with self._lock:
                self._idle.append((time.monotonic(), connection))
            return Answer(
                response.status,
                response.getheader("Content-Type", ""),
                response.getheader("X-Amzn-SageMaker-Custom-Attributes"),
                content,
            )

    def stop(self, drain: bool = True) -> None:
        """End the process, after the requests it still has to answer where `drain` is set."""
        self._stopping.set()
        until = time.monotonic() + (DRAIN_SECONDS if drain else 0)
        while self._in_flight and time.monotonic() < until:
            time.sleep(0.01)
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()
        self._listener.close()
        if self._container:
            if drain:
                self._container.signal(signal.SIGTERM)
                self._container.wait(2)
            self._container.close()
        self._invocations.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self) -> _Connection:
        with self._lock:
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < IDLE_SECONDS:
                    connection.reused = True
                    return connection
                connection.close()
        return _Connection("127.0.0.1", self._port, timeout=INVOCATION_SECONDS)

    def _fetch(self, s3: Any, uri: str | None, folder: Path) -> None:
        if not uri:
            return
        archive = self._folder / "archive.tar.gz"
        data.download(s3, uri, archive)
        data.extract(archive, folder)
        archive.unlink()

    def _launch(self) -> Container:
        assert self._environment is not None
        number = self._listener.fileno()
        variables = {
            "OMP_NUM_THREADS": "1",
            **self.variant.variables,
            **self.variant.role.variables(),
        }
        if variables.get("SAGEMAKER_SUBMIT_DIRECTORY", "").startswith("s3://"):
            variables["SAGEMAKER_SUBMIT_DIRECTORY"] = "/opt/ml/code"
        return Container(
            self._environment,
            ["python", str(Path(__file__).with_name("model_server.py")), str(number)],
            self._folder / "ml",
            variables,
            self._read_line,
            pass_fds=[number],
            network=self.variant.network,
        )

    def _read_line(self, stream: str, line: str) -> None:
        self._log.write(line)
        if stream == "stderr":
            self._last_words.append(line)

    def _wait_until_healthy(self) -> None:
        until = time.monotonic() + self.variant.startup_seconds
        while self._could_come_up(until):
            connection = _Connection("127.0.0.1", self._port, timeout=PING_SECONDS)
            try:
                connection.request("GET", "/ping")
                # Nobody accepts connections before the model is loaded: this one waits, unless the process dies.
                while not select.select([connection.sock], [], [], 0.02)[0] and self._could_come_up(until):
                    pass
                if self._could_come_up(until) and connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException) as error:
                self._log.write(f"/ping: {error!r}")
                time.sleep(0.1)
            finally:
                connection.close()
        reason = (
            f"The primary container for production variant {self.variant.name} did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )
        if self._container:
            self._container.close()  # reads its output to the end
        if self._last_words:
            reason += " Its last lines on stderr: "
            reason += "\n".join(self._last_words)[len(reason) - LONGEST_REASON :]
        raise NotHealthy(reason)

    def _could_come_up(self, until: float) -> bool:
        alive = self._container is not None and self._container.exit_code is None
        return alive and not self._stopping.is_set() and time.monotonic() < until

    def _keep_alive(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            container = self._container
            assert container is not None
            if not container.wait(1):
                continue
            container.close()
            if self._stopping.wait(pause):
                return
            pause = min(pause * 2, 10)
            self._log.write(f"the model server ended with exit code {container.exit_code}: starting it again")
            self._container = self._launch()
