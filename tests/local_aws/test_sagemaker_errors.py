"""Whatever is sent to SageMaker, the answer is JSON in AWS's form: never a page of HTML."""

import json
import logging
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.sagemaker import listing
from local_aws.sagemaker.responses import ABSENT, EXECUTED, RECORDS
from local_aws.sagemakerruntime.models import ForwardingSageMakerRuntimeBackend
from local_aws.validation import service_model
from raw_requests import send


def answer(local_aws: Any, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """The status and JSON of what a POST gets, whatever its body."""
    status, text = send(local_aws.url, "sagemaker", operation, body)
    return status, json.loads(text)


# CreateModelPackageGroup needs nothing but a name that is free.
@pytest.mark.parametrize("operation", sorted((EXECUTED | RECORDS | ABSENT) - {"CreateModelPackageGroup"}))
def test_an_operation_with_nothing_known_answers_in_awss_form(local_aws: Any, operation: str) -> None:
    """Every required name is one that nothing has."""
    shape = service_model("sagemaker").operation_model(operation).input_shape
    required = {name: shape.members[name] for name in shape.required_members}
    plain = {name: "nowhere" for name, member in required.items() if member.type_name == "string"}
    status, error = answer(local_aws, operation, json.dumps(plain).encode())
    assert status == (200 if operation.startswith("List") and not required else 400), error
    assert status == 200 or error["__type"].endswith(("ValidationException", "ResourceNotFound")), error


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"text"', b"\xff", b'{"ModelName": {"a": 1}}', b'{"ModelName": "m", "PrimaryContainer": "c"}'],
)
def test_a_body_that_is_not_the_operations_is_a_serialization_error(local_aws: Any, body: bytes) -> None:
    status, error = answer(local_aws, "CreateModel", body)
    assert (status, error["__type"].rpartition("#")[2]) == (400, "SerializationException")


def test_an_operation_that_aws_does_not_have(local_aws: Any) -> None:
    status, error = answer(local_aws, "CreateHappiness", b"{}")
    assert (status, error["__type"].rpartition("#")[2]) == (400, "NotImplementedException")


def test_a_defect_is_an_internal_failure_and_its_traceback_is_logged(
    local_aws: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(listing, "page", broken)
    client = boto3.client("sagemaker", config=Config(retries={"total_max_attempts": 1}))
    with caplog.at_level(logging.ERROR), pytest.raises(ClientError) as failed:
        client.list_training_jobs()
    assert failed.value.response["Error"]["Code"] == "InternalFailure"
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "KeyError('a defect')" in failed.value.response["Error"]["Message"]
    (record,) = [record for record in caplog.records if record.message == "SageMaker: ListTrainingJobs"]
    assert record.exc_info is not None and isinstance(record.exc_info[1], KeyError)


def test_a_defect_of_an_invocation_is_an_internal_failure(
    local_aws: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(ForwardingSageMakerRuntimeBackend, "invoke", broken)
    client = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
    with caplog.at_level(logging.ERROR), pytest.raises(client.exceptions.InternalFailure, match="a defect") as failed:
        client.invoke_endpoint(EndpointName="nowhere", Body=b"")
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    (record,) = [record for record in caplog.records if record.message == "SageMaker Runtime: InvokeEndpoint"]
    assert record.exc_info is not None and isinstance(record.exc_info[1], KeyError)
