"""A local AWS of a test's own, which can be stopped, killed and started again."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest
from sagemaker_requests import eventually

INFRA = Path(__file__).parents[2] / "infra"


def serve(log: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """`python -m local_aws` on a free port as a process, and the URL at which it answers."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "local_aws", "--port", "0", *arguments],
            env={**os.environ, "PYTHONPATH": str(INFRA)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


class OwnServer:
    """`python -m local_aws --state-dir` as a process; it is what this process's AWS clients talk to."""

    def __init__(self, state: Path, patch: pytest.MonkeyPatch, *options: str) -> None:
        self.state = state
        self._options = options
        self._patch = patch
        self._log = state.with_name("server.log")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        self.start()

    def start(self) -> None:
        """Start it, and point clients that are made from now on to it."""
        self.process, url = serve(self._log, "--state-dir", str(self.state), *self._options)
        self._patch.setenv("AWS_ENDPOINT_URL", url)

    def end(self, how: str) -> None:
        """End it by the signal of that name: SIGKILL once what was done before is on disk."""
        if how == "SIGKILL":
            self.wait_for_snapshot()
        self.process.send_signal(signal.Signals[how])
        self.process.wait(20)

    def wait_for_snapshot(self) -> None:
        """Return when what has been done so far is on disk, a mark that is set now for one."""
        mark = uuid.uuid4().hex
        boto3.client("ssm").put_parameter(Name="mark", Value=mark, Type="String", Overwrite=True)
        eventually(lambda: self.snapshot(), lambda content: mark.encode() in content)

    def snapshot(self) -> bytes:
        """The newest snapshot, empty where there is none."""
        file = self.state / "state"
        return file.read_bytes() if file.exists() else b""

    def errors(self) -> list[str]:
        """What it has logged beside requests."""
        return [line for line in self._log.read_text().splitlines() if "HTTP/1.1" not in line]
