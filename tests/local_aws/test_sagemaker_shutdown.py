"""Nothing that local AWS started outlives it."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from own_server import OwnServer
from sagemaker_requests import BUCKET, IMAGE, ROLE, archive, eventually, is_running, settled, training_job

INFRA = Path(__file__).parents[2] / "infra"
SCRIPT = """
    import os, pathlib, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path("{pid_file}").write_text(str(os.getpid()))
    time.sleep(60)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m local_aws` as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local_aws", "--port", "0", "--state-dir", str(tmp_path / "state")],
        env={**os.environ, "PYTHONPATH": str(INFRA)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "reset"])
def test_jobs_and_model_servers_end_with_the_server(server: subprocess.Popen[str], tmp_path: Path, how: str) -> None:
    assert server.stdout is not None
    session: dict[str, Any] = {
        "endpoint_url": server.stdout.readline().strip(),
        "region_name": "us-east-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    s3, sagemaker = boto3.client("s3", **session), boto3.client("sagemaker", **session)
    s3.create_bucket(Bucket=BUCKET)
    files = [tmp_path / "training.pid", tmp_path / "serving.pid"]
    sagemaker.create_training_job(**training_job(s3, "endless", SCRIPT.format(pid_file=files[0])))
    serving = f"import os, pathlib; pathlib.Path('{files[1]}').write_text(str(os.getpid()))\ndef model_fn(d): pass"
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive({"code/inference.py": serving}))
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert settled(sagemaker, "e")["EndpointStatus"] == "InService"
    pids = [int(eventually(lambda f=file: f.exists() and f.read_text(), bool)) for file in files]

    if how == "reset":
        reset = urllib.request.Request(session["endpoint_url"] + "/moto-api/reset", method="POST")
        with urllib.request.urlopen(reset, timeout=30) as answer:
            assert answer.status == 200
        assert sagemaker.list_endpoints()["Endpoints"] == sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    else:
        server.send_signal(signal.Signals[how])
        server.wait(20)

    eventually(lambda: [pid for pid in pids if is_running(pid)], lambda running: not running, seconds=30)


def test_a_running_query_and_those_that_wait_end_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = OwnServer(tmp_path / "state", monkeypatch)
    try:
        boto3.client("s3").create_bucket(Bucket="results")
        thousands = " cross join ".join(f"unnest(sequence(1, 10000)) as t{n}(x{n})" for n in range(4))
        query: dict[str, Any] = {
            "QueryString": f"select count(*) from {thousands}",
            "ResultConfiguration": {"OutputLocation": "s3://results/"},
        }
        ids = [boto3.client("athena").start_query_execution(**query)["QueryExecutionId"] for _ in range(6)]
        eventually(lambda: _states(ids[:1]), lambda states: states == ["RUNNING"])
        own.end("SIGTERM")
        assert own.process.returncode == 0
        own.start()
        assert _states(ids) == ["FAILED"] * 6
    finally:
        own.process.kill()
        own.process.wait()


def _states(ids: list[str]) -> list[str]:
    described = boto3.client("athena").batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
    return [query["Status"]["State"] for query in described]
