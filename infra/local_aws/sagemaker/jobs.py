"""What all SageMaker jobs have in common: a record that clients read, and a thread that does the work."""

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.gate import gate
from local_aws.sagemaker import data
from local_aws.sagemaker.container import HOST, Container
from local_aws.sagemaker.failures import LONGEST_REASON, LastWords
from local_aws.sagemaker.images import ImageUnavailable
from local_aws.sagemaker.logs import LogStream
from local_aws.sagemaker.role import RoleSession
from local_aws.sagemaker.usage import Usage

logger = logging.getLogger(__name__)

ENDED = "InternalServerError: local AWS ended while the job was running"
STOP_GRACE_SECONDS = 120.0  # AWS's own, between SIGTERM and SIGKILL
# As many jobs at once as this machine has processors; the others wait.
slots = threading.BoundedSemaphore(os.cpu_count() or 1)


class JobFailed(Exception):
    """Ends a job as Failed; the text becomes its FailureReason."""


class Interrupted(Exception):
    """Ends a job as Stopped; the text is the secondary status: "Stopped" or "MaxRuntimeExceeded"."""


@dataclass(frozen=True)
class Surroundings:
    """What a job runs in: its role's credentials, the image's environment (built when first called for), and a folder
    of its own that goes at its end."""

    role: RoleSession
    environment: Callable[..., Path]  # may be given a function that is told how far its building is
    folder: Path


@dataclass(frozen=True)
class Ended:
    """How a container ended; `interrupted` is the secondary status where that was by force."""

    exit_code: int
    interrupted: str | None
    last_words: str


class Job:
    """What one Create...Job request asked for, and what has become of it.

    A subclass names its kind and does its work in `_work`. Its attributes are plain data: pickled, a job keeps its
    record and loses its thread, so one that was at work is Failed when it is read again.
    """

    kind: ClassVar[str]  # as its members are named: "TrainingJob" has a TrainingJobName
    arn_type: ClassVar[str]  # as its ARN names it: "training-job"
    summary_members: ClassVar[tuple[str, ...]]  # what its line in a list has beside name, ARN, status and times
    # AWS's words where a name is taken, or unknown.
    taken = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    unknown = "Could not find requested job with name: {name}"

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        self.request = dict(request)
        self.arn = arn
        self.name: str = request[f"{self.kind}Name"]
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.creation_time = self.last_modified_time = now()
        self.start_time: datetime | None = None
        self.end_time: datetime | None = None
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self._make_runtime()

    def _make_runtime(self) -> None:
        self._stop = threading.Event()
        self._killed = False
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {
                name: value
                for name, value in self.__dict__.items()
                if name not in ("_stop", "_killed", "_lock", "_thread")
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_runtime()
        if not self.has_ended():
            self._finish("Failed", "Failed", ENDED)

    def start(self, surroundings: Surroundings) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(
            target=self._run, args=(surroundings,), name=f"{self.arn_type} {self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to stop: SIGTERM now, SIGKILL after AWS's two minutes."""
        with self._lock:
            if self.status == "InProgress":
                self._enter("Stopping")
        self._stop.set()

    def kill(self) -> None:
        """End the job without AWS's grace, since local AWS ends; one that nobody had stopped has Failed."""
        self._killed = True
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the job's end."""
        if self._thread:
            self._thread.join(seconds)

    def has_ended(self) -> bool:
        """Whether the job is Completed, Failed or Stopped."""
        return self.status not in ("InProgress", "Stopping")

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to Describe...Job."""
        with self._lock:
            described = {
                **{name: value for name, value in self.request.items() if name != "Tags"},
                f"{self.kind}Arn": self.arn,
                f"{self.kind}Status": self.status,
                "FailureReason": self.failure_reason,
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
                **self._described(),
            }
        return {name: value for name, value in described.items() if value is not None}

    @property
    def summary(self) -> dict[str, Any]:
        """The job's line in List...Jobs."""
        own = (f"{self.kind}{member}" for member in ("Name", "Arn", "Status"))
        members = {*own, "CreationTime", "LastModifiedTime", *self.summary_members}
        return {name: value for name, value in self.response_object.items() if name in members}

    def _described(self) -> dict[str, Any]:
        """What only this kind of job has in its description; called under the lock."""
        return {}

    def _enter(self, status: str) -> None:
        """Go on to another status, "Stopping" for one; called under the lock."""
        self.status = status
        self.last_modified_time = now()
        gate.changed.set()

    def _finish(self, status: str, secondary: str, reason: str | None = None) -> None:
        """End with a status; `secondary` is for the kinds that have such a thing."""
        with self._lock:
            self.failure_reason = reason[:LONGEST_REASON] if reason else None
            self.last_modified_time = now()
            if self.start_time:
                self.end_time = self.last_modified_time
            self.status = status
        gate.changed.set()

    def _tell(self, progress: str) -> None:
        """Let those who look at the job see how far the building of its image's environment is."""

    def _work(self, surroundings: Surroundings) -> None:
        """Do what was asked for; JobFailed, Interrupted, DataError or an AWS error where it comes to nothing."""
        raise NotImplementedError

    def _run(self, surroundings: Surroundings) -> None:
        try:
            shutil.rmtree(surroundings.folder, ignore_errors=True)  # of an earlier server's job of this name
            try:
                self._work(surroundings)
            finally:
                shutil.rmtree(surroundings.folder, ignore_errors=True)
        except Interrupted as interrupted:
            self._break_off("Stopped", str(interrupted))
        except JobFailed as failed:
            self._break_off("Failed", "Failed", str(failed))
        except ImageUnavailable as error:
            self._break_off("Failed", "Failed", f"ClientError: Cannot pull algorithm container. {error}")
        except (data.DataError, ClientError, BotoCoreError) as error:
            self._break_off("Failed", "Failed", f"ClientError: {error}")
        except Exception as error:  # this thread is the last to see it: the job has to say so
            logger.exception("%s %s", self.arn_type, self.name)
            self._break_off(
                "Failed", "Failed", f"InternalServerError: local AWS failed with {error!r}; its log has more"
            )
        else:
            self._finish("Completed", "Completed")

    def _break_off(self, status: str, secondary: str, reason: str | None = None) -> None:
        """End without success, for the reason that local AWS ends where that was first."""
        if self._killed and self.status == "InProgress":
            self._finish("Failed", "Failed", ENDED)
        else:
            self._finish(status, secondary, reason)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Hold one of the machine's places for a running job; Interrupted where it is stopped before it has one."""
        while not slots.acquire(timeout=0.1):
            self._unless_stopped()
        try:
            with self._lock:
                self._unless_stopped()
                self.start_time = now()
            yield
        finally:
            slots.release()

    def _unless_stopped(self) -> None:
        if self._stop.is_set():
            raise Interrupted("Stopped")

    def _contain(
        self,
        surroundings: Surroundings,
        command: Sequence[str],
        opt_ml: Path,
        allowed_seconds: float,
        variables: Mapping[str, str] | None = None,
        network: bool = True,
        read: Callable[[str], None] = lambda line: None,
    ) -> Ended:
        """Run `command` to its end in a container of the job's image; `read` is given every line that it logs."""
        role = surroundings.role
        place, host = f"/aws/sagemaker/{self.kind}s", f"{self.name}/{HOST}"  # in CloudWatch
        log = LogStream(role.client("logs"), place, f"{host}-{int(time.time())}")
        last_words = LastWords()

        def on_line(stream: str, line: str) -> None:
            log.write(line)
            read(line)
            last_words.read(stream, line)

        # As on AWS, what is isolated from the network has no credentials either.
        credentials = role.variables(credentials=network)
        try:
            given = {**(self.request.get("Environment") or {}), **credentials, **(variables or {})}
            environment = surroundings.environment(self._tell)
            try:
                container = Container(environment, command, opt_ml, given, on_line, network=network)
            except (OSError, ValueError) as error:  # more arguments than the OS takes, or a NUL in one of them
                raise JobFailed(f"ClientError: The container could not be started: {error}") from error
            try:
                usage = Usage(role.client("cloudwatch"), place, host)
                interrupted = self._supervise(container, allowed_seconds, usage)
            finally:
                container.close()
            usage.publish()
        finally:
            log.close()
        return Ended(container.exit_code or 0, interrupted, str(last_words))

    def _supervise(self, container: Container, allowed_seconds: float, usage: Usage) -> str | None:
        """Wait for the end of the container; the secondary status where it was ended by force, else None."""
        started = time.monotonic()
        while not container.wait(0.05):
            usage.sample(container.pid)
            if self._stop.is_set():
                interrupted = "Stopped"
            elif time.monotonic() - started > allowed_seconds:
                interrupted = "MaxRuntimeExceeded"
                with self._lock:
                    self._enter("Stopping")
            else:
                continue
            container.signal(signal.SIGTERM)
            until = time.monotonic() + STOP_GRACE_SECONDS
            while container.running() and time.monotonic() < until and not self._killed:
                time.sleep(0.05)
            if self._killed:
                raise Interrupted(interrupted)  # without what would still be done for a job that was stopped
            return interrupted
        return "Stopped" if self._stop.is_set() else None


def now() -> datetime:
    """The time, as records have it."""
    return datetime.now(UTC)
