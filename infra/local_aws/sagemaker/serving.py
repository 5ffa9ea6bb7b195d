"""A model server: a container that answers /ping and /invocations, kept alive, and the connections to it."""

import fcntl
import http.client
import json
import logging
import select
import shutil
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.sagemaker import data
from local_aws.sagemaker.container import Container
from local_aws.sagemaker.jobs import Surroundings
from local_aws.sagemaker.logs import LogStream

logger = logging.getLogger(__name__)

INVOCATION_SECONDS = 60.0  # AWS's own limit for a container's answer
PING_SECONDS = 2.0  # likewise
IDLE_SECONDS = 60.0  # less than the model server's keep-alive
STARTUP_SECONDS = 480.0
DRAIN_SECONDS = INVOCATION_SECONDS


class NotHealthy(Exception):
    """The container did not come up; the text is what it wrote to stderr last."""


class NoAnswer(Exception):
    """The container gave no answer to an invocation in time; the text says so in AWS's words."""


@dataclass(frozen=True)
class ServedModel:
    """What a model server runs; `network` is whether it may reach any."""

    model_data_url: str | None
    variables: Mapping[str, str]
    network: bool = True
    startup_seconds: float = STARTUP_SECONDS
    invocation_seconds: float = INVOCATION_SECONDS


@dataclass(frozen=True)
class Answer:
    """What the container answered."""

    status: int
    content_type: str
    custom_attributes: str | None
    body: bytes


def _nginx(status: int, phrase: str) -> Answer:
    """What nginx answers in AWS's image where the server behind it has no answer."""
    body = (
        f"<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {phrase}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(status, "text/html", None, body.encode())


def _listener() -> socket.socket:
    """A socket that listens on loopback, numbered so that a shell on the way to the model server can't mistake it."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as low:
        return socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10))


class ModelServer:
    """A running model server; it listens on a socket of ours, so that requests wait while it restarts.

    Its output goes to `log`, which it leaves open; `surroundings.folder` goes when it stops.
    """

    def __init__(self, model: ServedModel, surroundings: Surroundings, log: LogStream) -> None:
        self.restart_count = 0
        self._model = model
        self._surroundings = surroundings
        self._environment: Path | None = None
        self._log = log
        self._listener = _listener()
        own_timeout = float(model.variables.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", 60))
        self._timeout = min(own_timeout, model.invocation_seconds)
        self._port: int = self._listener.getsockname()[1]
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()
        self._in_flight = 0
        self._stopping = threading.Event()
        self._container: Container | None = None
        self._last_words: deque[str] = deque(maxlen=20)

    def start(self) -> None:
        """Fetch the model, start its server and wait until it answers pings; NotHealthy where it doesn't."""
        self._environment = self._surroundings.environment(self._log.write)
        opt_ml = self._surroundings.folder / "ml"
        (opt_ml / "model").mkdir(parents=True)
        s3 = self._surroundings.role.client("s3")
        try:
            self._fetch(s3, self._model.model_data_url, opt_ml / "model")
        except data.NotDownloaded as error:
            self._log.write(str(error))
            raise data.DataError(
                f'Failed to download model data for container "container_1" from URL: "{self._model.model_data_url}". '
                "Please ensure that there is an object located at the URL and that the role passed to CreateModel has "
                "permissions to download the object."
            ) from error
        source = self._model.variables.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if source.startswith("s3://"):
            if not self._model.network:  # it is the container that fetches this one
                raise NotHealthy(
                    f"SAGEMAKER_SUBMIT_DIRECTORY is {source}, which a container that is isolated from the network "
                    "can't download: put the code into the model archive, and name /opt/ml/model/code"
                )
            self._fetch(s3, source, opt_ml / "code")
        if self._stopping.is_set():
            raise NotHealthy("it was stopped before it started")
        self._container = self._launch()
        self._wait_until_healthy()
        threading.Thread(target=self._keep_alive, name=self._log.stream, daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The container's first process; None where there is none yet."""
        return self._container.pid if self._container else None

    @property
    def last_words(self) -> str:
        """What the container wrote to stderr last."""
        return "\n".join(self._last_words)

    def enter(self) -> None:
        """Count a request that is about to be sent: `stop` waits for it."""
        with self._lock:
            self._in_flight += 1

    def leave(self) -> None:
        """Count a request as answered."""
        with self._lock:
            self._in_flight -= 1

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The container's answer to POST /invocations; NoAnswer where that takes too long."""
        connection = self._take()
        try:
            connection.request("POST", "/invocations", body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except TimeoutError:
            connection.close()
            if self._timeout < self._model.invocation_seconds:
                self._log.write(f"/invocations: no answer in SAGEMAKER_MODEL_SERVER_TIMEOUT's {self._timeout} s")
                return _nginx(504, "Gateway Time-out")
            raise NoAnswer(
                "Your invocation timed out while waiting for a response from container primary. "
                "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, "
                "and try again."
            ) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._log.write(f"/invocations: the model server closed the connection without an answer: {error!r}")
            return _nginx(502, "Bad Gateway")
        with self._lock:
            self._idle.append((time.monotonic(), connection))
        return Answer(
            response.status,
            response.getheader("Content-Type", ""),
            response.getheader("X-Amzn-SageMaker-Custom-Attributes"),
            content,
        )

    def execution_parameters(self) -> dict[str, Any]:
        """What the container says of itself for batch transform: nothing, unless its module has
        execution_parameters_fn."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PING_SECONDS)
        try:
            connection.request("GET", "/execution-parameters")
            response = connection.getresponse()
            content = response.read()
            return dict(json.loads(content)) if response.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
            self._log.write(f"/execution-parameters: {error!r}")
            return {}
        finally:
            connection.close()

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
        shutil.rmtree(self._surroundings.folder, ignore_errors=True)

    def _take(self) -> http.client.HTTPConnection:
        with self._lock:
            while self._idle:
                since, connection = self._idle.pop()
                # One that can be read from has been closed, by a crash for instance.
                if time.monotonic() - since < IDLE_SECONDS and not select.select([connection.sock], [], [], 0)[0]:
                    return connection
                connection.close()
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)

    def _fetch(self, s3: Any, uri: str | None, folder: Path) -> None:
        if not uri:
            return
        archive = self._surroundings.folder / "archive.tar.gz"
        data.download(s3, uri, archive)
        data.extract(archive, folder)
        archive.unlink()

    def _launch(self) -> Container:
        assert self._environment is not None
        number = self._listener.fileno()
        variables = {
            "OMP_NUM_THREADS": "1",
            **self._model.variables,
            # As on AWS, what is isolated from the network has no credentials either.
            **self._surroundings.role.variables(credentials=self._model.network),
        }
        if variables.get("SAGEMAKER_SUBMIT_DIRECTORY", "").startswith("s3://"):
            variables["SAGEMAKER_SUBMIT_DIRECTORY"] = "/opt/ml/code"
        return Container(
            self._environment,
            ["python", str(Path(__file__).with_name("model_server.py")), f"fd://{number}"],
            self._surroundings.folder / "ml",
            variables,
            self._read_line,
            pass_fds=[number],
            network=self._model.network,
        )

    def _read_line(self, stream: str, line: str) -> None:
        self._log.write(line)
        # gunicorn's own lines, `[2026-01-01 ...`, tell of the end that it is put to, as if it were the failure.
        if stream == "stderr" and not (self._stopping.is_set() and line.startswith("[2")):
            self._last_words.append(line)

    def _wait_until_healthy(self) -> None:
        until = time.monotonic() + self._model.startup_seconds
        while self._could_come_up(until):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PING_SECONDS)
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
        if self._container:
            self._container.close()  # reads its output to the end
        raise NotHealthy(self.last_words)

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
            self.restart_count += 1
            ended = f"the model server ended with exit code {container.exit_code}"
            self._log.write(f"{ended}: starting it again (restart {self.restart_count})")
            self._container = self._launch()
