"""The platform document that the local start-up writes."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import boto3
import jsonschema
import pytest
from moto import mock_aws

from laptop import platform
from silverline.platform import Platform


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    platform._ssm.cache_clear()
    with mock_aws():
        yield
    platform._ssm.cache_clear()


def schema() -> Any:
    return json.loads(platform.SCHEMA.read_text())


def test_the_document_in_ssm_has_the_schema_and_all_that_pipelines_need(aws: None) -> None:
    platform.apply("abc")
    document = platform.read()
    jsonschema.validate(document, schema())
    assert Platform.from_document(document).environment == "local"
    commit = boto3.client("ssm").get_parameter(Name="/silverline/local/git_commit")["Parameter"]["Value"]
    assert commit == "abc"


def test_applying_twice_keeps_what_is_there(aws: None) -> None:
    first = platform.apply("abc")
    boto3.client("s3").put_object(Bucket=first["bronze_bucket"], Key="k", Body=b"raw")
    assert platform.apply("def") == first
    assert boto3.client("s3").get_object(Bucket=first["bronze_bucket"], Key="k")["Body"].read() == b"raw"


def test_bronze_is_versioned(aws: None) -> None:
    bucket = platform.apply("abc")["bronze_bucket"]
    assert boto3.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_the_schema_requires_what_the_pipelines_read() -> None:
    assert {field.name for field in fields(Platform)} <= set(schema()["required"])


def test_the_schema_refuses_a_document_with_an_unknown_member_or_a_bad_role(aws: None) -> None:
    document = platform.apply("abc")
    for change in ({"surprise": "x"}, {"sagemaker_role_arn": "just-a-name"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, **change}, schema())
