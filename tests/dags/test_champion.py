"""Which model a new one is held against, on moto's mock."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends
from test_on_moto import PLATFORM

from flight_delay import spec
from silverline import champion

GROUP = PLATFORM.model_package_groups["flight_delay"]


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3, client = boto3.client("s3"), boto3.client("sagemaker")
        s3.create_bucket(Bucket="artifacts")
        for name in ("old", "new", "unseen"):
            s3.put_object(Bucket="artifacts", Key=f"{name}/model.tar.gz", Body=b"model")
        client.create_model_package_group(ModelPackageGroupName=GROUP)
        yield client


def register(sagemaker: Any, name: str, status: str) -> str:
    container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": f"s3://artifacts/{name}/model.tar.gz"}
    package: str = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    return package


def serve(sagemaker: Any, container: dict[str, str]) -> None:
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=PLATFORM.sagemaker_endpoint_role_arn, PrimaryContainer=container
    )
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=spec.aws_name, EndpointConfigName="c")


def test_what_the_endpoint_serves_is_the_champion_whatever_was_approved_since(sagemaker: Any) -> None:
    served = register(sagemaker, "old", "Approved")
    register(sagemaker, "new", "Approved")
    serve(sagemaker, {"ModelPackageName": served})
    assert champion.find(PLATFORM, spec) == {"package": served, "model_artifacts": "s3://artifacts/old/model.tar.gz"}


def test_a_model_that_was_never_registered_is_the_champion_while_it_serves(sagemaker: Any) -> None:
    register(sagemaker, "new", "Approved")
    archive = "s3://artifacts/unseen/model.tar.gz"
    serve(sagemaker, {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": archive})
    assert champion.find(PLATFORM, spec) == {"package": None, "model_artifacts": archive}


def test_without_an_endpoint_the_newest_approved_package_is_the_champion(sagemaker: Any) -> None:
    register(sagemaker, "old", "Approved")
    newest = register(sagemaker, "new", "Approved")
    register(sagemaker, "unseen", "PendingManualApproval")
    assert champion.find(PLATFORM, spec) == {"package": newest, "model_artifacts": "s3://artifacts/new/model.tar.gz"}


def test_an_endpoint_whose_creation_failed_serves_nothing(sagemaker: Any) -> None:
    approved = register(sagemaker, "old", "Approved")
    serve(sagemaker, {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": "s3://artifacts/unseen/model.tar.gz"})
    sagemaker_backends["123456789012"]["us-east-1"].endpoints[spec.aws_name].endpoint_status = "Failed"
    assert champion.find(PLATFORM, spec) == {"package": approved, "model_artifacts": "s3://artifacts/old/model.tar.gz"}


def test_the_first_model_has_no_champion(sagemaker: Any) -> None:
    register(sagemaker, "new", "Rejected")
    assert champion.find(PLATFORM, spec) is None
