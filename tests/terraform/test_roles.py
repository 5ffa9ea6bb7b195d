"""What the four roles may do, as IAM has it after the apply."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from terraform_cli import Platform

from least_privilege.grants import policies
from silverline.sagemaker_requests import LOCAL_DISKS

ROLES = ("airflow", "sagemaker-jobs", "sagemaker-endpoint", "reader")
LOOKING = ("Get", "List", "Describe", "BatchGet", "Filter")


def statements(platform: Platform, role: str) -> Iterator[dict[str, Any]]:
    for document in documents(platform, role).values():
        yield from document["Statement"]


def documents(platform: Platform, role: str) -> dict[str, dict[str, Any]]:
    """Inline policies by their names, attached ones by their ARNs."""
    return policies(platform.aws.client("iam"), f"silverline-{platform.environment}-{role}")


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("role", ROLES)
def test_every_action_is_allowed_by_its_full_name(platform_on_local_aws: Platform, role: str) -> None:
    actions = [action for each in statements(platform_on_local_aws, role) for action in listed(each["Action"])]
    assert actions and [action for action in actions if "*" in action] == []


@pytest.mark.parametrize(
    ("role", "everywhere"),
    [
        (
            "airflow",
            {
                *(
                    f"sagemaker:List{kind}Jobs"
                    for kind in ("HyperParameterTuning", "Processing", "Training", "Transform")
                ),
                *("sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "cloudwatch:GetMetricData"),
            },
        ),
        ("sagemaker-jobs", {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}),
        ("sagemaker-endpoint", {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}),
    ],
)
def test_only_what_aws_grants_no_narrower_is_granted_on_everything(
    platform_on_local_aws: Platform, role: str, everywhere: set[str]
) -> None:
    allowed = [each for each in statements(platform_on_local_aws, role) if each["Effect"] == "Allow"]
    wide = [each for each in allowed if "*" in listed(each["Resource"])]
    assert {action for each in wide for action in listed(each["Action"])} == everywhere


def test_people_who_look_change_nothing_but_their_queries_and_the_results_of_these(
    platform_on_local_aws: Platform,
) -> None:
    changing = {
        action: each["Resource"]
        for each in statements(platform_on_local_aws, "reader")
        for action in listed(each["Action"])
        if not action.partition(":")[2].startswith(LOOKING)
    }
    queries = {"athena:StartQueryExecution", "athena:StopQueryExecution", "logs:StartQuery"}
    results = {"s3:PutObject", "s3:AbortMultipartUpload"}
    use_of_the_key = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert changing.keys() == queries | results | use_of_the_key
    assert all(str(changing[action]).endswith("/athena-results/*") for action in results)


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_policies_fit_into_what_iam_takes_with_room_for_more_pipelines(
    platform_on_local_aws: Platform, role: str
) -> None:
    found = documents(platform_on_local_aws, role)
    inline = [document["Statement"] for name, document in found.items() if not name.startswith("arn:")]
    text = json.dumps(inline, separators=(",", ":"))
    attached = [
        json.dumps(document, separators=(",", ":")) for name, document in found.items() if name.startswith("arn:")
    ]

    def with_more_pipelines(policy: str) -> int:
        one = sum(len(name) + 1 for name in re.findall(r'"[^"]*airport[-_]weather[^"]*"', policy))
        return len(policy) + 4 * one

    assert with_more_pipelines(text) < 10_240
    assert len(attached) < 10 and all(with_more_pipelines(document) < 6_144 for document in attached)


TAGGED = [{"Key": "Environment", "Value": "dev"}]
DENIED = "AccessDeniedException"


@pytest.mark.parametrize(
    ("instance_type", "key", "denied"),
    [
        ("ml.t2.medium", "ours", False),
        ("ml.t2.medium", "another", True),
        ("ml.t2.medium", None, True),
        ("ml.g5.xlarge", None, False),
    ],
)
def test_airflow_configures_no_endpoint_whose_disk_the_platforms_key_does_not_encrypt(
    platform_on_local_aws: Platform, instance_type: str, key: str | None, denied: bool
) -> None:
    ours = platform_on_local_aws.document["kms_key_arn"]
    key_arn = {"ours": ours, "another": f"{ours[:-4]}0000"}.get(key or "")
    variant = {"VariantName": "v", "ModelName": "none", "InitialInstanceCount": 1, "InstanceType": instance_type}
    request = {"EndpointConfigName": "flight-delay-test", "ProductionVariants": [variant], "Tags": TAGGED}
    sagemaker = platform_on_local_aws.client_of("airflow", "sagemaker")
    with pytest.raises(ClientError) as refused:  # there is no such model
        sagemaker.create_endpoint_config(**request, **({"KmsKeyId": key_arn} if key_arn else {}))
    assert (refused.value.response["Error"]["Code"] == DENIED) is denied, refused.value


@pytest.mark.parametrize(
    ("tags", "denied"), [(TAGGED, False), ([{"Key": "Environment", "Value": "prod"}], True), ([], True)]
)
def test_airflow_creates_no_endpoint_without_its_environments_tag(
    platform_on_local_aws: Platform, tags: list[dict[str, str]], denied: bool
) -> None:
    sagemaker = platform_on_local_aws.client_of("airflow", "sagemaker")
    with pytest.raises(ClientError) as refused:  # there is no such configuration
        sagemaker.create_endpoint(EndpointName="flight-delay", EndpointConfigName="flight-delay-none", Tags=tags)
    assert (refused.value.response["Error"]["Code"] == DENIED) is denied, refused.value


def test_the_policy_and_the_pipelines_know_the_same_instance_types_with_disks_of_their_own(
    platform_on_local_aws: Platform,
) -> None:
    (denial,) = [each for each in statements(platform_on_local_aws, "airflow") if each["Effect"] == "Deny"]
    assert set(denial["Condition"]["ForAnyValue:StringNotLike"]["sagemaker:InstanceTypes"]) == set(LOCAL_DISKS)


def test_airflow_speaks_on_the_platforms_topic_and_reads_the_logs_of_jobs_and_no_others(
    platform_on_local_aws: Platform,
) -> None:
    topic = platform_on_local_aws.document["alarm_topic_arn"]
    sns, logs = (platform_on_local_aws.client_of("airflow", service) for service in ("sns", "logs"))
    assert sns.publish(TopicArn=topic, Subject="flight_delay failed in dev: train.train", Message="...")["MessageId"]
    with pytest.raises(ClientError, match="not authorized to perform: (?i:sns:Publish)"):
        sns.publish(TopicArn=f"{topic}-of-another", Message="...")
    for kind in ("Training", "Processing", "Transform"):
        logs.filter_log_events(logGroupName=f"/aws/sagemaker/{kind}Jobs", logStreamNamePrefix="flight-delay")
    with pytest.raises(ClientError, match="not authorized to perform: (?i:logs:FilterLogEvents)"):
        logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/flight-delay")


def test_airflow_looks_at_the_alarms_of_canaries_and_at_no_others(platform_on_local_aws: Platform) -> None:
    cloudwatch = platform_on_local_aws.client_of("airflow", "cloudwatch")
    canary = platform_on_local_aws.document["endpoint_alarms"]["flight_delay"]
    assert len(cloudwatch.describe_alarms(AlarmNames=canary)["MetricAlarms"]) == len(canary)
    with pytest.raises(ClientError, match="not authorized to perform: (?i:cloudwatch:DescribeAlarms)"):
        cloudwatch.describe_alarms(AlarmNames=[f"silverline-{platform_on_local_aws.environment}-flight-delay-5xx"])
