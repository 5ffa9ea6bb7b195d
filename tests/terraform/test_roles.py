"""What the four roles may do, as IAM has it after the apply."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from terraform_cli import Platform

ROLES = ("airflow", "sagemaker-jobs", "sagemaker-endpoint", "reader")
LOOKING = ("Get", "List", "Describe", "BatchGet", "Filter")


def statements(platform: Platform, role: str) -> Iterator[dict[str, Any]]:
    iam, name = platform.aws.client("iam"), f"silverline-{platform.environment}-{role}"
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("role", ROLES)
def test_every_action_is_allowed_by_its_full_name(platform_on_local_aws: Platform, role: str) -> None:
    actions = [action for each in statements(platform_on_local_aws, role) for action in listed(each["Action"])]
    assert actions and [action for action in actions if "*" in action] == []


@pytest.mark.parametrize(
    ("role", "everywhere"),
    [
        ("airflow", set()),
        ("sagemaker-jobs", {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}),
        ("sagemaker-endpoint", {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}),
    ],
)
def test_only_what_aws_grants_no_narrower_is_granted_on_everything(
    platform_on_local_aws: Platform, role: str, everywhere: set[str]
) -> None:
    wide = [each for each in statements(platform_on_local_aws, role) if "*" in listed(each["Resource"])]
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
    queries = {"athena:StartQueryExecution", "athena:StopQueryExecution", "logs:StartQuery", "logs:StopQuery"}
    results = {"s3:PutObject", "s3:AbortMultipartUpload"}
    use_of_the_key = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert changing.keys() == queries | results | use_of_the_key
    assert all(str(changing[action]).endswith("/athena-results/*") for action in results)


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_policies_fit_into_what_iam_takes_with_room_for_ten_pipelines(
    platform_on_local_aws: Platform, role: str
) -> None:
    text = [json.dumps(each, separators=(",", ":")) for each in statements(platform_on_local_aws, role)]
    assert len("".join(text)) < 10_240 - 9 * 500
