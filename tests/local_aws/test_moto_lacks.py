"""What moto lacks, and where it fails, in any service, is an error in the form of the service's own protocol."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.glue.models import GlueBackend
from moto.iam.models import IAMBackend


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("glue", "list_blueprints", {}),
        ("ssm", "describe_activations", {}),
        ("kms", "describe_custom_key_stores", {}),
        ("events", "list_endpoints", {}),
        ("iam", "list_service_specific_credentials", {}),
        ("sns", "list_origination_numbers", {}),
        ("sqs", "list_message_move_tasks", {"SourceArn": "arn:aws:sqs:us-east-1:123456789012:q"}),
        ("sts", "decode_authorization_message", {"EncodedMessage": "m"}),
        ("budgets", "describe_budget_actions_for_account", {"AccountId": "123456789012"}),
        ("application-autoscaling", "describe_scaling_activities", {"ServiceNamespace": "sagemaker"}),
        ("ecs", "list_services_by_namespace", {"namespace": "n"}),
    ],
)
def test_it_is_refused_by_name(local_aws: Any, service: str, operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(boto3.client(service), operation)(**request_)
    error = refused.value.response["Error"]
    name = boto3.client(service).meta.method_to_api_mapping[operation]
    assert error["Code"] == "NotImplementedException"
    assert error["Message"] == f"{name} is not implemented by local AWS; nothing has been done."
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_setting_of_a_bucket_that_moto_takes_for_the_bucket_is_refused(local_aws: Any) -> None:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="with-settings")
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*A bucket's analytics is not implemented"):
        s3.delete_bucket_analytics_configuration(Bucket="with-settings", Id="a")
    assert "with-settings" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("service", "operation", "backend", "method"),
    [
        ("glue", "get_databases", GlueBackend, "get_databases"),
        ("iam", "list_groups", IAMBackend, "list_groups"),
    ],
)
def test_a_defect_of_motos_is_an_internal_failure(
    local_aws: Any, monkeypatch: pytest.MonkeyPatch, service: Any, operation: str, backend: Any, method: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(backend, method, broken)
    client = boto3.client(service, config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match=r"\(InternalFailure\).*KeyError\('a defect'\)") as failed:
        getattr(client, operation)()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
