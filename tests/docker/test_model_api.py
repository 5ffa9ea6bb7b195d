"""The model API's image, made by its Dockerfile's own steps, answers as an endpoint of the same model does."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from channels import write_channels
from dockerfile import Image
from sagemaker_requests import BUCKET, IMAGE, ROLE, archive, bucket_client, channel, finished, settled

from ports import free_ports

pytestmark = [pytest.mark.long(60), pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "sagemaker_scripts" / "flight_delay"
FETCH = ROOT / "infra" / "docker" / "fetch-model.sh"
GROUP = "test-model-api"
JSON, CSV = "application/json", "text/csv"


class Answer(NamedTuple):
    """What came back for a request."""

    status: int
    content_type: str | None
    body: bytes


@pytest.fixture(scope="module")
def endpoint(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An endpoint of a registered and approved model that the pipeline's own script has trained."""
    s3 = bucket_client()
    sagemaker: Any = boto3.client("sagemaker")
    channels = write_channels(tmp_path_factory.mktemp("model-api") / "channels")
    for file in channels.rglob("*.parquet"):
        s3.upload_file(str(file), BUCKET, f"model-api/{file.relative_to(channels)}")
    code = {file.name: file.read_bytes() for file in SCRIPTS.glob("*.py")}
    s3.put_object(Bucket=BUCKET, Key="model-api/code/sourcedir.tar.gz", Body=archive(code))
    told = {"sagemaker_program": "train.py", "max_iter": 20, "label": "is_late", "data_version": "v7", "cost_missed": 3}
    told |= {"sagemaker_submit_directory": f"s3://{BUCKET}/model-api/code/sourcedir.tar.gz", "git_commit": "abc"}
    sagemaker.create_training_job(
        TrainingJobName=GROUP,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={name: json.dumps(value) for name, value in told.items()},
        InputDataConfig=[channel(name, f"s3://{BUCKET}/model-api/{name}/") for name in ("train", "validation", "test")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 200},
    )
    job = finished(sagemaker, GROUP)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    container = {
        "Image": IMAGE,
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    package = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": [JSON],
            "SupportedResponseMIMETypes": [JSON],
        },
    )["ModelPackageArn"]
    sagemaker.create_model(ModelName=GROUP, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}])
    variant = {"VariantName": "v", "ModelName": GROUP, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=GROUP, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=GROUP, EndpointConfigName=GROUP)
    assert settled(sagemaker, GROUP)["EndpointStatus"] == "InService"
    return GROUP


@pytest.fixture(scope="module")
def model(endpoint: str, local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which fetch-model.sh has put the model."""
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([str(FETCH), GROUP, str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    yield Image(ROOT / "infra" / "docker" / "model-api.Dockerfile", ROOT, folder)
    shutil.rmtree(folder)  # a gigabyte, which pytest would keep


@pytest.fixture(scope="module")
def port(image: Image, model: Path) -> Iterator[int]:
    """Where a container of the image serves the model."""
    (port,) = free_ports(1)
    container = subprocess.Popen(
        image.started(model, f"127.0.0.1:{port}"),
        env=image.variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    while container.poll() is None and not is_healthy(image, port):
        time.sleep(0.2)
    yield port
    container.terminate()
    _, said = container.communicate(timeout=60)
    assert f"Listening at: http://127.0.0.1:{port}" in said
    assert container.returncode in (0, -signal.SIGTERM), said


def is_healthy(image: Image, port: int) -> bool:
    """Whether the Dockerfile's own HEALTHCHECK, at another port, finds the container well."""
    told = json.loads(image.said["HEALTHCHECK"].removeprefix("CMD "))
    command = [sys.executable, *(word.replace("8080", str(port)) for word in told[1:])]
    return subprocess.run(command, capture_output=True).returncode == 0


def ask(port: int, body: bytes, content_type: str, accept: str, path: str = "/invocations") -> Answer:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", path, body, {"Content-Type": content_type, "Accept": accept})
        response = connection.getresponse()
        return Answer(response.status, response.getheader("Content-Type"), response.read())


def test_the_same_request_gets_the_same_answer(endpoint: str, port: int, model: Path) -> None:
    columns = json.loads((model / "metadata.json").read_text())["columns"]
    flight = {column["name"]: "AA" if column["type"] == "string" else 3 for column in columns}
    csv = ",".join(flight) + "\n" + ",".join(map(str, flight.values()))
    runtime = boto3.client("sagemaker-runtime")
    for body, content_type, accept in (
        (json.dumps(flight), JSON, JSON),
        (json.dumps([flight, flight]), JSON, CSV),
        (csv, CSV, "application/jsonlines"),
    ):
        told = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, Accept=accept)
        expected = Answer(200, told["ContentType"], told["Body"].read())
        assert ask(port, body.encode(), content_type, accept) == expected


def test_what_the_model_refuses_is_refused_in_its_words(port: int) -> None:
    refused = ask(port, b"{}", JSON, JSON)
    assert refused.status == 400 and json.loads(refused.body)["error"].endswith("is required.")


def test_ping_is_answered_and_nothing_else_is_there(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/ping")
        assert connection.getresponse().status == 200
    assert ask(port, b"", JSON, JSON, "/model").status == 404


def test_the_image_holds_the_locked_packages_and_no_compiler_uv_or_model(image: Image) -> None:
    assert (image.root / "opt" / "packages" / "bin" / "gunicorn").exists()
    assert sorted(os.listdir(image.root / "opt")) == ["ml", "model_server.py", "packages"]


def test_a_group_without_an_approved_model_says_so(endpoint: str, tmp_path: Path) -> None:
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="test-nothing-approved")
    command = [str(FETCH), "test-nothing-approved", str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "no model of test-nothing-approved is approved yet" in done.stderr
    assert not (tmp_path / "model").exists()
