"""A registered model that the tests of the registry share."""

from typing import Any

import boto3
import pytest
import small_model

from flight_delay import spec
from silverline import registration


@pytest.fixture(scope="session")
def model(local_aws: Any) -> str:
    """Where a model lies that was really trained."""
    small_model.lay()
    return small_model.train("small-1")


@pytest.fixture(scope="session")
def package(model: str) -> str:
    """The ARN of that model's package."""
    runs, gated = small_model.SILVER_RUNS, small_model.gate(model)
    return registration.register(small_model.PLATFORM, spec, small_model.plan(), runs, gated)


@pytest.fixture
def described(package: str) -> dict[str, Any]:
    return dict(boto3.client("sagemaker").describe_model_package(ModelPackageName=package))
