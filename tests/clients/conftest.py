"""What the client tests share: one bucket, one trained model, and one endpoint that answers with it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from sagemaker_requests import BUCKET, bucket_client, finished, settled
from slope_model import endpoint_config_request, model_request, training_request


@pytest.fixture(scope="session")
def s3(local_aws: Any) -> Any:
    client = bucket_client()
    client.put_object(Bucket=BUCKET, Key="clients/train/rows.csv", Body=b"1,2\n3,4\n")
    return client


@pytest.fixture(scope="session")
def sagemaker(s3: Any) -> Any:
    return boto3.client("sagemaker")


@pytest.fixture(scope="session")
def trained(s3: Any, sagemaker: Any) -> dict[str, Any]:
    """DescribeTrainingJob of the job whose model all client tests use."""
    sagemaker.create_training_job(**training_request(s3, "trained"))
    job = finished(sagemaker, "trained")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    return job


@pytest.fixture(scope="session")
def artifacts(trained: dict[str, Any]) -> str:
    """The address of the shared model's archive."""
    return str(trained["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture(scope="session")
def model(sagemaker: Any, artifacts: str) -> str:
    """The name of the shared model."""
    sagemaker.create_model(**model_request("clients", artifacts))
    return "clients"


@pytest.fixture(scope="session")
def endpoint(sagemaker: Any, model: str) -> str:
    """The name of an endpoint, and of its configuration, that no test changes."""
    sagemaker.create_endpoint_config(**endpoint_config_request("clients", model))
    sagemaker.create_endpoint(EndpointName="clients", EndpointConfigName="clients")
    described = settled(sagemaker, "clients")
    assert described["EndpointStatus"] == "InService", described
    return "clients"


@pytest.fixture(scope="session")
def airflow_connection(local_aws: Any) -> Iterator[None]:
    """The provider's default connection, as a deployment has it that says nothing of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
        yield
