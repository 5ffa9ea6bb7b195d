"""What requests ask leave for, by the table resources.toml, and how those are answered whose credentials are bad."""

import re
from collections.abc import Iterator
from typing import Any

import jmespath
import pytest
from moto.sts.models import sts_backends

from local_aws.authorization import calls, lookups, refusals
from local_aws.authorization.callers import BadToken, ExpiredToken, NoCredentials, UnknownKey, identify
from local_aws.authorization.operations import Operation
from local_aws.authorization.places import Place
from local_aws.validation import service_model

HERE = Place("aws", "us-east-1", "123456789012")


def members(service: str, operation: str | None = None) -> set[str]:
    """The members of an operation's request, or of all of a service's."""
    model: Any = service_model(service)
    shapes = [model.operation_model(name).input_shape for name in ([operation] if operation else model.operation_names)]
    return {member for shape in shapes if shape for member in shape.members}


def roots(template: str) -> Iterator[str]:
    """The members of a request that a resource's template begins its paths with."""
    for placeholder in re.findall(r"\{([^}:][^}]*)\}", template):
        path = re.sub(r"(?<!\|)\|\w+$", "", placeholder.partition("=")[0])
        jmespath.compile(path)
        yield from (name for part in re.split(r"\|\||,", path) for name in re.findall(r"\w+", part.split(".")[0]))


@pytest.mark.parametrize("service", calls.SERVICES)
def test_the_table_names_what_the_services_have(service: str) -> None:
    entry = calls.SERVICES[service]
    assert set(entry.get("members", {})) <= members(service)
    for operation, templates in [*entry.get("operations", {}).items(), *entry.get("tagged", {}).items()]:
        assert {root for template in templates for root in roots(template)} <= members(service, operation), operation
    operations = service_model(service).operation_names
    assert set(entry.get("actions", {})) <= set(operations)
    for path in entry.get("conditions", {}).values():
        jmespath.compile(path)


def test_the_tables_lookups_are_there() -> None:
    used = {name for entry in calls.SERVICES.values() for name in re.findall(r"[^|]\|(\w+)\}", str(entry))}
    assert used and all(callable(getattr(lookups, name)) for name in used)


def asked(service: str, operation: str, /, **parameters: Any) -> list[tuple[str, str]]:
    return [(call.action, call.resource) for call in calls.of(Operation(service, operation, parameters, {}, {}), HERE)]


def test_a_request_that_could_not_be_read_asks_for_a_resource_without_a_name() -> None:
    group = "arn:aws:sagemaker:us-east-1:123456789012:training-job/"
    assert asked("sagemaker", "DescribeTrainingJob") == [("sagemaker:DescribeTrainingJob", group)]
    assert asked("sagemaker", "ListTags", ResourceArn="nonsense")[0][1].startswith("arn:aws:sagemaker:")


@pytest.mark.parametrize("wrong", ["text", 7, ["a", 1], {"a": {"b": []}}, None])
@pytest.mark.parametrize("service", calls.SERVICES)
def test_a_request_of_wrong_types_is_judged_too(local_aws: object, service: str, wrong: Any) -> None:
    for operation in set(service_model(service).operation_names) - {"GetCallerIdentity", "GetSessionToken"}:
        assert asked(service, operation, **dict.fromkeys(members(service, operation), wrong))


def test_all_roles_of_a_request_are_passed_once_each() -> None:
    definitions = [{"RoleArn": "arn:aws:iam::1:role/a"}, {"RoleArn": "arn:aws:iam::1:role/a"}]
    found = asked(
        *("sagemaker", "CreateHyperParameterTuningJob"),
        HyperParameterTuningJobName="t",
        TrainingJobDefinition={"RoleArn": "arn:aws:iam::1:role/b"},
        TrainingJobDefinitions=definitions,
    )
    assert [resource for action, resource in found if action == "iam:PassRole"] == [
        "arn:aws:iam::1:role/b",
        "arn:aws:iam::1:role/a",
    ]


@pytest.mark.parametrize(
    ("service", "operation", "request_", "tagged"),
    [
        ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "endpoint/e"),
        ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "d"}}, "database/d"),
        ("sagemaker", "CreateModel", {"ModelName": "m"}, "model/m"),
    ],
)
def test_what_a_request_only_uses_gets_no_tags(
    service: str, operation: str, request_: dict[str, Any], tagged: str
) -> None:
    tags: Any = {"team": "red"} if service == "glue" else [{"Key": "team", "Value": "red"}]
    found = asked(service, operation, Tags=tags, **request_)
    tagging = [resource for action, resource in found if "Tag" in action]
    assert tagging == [f"arn:aws:{service}:us-east-1:123456789012:{tagged}"]


KEY = {"VolumeKmsKeyId": "volume", "InstanceType": "ml.m5.large"}
DISK_AND_OUTPUT: list[tuple[str, dict[str, Any]]] = [
    ("CreateTrainingJob", {"ResourceConfig": KEY, "OutputDataConfig": {"KmsKeyId": "output"}}),
    (
        "CreateHyperParameterTuningJob",
        {"TrainingJobDefinition": {"ResourceConfig": KEY, "OutputDataConfig": {"KmsKeyId": "output"}}},
    ),
    (
        "CreateProcessingJob",
        {"ProcessingResources": {"ClusterConfig": KEY}, "ProcessingOutputConfig": {"KmsKeyId": "output"}},
    ),
    ("CreateTransformJob", {"TransformResources": KEY, "TransformOutput": {"KmsKeyId": "output"}}),
    (
        "CreateEndpointConfig",  # where AWS knows no key for output: what is captured is no condition's
        {
            "ProductionVariants": [{"InstanceType": "ml.m5.large"}],
            "KmsKeyId": "volume",
            "DataCaptureConfig": {"KmsKeyId": "captured"},
        },
    ),
]


@pytest.mark.parametrize(("operation", "request_"), DISK_AND_OUTPUT)
def test_conditions_tell_the_keys_of_disks_and_output_and_the_instance_types(
    operation: str, request_: dict[str, Any]
) -> None:
    call = calls.of(Operation("sagemaker", operation, request_, {}, {}), HERE)[0]
    kms_keys = {"sagemaker:VolumeKmsKey": ["volume"], "sagemaker:OutputKmsKey": ["output"]}
    if operation == "CreateEndpointConfig":
        del kms_keys["sagemaker:OutputKmsKey"]
    assert call.conditions == {**kms_keys, "sagemaker:InstanceTypes": ["ml.m5.large"]}


FORMS = {"s3": "ListBuckets", "iam": "ListRoles", "ssm": "DescribeParameters", "lambda": "ListFunctions"}


@pytest.mark.parametrize(
    ("error", "answers"),
    [
        (UnknownKey, ["InvalidAccessKeyId 403", "InvalidClientTokenId 403", "UnrecognizedClientException 400 403"]),
        (BadToken, ["InvalidToken 400", "InvalidClientTokenId 403", "UnrecognizedClientException 400 403"]),
        (ExpiredToken, ["ExpiredToken 400", "ExpiredToken 403", "ExpiredTokenException 400 403"]),
        (NoCredentials, ["AccessDenied 403", "MissingAuthenticationToken 403", "MissingAuthentication.* 400 403"]),
    ],
)
def test_bad_credentials_are_refused_in_each_protocols_words(error: type[Exception], answers: list[str]) -> None:
    for (service, operation), expected in zip(FORMS.items(), [*answers, answers[2]], strict=True):
        headers = {"content-type": "application/x-amz-json-1.1"} if service == "ssm" else {}
        response = refusals.bad_credentials(Operation(service, operation, {}, {}, headers), error("key"))
        code, *statuses = expected.split()
        assert re.search(code, response.get_data(as_text=True) + str(response.headers))
        assert str(response.status_code) == statuses[-1 if service == "lambda" else 0]


def test_a_session_ends(local_aws: object) -> None:
    sts: Any = sts_backends["123456789012"]["aws"]
    ended, lasting = sts.start_user_session("local", -1), sts.start_user_session("local", 60)
    assert identify(lasting.access_key_id, lasting.session_token).is_root
    with pytest.raises(ExpiredToken):
        identify(ended.access_key_id, ended.session_token)
    with pytest.raises(BadToken):
        identify(lasting.access_key_id, None)
