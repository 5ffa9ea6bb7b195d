"""Which models and endpoint configurations stay to go back to, on moto's mock."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from test_on_moto import PLATFORM

from flight_delay import spec
from silverline import retention

GROUP = PLATFORM.model_package_groups["flight_delay"]
TAGS: Any = [{"Key": "Pipeline", "Value": "flight_delay"}, {"Key": "Environment", "Value": "test"}]


@pytest.fixture(autouse=True)
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="artifacts")
        boto3.client("s3").put_object(Bucket="artifacts", Key="model.tar.gz", Body=b"model")
        client = boto3.client("sagemaker")
        client.create_model_package_group(ModelPackageGroupName=GROUP)
        yield client


def deployed(sagemaker: Any, day: int, status: str) -> str:
    """The configuration of a run of that day, whose model's package has that status."""
    name = f"flight-delay-201301{day:02}-000000-abcd-1"
    container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": "s3://artifacts/model.tar.gz"}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="Approved",  # of another AWS makes no model
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=PLATFORM.sagemaker_endpoint_role_arn,
        PrimaryContainer={"ModelPackageName": package},
        Tags=TAGS,
    )
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=TAGS)
    return name


def left(sagemaker: Any) -> list[str]:
    return sorted(config["EndpointConfigName"] for config in sagemaker.list_endpoint_configs()["EndpointConfigs"])


def test_models_that_were_rejected_go_before_good_ones(sagemaker: Any) -> None:
    oldest, good, *refused, served = (
        deployed(sagemaker, day, status)
        for day, status in enumerate(("Approved", "Approved", "Rejected", "Rejected", "Approved"), start=1)
    )
    sagemaker.create_endpoint(EndpointName=spec.aws_name, EndpointConfigName=served)
    gone = retention.delete_old(dataclasses.replace(spec, kept_models=1), PLATFORM)
    assert {kind: sorted(names) for kind, names in gone.items()} == dict.fromkeys(gone, [oldest, *refused])
    assert left(sagemaker) == [good, served]


def test_a_rejected_model_that_is_served_stays(sagemaker: Any) -> None:
    sagemaker.create_endpoint(EndpointName=spec.aws_name, EndpointConfigName=deployed(sagemaker, 1, "Rejected"))
    assert retention.delete_old(spec, PLATFORM) == {"endpoint_configs": [], "models": []}


def test_a_configuration_whose_model_somebody_has_deleted_is_none_to_go_back_to(sagemaker: Any) -> None:
    name = deployed(sagemaker, 1, "Approved")
    sagemaker.delete_model(ModelName=name)
    assert retention.delete_old(spec, PLATFORM) == {"endpoint_configs": [name], "models": []}
