"""Groups, packages and refusals that the tests of the model registry share."""

import itertools
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, IMAGE, bucket_client

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
NAMES = (f"group-{number}" for number in itertools.count())


def registry_client() -> Any:
    """A client of SageMaker, with the model data of `package` in S3."""
    bucket_client().put_object(Bucket=BUCKET, Key="registry/model.tar.gz", Body=b"a model")
    return boto3.client("sagemaker")


def new_group(sagemaker: Any) -> str:
    """The name of a model package group of the test's own."""
    name = next(NAMES)
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def package(**container: Any) -> dict[str, Any]:
    """CreateModelPackage's InferenceSpecification."""
    default = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/registry/model.tar.gz"}
    return {"InferenceSpecification": {"Containers": [default | container]}}


def refused(operation: Any, **request: Any) -> str:
    """The message of AWS's ValidationException."""
    with pytest.raises(ClientError) as refusal:
        operation(**request)
    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationException", error
    return str(error["Message"])
