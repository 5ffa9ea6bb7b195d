"""Data capture writes what an endpoint was asked and what it answered to S3, in the lines that Model Monitor reads."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, eventually, settled

from local_aws.sagemaker import data_capture

ECHO = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, body, content_type, accept):
        if body == "fail":
            raise ValueError("no")
        return body, accept
"""
HEADERS = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json", "application/jsonlines"]}


def captured(hosting: Endpoints, name: str) -> list[dict[str, Any]]:
    """Every line that has been captured of an endpoint, oldest first."""
    listed = hosting.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/{name}/").get("Contents", [])
    bodies = [hosting.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode() for item in listed]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def answered(hosting: Endpoints, name: str, body: bytes, content_type: str, **more: str) -> bytes:
    return bytes(hosting.raw(name, body, content_type, **more)["Body"].read())


@pytest.fixture(scope="module")
def hosting(local_aws: Any) -> Iterator[Endpoints]:
    """The endpoint `heard`, all of whose inferences are captured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_capture, "FLUSH_SECONDS", 0.2)
        made = Endpoints()
        made.model("heard", ECHO)
        made.config("heard", capture={"CaptureContentTypeHeader": HEADERS}, heard=1)
        made.sagemaker.create_endpoint(EndpointName="heard", EndpointConfigName="heard")
        settled(made.sagemaker, "heard")
        yield made


def test_a_line_is_laid_out_as_awss(hosting: Endpoints) -> None:
    body = b'{"a": "\xc3\xa4"}'
    more = {"Accept": "text/csv", "InferenceId": "inference-1", "CustomAttributes": "c=1"}
    assert answered(hosting, "heard", body, "application/json", **more) == body
    (line,) = eventually(
        lambda: [x for x in captured(hosting, "heard") if x["eventMetadata"].get("inferenceId") == "inference-1"], bool
    )
    event_id, time = line["eventMetadata"].pop("eventId"), line["eventMetadata"].pop("inferenceTime")
    assert line == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "application/json",
                "mode": "INPUT",
                "data": '{"a": "ä"}',
                "encoding": "JSON",
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": '{"a": "ä"}',
                "encoding": "CSV",
            },
        },
        "eventMetadata": {"inferenceId": "inference-1", "customAttributes": ["c=1"]},
        "eventVersion": "0",
    }
    assert re.fullmatch(r"[0-9a-f-]{36}", event_id)
    age = datetime.now(UTC) - datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_the_hour_is_in_the_key(hosting: Endpoints) -> None:
    answered(hosting, "heard", b"1", "text/csv")
    (key,) = eventually(
        lambda: hosting.s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/heard/", MaxKeys=1).get("Contents", []),
        bool,
    )
    hour = r"\d{4}/\d\d/\d\d/\d\d"
    assert re.fullmatch(rf"captured/heard/variant-heard/{hour}/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl", key["Key"])


@pytest.mark.parametrize(
    ("content_type", "body", "encoding"),
    [
        ("text/csv; charset=utf-8", b"1,2", "CSV"),
        ("application/jsonlines", b"[1]\n[2]", "JSON"),
        ("text/plain", b"words", "BASE64"),
        ("application/x-npy", b"\x93NUMPY\xff", "BASE64"),
        ("application/jsonlines", b"\xff\xfe", "BASE64"),  # no text, whatever its type says
    ],
)
def test_data_is_encoded_by_its_content_type(
    hosting: Endpoints, content_type: str, body: bytes, encoding: str, request: pytest.FixtureRequest
) -> None:
    name = re.sub(r"\W+", "-", request.node.name)[:64]
    answered(hosting, "heard", body, content_type, InferenceId=name)
    (line,) = eventually(
        lambda: [x for x in captured(hosting, "heard") if x["eventMetadata"].get("inferenceId") == name], bool
    )
    found = line["captureData"]["endpointInput"]
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    assert (found["encoding"], found["data"], found["observedContentType"]) == (encoding, data, content_type)


def test_a_failed_inference_is_not_captured(hosting: Endpoints) -> None:
    with pytest.raises(ClientError):
        answered(hosting, "heard", b"fail", "application/json", InferenceId="failed")
    answered(hosting, "heard", b"1", "application/json", InferenceId="after-failed")
    ids = eventually(
        lambda: [line["eventMetadata"].get("inferenceId") for line in captured(hosting, "heard")],
        lambda found: "after-failed" in found,
    )
    assert "failed" not in ids


def test_an_endpoint_describes_its_capture(hosting: Endpoints) -> None:
    described = hosting.sagemaker.describe_endpoint(EndpointName="heard")["DataCaptureConfig"]
    assert described == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "KmsKeyId": "",
    }


def test_what_is_left_is_written_when_an_update_ends_the_fleet_and_when_the_endpoint_is_deleted(
    hosting: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_capture, "FLUSH_SECONDS", 3600.0)
    hosting.model("left", ECHO)
    hosting.config("left-input", capture={"CaptureOptions": [{"CaptureMode": "Input"}]}, left=1)
    hosting.config("left-both", capture={"CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}, left=1)
    hosting.sagemaker.create_endpoint(EndpointName="left", EndpointConfigName="left-input")
    settled(hosting.sagemaker, "left")
    answered(hosting, "left", b"1", "text/csv")
    assert captured(hosting, "left") == []
    hosting.sagemaker.update_endpoint(EndpointName="left", EndpointConfigName="left-both")
    (line,) = eventually(lambda: captured(hosting, "left"), bool)
    assert list(line["captureData"]) == ["endpointInput"]
    assert line["captureData"]["endpointInput"]["encoding"] == "BASE64"  # where no content types are named
    settled(hosting.sagemaker, "left")
    answered(hosting, "left", b"2", "text/csv")
    hosting.sagemaker.delete_endpoint(EndpointName="left")
    lines = eventually(lambda: captured(hosting, "left"), lambda found: len(found) == 2)
    assert list(lines[-1]["captureData"]) == ["endpointInput", "endpointOutput"]


class Bucket:
    """Stands in for S3; keeps the lines that are put."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def put_object(self, Body: bytes, **_: Any) -> None:
        self.lines += Body.decode().splitlines()


@pytest.mark.parametrize(("percentage", "least", "most"), [(0, 0, 0), (30, 200, 400), (100, 1000, 1000)])
def test_a_sample_is_as_large_as_asked_for(percentage: int, least: int, most: int) -> None:
    bucket = Bucket()
    options = {"CaptureOptions": [{"CaptureMode": "Output"}], "DestinationS3Uri": "s3://b/p"}
    capture = data_capture.DataCapture({"InitialSamplingPercentage": percentage, **options}, bucket, "e", "v")
    for _ in range(1000):
        capture.record({}, b"", "text/csv", b"1")
    capture.close()
    assert least <= len(bucket.lines) <= most


def test_an_endpoint_whose_capture_is_switched_off_has_none() -> None:
    assert not data_capture.is_enabled({"EnableCapture": False})
    assert data_capture.is_enabled({"CaptureOptions": []})
