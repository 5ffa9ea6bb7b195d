"""`make bench`: what serving a model costs, as ratios to named baselines measured in the same minute.

A ratio is the median over rounds in which both were measured within a few seconds: a machine that does other things
at the same time makes all figures worse, and the ratios hardly.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import boto3
from load import Measured, measure, post

from local_aws import server
from local_aws.sagemaker import images

HERE = Path(__file__).parent
MODEL_SERVER = server.REPOSITORY / "infra" / "local_aws" / "sagemaker" / "model_server.py"
AWS_SERVING = server.REPOSITORY / "tests" / "scripts" / "aws_serving.py"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
ROW = {**{f"string_{number}": "b" for number in range(5)}, **{f"number_{number}": 0.5 for number in range(25)}}
BODY = json.dumps([ROW]).encode()
DIRECT = post("/invocations", BODY, HEADERS)
ROUNDS = 8
SECONDS = 0.4  # for each case, number of connections and round


class Case(NamedTuple):
    """Something that answers, and the case that it is compared with."""

    name: str
    port: int
    request: bytes = DIRECT
    baseline: str | None = None


@contextmanager
def process(*command: str | Path, stdout: int = subprocess.DEVNULL, **options: Any) -> Iterator[Any]:
    """A running program, ended at the end."""
    line = [str(part) for part in command]
    started = subprocess.Popen(line, stdout=stdout, stderr=subprocess.DEVNULL, text=True, **options)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(5)
        except subprocess.TimeoutExpired:
            started.kill()


@contextmanager
def serving(program: Path, python: Path, model: str, folder: Path) -> Iterator[int]:
    """The port at which one of the programs of the image serves a module of models/."""
    folder.mkdir()
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    bind = f"fd://{listener.fileno()}"
    with process(python, program, bind, env=variables(model, folder), pass_fds=[listener.fileno()]):
        port = listener.getsockname()[1]
        listener.close()
        yield port


@contextmanager
def aws_serving(python: Path, model: str, folder: Path) -> Iterator[int]:
    """The same with AWS's own stack, whole: nginx by the configuration of AWS's library, gunicorn, Flask."""
    nginx = shutil.which("nginx")
    if not nginx:
        with serving(AWS_SERVING, python, model, folder) as port:
            yield port
        return
    folder.mkdir()
    (template,) = python.parent.parent.glob("lib/python*/site-packages/sagemaker_containers/etc/nginx.conf.template")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = template.read_text().replace("%NGINX_HTTP_PORT%", f"127.0.0.1:{port}")
    text = text.replace("%NGINX_PROXY_READ_TIMEOUT%", "60").replace("/tmp/", f"{folder}/")
    if os.geteuid() == 0:
        text = f"user root;\n{text}"  # as in AWS's container; another user could not reach the socket
    (folder / "nginx.conf").write_text(text)
    with (
        process(python, AWS_SERVING, f"unix:{folder}/gunicorn.sock", env=variables(model, folder)),
        process(nginx, "-c", folder / "nginx.conf"),
    ):
        yield port


def variables(model: str, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_SUBMIT_DIRECTORY": str(HERE / "models"),
        "SAGEMAKER_PROGRAM": f"{model}.py",
        "PYTHONPATH": str(HERE / "models"),
    }


@contextmanager
def endpoint(model: str) -> Iterator[tuple[int, bytes]]:
    """The port of a local AWS with an endpoint of a module of models/, and the request that invokes it."""
    with process(sys.executable, "-m", "local_aws", "--port", "0", stdout=subprocess.PIPE) as running:
        assert running.stdout
        url = running.stdout.readline().strip()
        session = boto3.Session("local", "local", region_name="us-east-1")
        s3, sagemaker = (session.client(name, endpoint_url=url) for name in ("s3", "sagemaker"))
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(HERE / "models" / f"{model}.py", f"code/{model}.py")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="model.tar.gz", Body=packed.getvalue())
        container = {
            "Image": IMAGE,
            "ModelDataUrl": "s3://bench/model.tar.gz",
            "Environment": {"SAGEMAKER_PROGRAM": f"{model}.py"},
        }
        role = "arn:aws:iam::123456789012:role/bench"
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=model, EndpointConfigName=model)
        waiter = sagemaker.get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=model, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        scope = "20260101/us-east-1/sagemaker/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential=local/{scope}, SignedHeaders=host, Signature=0"}
        yield int(url.rpartition(":")[2]), post(f"/endpoints/{model}/invocations", BODY, {**HEADERS, **signed})


def main() -> None:
    """Start everything, measure everything in turns, print the table."""
    python = images.environment(images.named_by(IMAGE), server.REPOSITORY / ".envs") / "bin" / "python"
    with ExitStack() as running:
        root = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        front = "nginx" if shutil.which("nginx") else "(no nginx on this machine)"
        print(f"AWS's own stack: {front}, gunicorn, Flask")
        nothing, does_nothing, invoked = "do-nothing handler", "model that does nothing", "the same by InvokeEndpoint"
        ours, awss = "200 trees", "200 trees, AWS's own stack"
        port, request = running.enter_context(endpoint("nothing"))
        cases = [
            Case(nothing, running.enter_context(serving(HERE / "do_nothing.py", python, "nothing", root / "a"))),
            Case(
                does_nothing,
                running.enter_context(serving(MODEL_SERVER, python, "nothing", root / "b")),
                baseline=nothing,
            ),
            Case(invoked, port, request, baseline=does_nothing),
            Case(awss, running.enter_context(aws_serving(python, "trees", root / "d"))),
            Case(ours, running.enter_context(serving(MODEL_SERVER, python, "trees", root / "c")), baseline=awss),
        ]
        for case in cases:
            wait_until_answering(case)
        found = {(case.name, connections): Measured() for case in cases for connections in (1, 8)}
        for _ in range(ROUNDS):
            for case in cases:
                for connections in (1, 8):
                    measured = found[case.name, connections]
                    measure(case.port, case.request, connections, SECONDS, measured)
    print(f"{'':32}{'connections':>12}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}   time for a request")
    for case in cases:
        for connections in (1, 8):
            measured = found[case.name, connections]
            row = f"{case.name:32}{connections:12}{median(measured.rates):8.0f}"
            row += f"{measured.percentile_ms(50):8.2f}{measured.percentile_ms(99):8.2f}"
            if case.baseline:
                pairs = zip(found[case.baseline, connections].rates, measured.rates, strict=True)
                row += f"   {median(base / rate for base, rate in pairs):.2f} x {case.baseline}"
            print(row)


def wait_until_answering(case: Case) -> None:
    """Return after the first answers: AWS's workers load their model with the first request that each gets."""
    until = time.monotonic() + 60
    while True:
        try:
            measure(case.port, case.request, 8, 0.2, Measured())
            return
        except (OSError, AssertionError, ValueError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
