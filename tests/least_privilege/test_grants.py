"""Policies taken apart, and put together with an action less."""

import json
from typing import Any

import boto3
import pytest

from least_privilege.ablation import removed
from least_privilege.grants import Grant, grants, policies, resources, without

READ_AND_WRITE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::silver/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::silver"]},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::silver/locked/*"},
    ],
}


def test_every_allowed_action_is_a_grant_of_its_own():
    assert grants("jobs", {"silver": READ_AND_WRITE}) == [
        Grant("jobs", "silver", "s3:GetObject", ("arn:aws:s3:::silver/*",)),
        Grant("jobs", "silver", "s3:PutObject", ("arn:aws:s3:::silver/*",)),
        Grant("jobs", "silver", "s3:ListBucket", ("arn:aws:s3:::silver",)),
    ]


def test_an_action_is_removed_from_what_is_allowed_and_from_nothing_else():
    rest = without(READ_AND_WRITE, "s3:PutObject")
    assert list(resources(grants("jobs", {"silver": rest}))) == [("jobs", "s3:GetObject"), ("jobs", "s3:ListBucket")]
    assert rest["Statement"][-1] == {**READ_AND_WRITE["Statement"][-1], "Action": ["s3:PutObject"]}


def test_of_a_policy_with_one_action_nothing_is_left():
    statement = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    assert without({"Version": "2012-10-17", "Statement": statement}, "ssm:GetParameter") is None


@pytest.mark.parametrize("member", ["NotAction", "NotResource"])
def test_what_is_allowed_by_exclusion_can_not_be_taken_apart(member):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", member: "x"}
    with pytest.raises(ValueError, match="of jobs allows what it doesn't name"):
        grants("jobs", {"silver": {"Statement": [statement]}})


TWO = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["a:One", "a:Two"], "Resource": "*"}]}
ONE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:One", "Resource": "*"}]}


@pytest.fixture
def role(local_aws: object) -> str:
    """A role with an inline policy and two that are attached."""
    iam, trust = boto3.client("iam"), {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="taken-apart", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="taken-apart", PolicyName="inline", PolicyDocument=json.dumps(TWO))
    for name, document in (("taken-apart-two", TWO), ("taken-apart-one", ONE)):
        arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="taken-apart", PolicyArn=arn)
    return "taken-apart"


def test_an_action_is_taken_from_inline_and_attached_policies_and_given_back(role: str) -> None:
    iam: Any = boto3.client("iam")
    before = policies(iam, role)
    assert {name.rpartition("/")[2] for name in before} == {"inline", "taken-apart-two", "taken-apart-one"}
    for _ in range(6):  # IAM keeps five versions of a policy
        with removed(iam, role, "a:One"):
            left = policies(iam, role)
            assert {name.rpartition("/")[2] for name in left} == {"inline", "taken-apart-two"}
            assert {action for _, action in resources(grants("role", left))} == {"a:Two"}
        assert policies(iam, role) == before
