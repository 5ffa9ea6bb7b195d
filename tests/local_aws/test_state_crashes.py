"""However local AWS ends, what is on disk is whole; and what can't be used is refused, and stays as it is."""

import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from sagemaker_requests import eventually

INFRA = Path(__file__).parents[2] / "infra"
# Starts a server on each state that it is told: forked, since importing takes longer than all else.
FORKS = """
import os, pathlib, signal, sys
from local_aws import server
for state in sys.stdin:
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(running.stop()))
        running = server.start(0, pathlib.Path(state.strip()), keep=True)
        print(os.getpid(), running.url, flush=True)
        while True:
            signal.pause()
    os.waitpid(child, 0)
"""


class Servers:
    """One server after another on the same state; `client` speaks to the one of now."""

    def __init__(self, state: Path, forks: subprocess.Popen[str]) -> None:
        self.state = state
        self._forks = forks
        self.start()

    def start(self) -> None:
        assert self._forks.stdin and self._forks.stdout
        self._forks.stdin.write(f"{self.state}\n")
        self._forks.stdin.flush()
        pid, self._url = self._forks.stdout.readline().split()
        self._pid = int(pid)

    def end(self, how: signal.Signals) -> None:
        os.kill(self._pid, how)

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self._url, region_name="us-east-1", aws_access_key_id="testing",
            aws_secret_access_key="testing", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def bodies(self) -> dict[str, float]:
        """The files that hold objects' bytes, and when each was written."""
        return {file.name: file.stat().st_mtime for file in (self.state / "objects").iterdir()}

    def generation(self) -> int:
        """Another number for every snapshot."""
        return (self.state / "state").stat().st_mtime_ns if (self.state / "state").exists() else 0


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "PYTHONPATH": str(INFRA)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        yield started


@pytest.fixture
def servers(tmp_path: Path, forks: subprocess.Popen[str]) -> Iterator[Servers]:
    started = Servers(tmp_path / "state", forks)
    yield started
    started.end(signal.SIGKILL)


def write_until_it_ends(servers: Servers, numbers: Iterator[int]) -> None:
    """Count in S3, and only then in SSM."""
    s3, ssm = servers.client("s3"), servers.client("ssm")
    try:
        for number in numbers:
            s3.put_object(Bucket="numbers", Key=f"{number:06}", Body=str(number).encode() * 1000)
            ssm.put_parameter(Name="/number", Value=str(number), Type="String", Overwrite=True)
    except (BotoCoreError, ClientError):
        return


def test_a_server_killed_at_any_moment_leaves_a_whole_state(servers: Servers) -> None:
    servers.client("s3").create_bucket(Bucket="numbers")
    servers.client("ssm").put_parameter(Name="/number", Value="-1", Type="String")
    counted, seen, random_moments = -1, set[int](), random.Random(1)
    for _ in range(6):
        last, numbers = counted, itertools.count(counted + 1)
        writer = threading.Thread(target=write_until_it_ends, args=(servers, numbers))
        writer.start()
        for _ in range(2):
            before = servers.generation()
            eventually(servers.generation, lambda now, before=before: now != before)
        writer.join(random_moments.random() / 2)
        servers.end(signal.SIGKILL)
        writer.join()
        servers.start()

        s3 = servers.client("s3")
        numbered = [int(item["Key"]) for item in s3.list_objects_v2(Bucket="numbers").get("Contents", [])]
        counted = int(servers.client("ssm").get_parameter(Name="/number")["Parameter"]["Value"])
        assert counted >= last and numbered in (list(range(counted + 1)), list(range(counted + 2)))
        assert seen <= set(numbered) and len(numbered) == len(servers.bodies())
        for number in numbered[-3:]:
            assert s3.get_object(Bucket="numbers", Key=f"{number:06}")["Body"].read() == str(number).encode() * 1000
        seen = set(numbered)
    assert counted > 5


def test_a_snapshot_writes_no_body_again(servers: Servers) -> None:
    s3 = servers.client("s3")
    s3.create_bucket(Bucket="big")
    for name in "abc":
        s3.put_object(Bucket="big", Key=name, Body=os.urandom(2**20))
    before = eventually(servers.bodies, lambda found: len(found) == 3)
    generation = servers.generation()
    s3.put_object(Bucket="big", Key="d", Body=b"one more")
    after = eventually(servers.bodies, lambda found: len(found) == 4)
    eventually(servers.generation, lambda now: now != generation)
    assert before.items() <= after.items()
    assert (servers.state / "state").stat().st_size < 200_000


def test_bodies_of_deleted_objects_go(servers: Servers) -> None:
    s3 = servers.client("s3")
    s3.create_bucket(Bucket="big")
    s3.put_object(Bucket="big", Key="a", Body=b"content")
    eventually(servers.bodies, lambda found: len(found) == 1)
    s3.delete_object(Bucket="big", Key="a")
    eventually(servers.bodies, lambda found: not found)


def test_what_a_killed_server_left_half_done_is_removed(servers: Servers) -> None:
    servers.client("s3").create_bucket(Bucket="raw")
    eventually(servers.generation, bool)
    servers.end(signal.SIGKILL)
    half_done = [servers.state / name for name in ("objects/half", "state.part", "sagemaker/job/ml", "athena/scratch")]
    for file in half_done:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    servers.start()
    servers.client("s3").head_bucket(Bucket="raw")
    assert [file for file in half_done if file.exists()] == []


def test_a_second_server_on_the_same_state_is_refused(servers: Servers) -> None:
    refused = local_aws(servers.state)
    assert refused.returncode == 1
    assert "another local AWS keeps its state in" in refused.stderr and "--state-dir" in refused.stderr


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: content.replace(b'"moto": "', b'"moto": "0.', 1), "is of another version"),
        (
            lambda content: re.sub(
                rb'"layout": {[^}]*}', b'"layout": {"local_aws.sagemaker.jobs:Job": ["old"]}', content
            ),
            "is of another version (of Job)",
        ),
        (lambda content: content[: len(content) // 2], "can't be read"),
        (lambda content: b"", "can't be read"),
    ],
    ids=["of another moto", "of other classes", "cut off", "empty"],
)
def test_a_state_that_cannot_be_used_is_refused_and_stays(servers: Servers, change: Any, why: str) -> None:
    servers.client("s3").create_bucket(Bucket="raw")
    servers.client("s3").put_object(Bucket="raw", Key="a", Body=b"content")
    eventually(lambda: len(servers.bodies()), lambda count: count == 1)
    file = servers.state / "state"
    eventually(servers.generation, bool)
    servers.end(signal.SIGKILL)
    file.write_bytes(change(file.read_bytes()))
    before = (file.read_bytes(), servers.bodies())

    refused = local_aws(servers.state)

    assert refused.returncode == 1
    assert why in refused.stderr and "remove that folder" in refused.stderr
    assert (file.read_bytes(), servers.bodies()) == before
    file.unlink()
    servers.start()


def test_a_state_that_lacks_an_objects_bytes_is_refused(servers: Servers) -> None:
    servers.client("s3").create_bucket(Bucket="raw")
    servers.client("s3").put_object(Bucket="raw", Key="a", Body=b"content")
    eventually(servers.bodies, lambda found: len(found) == 1)
    generation = servers.generation()
    servers.client("ssm").put_parameter(Name="/a", Value="value", Type="String")
    eventually(servers.generation, lambda now: now != generation)
    servers.end(signal.SIGKILL)
    (file,) = (servers.state / "objects").iterdir()
    file.rename(servers.state / "elsewhere")
    assert "lacks the bytes of 1 objects" in local_aws(servers.state).stderr
    (servers.state / "elsewhere").rename(file)
    servers.start()
    assert servers.client("s3").get_object(Bucket="raw", Key="a")["Body"].read() == b"content"


def test_what_cannot_be_pickled_is_named_and_everything_else_is_kept(tmp_path: Path) -> None:
    script = """
        import os, sys, pathlib
        from moto.mediastore.models import mediastore_backends
        from moto.ssm.models import ssm_backends
        from local_aws.state import State
        ssm_backends["123456789012"]["us-east-1"].kept = "kept"
        mediastore_backends["123456789012"]["us-east-1"].opened = open(os.devnull)
        state = State(pathlib.Path(sys.argv[1]))
        state.save()
        state.save()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INFRA)},
    )
    assert done.returncode == 0
    complaint = "mediastore is not kept over a restart, because its opened (account 123456789012, us-east-1)"
    assert done.stderr.count(complaint) == 1
    header, _, content = (tmp_path / "state").read_bytes().partition(b"\n")
    assert json.loads(header)["versions"]["format"] and b"kept" in content and b"mediastore" not in content


def local_aws(state: Path) -> subprocess.CompletedProcess[str]:
    """`python -m local_aws` on that state, where it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "local_aws", "--port", "0", "--state-dir", str(state)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INFRA)},
        timeout=60,
    )
