"""What a principal's policies allow, which the SageMaker SDK asks before it uses a role."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": "arn:aws:s3:::b/*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
IN = "arn:aws:s3:::b/key"


def document(statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def simulated(arn: str, **arguments: Any) -> dict[str, str]:
    answer = boto3.client("iam").simulate_principal_policy(PolicySourceArn=arn, **arguments)
    return {result["EvalActionName"]: result["EvalDecision"] for result in answer["EvaluationResults"]}


def test_a_roles_own_and_attached_policies_count(local_aws: Any) -> None:
    iam = boto3.client("iam")
    arn = iam.create_role(RoleName="simulated", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName="simulated", PolicyName="own", PolicyDocument=document(READ))
    attached = document({**READ, "Action": "s3:PutObject"})
    policy = iam.create_policy(PolicyName="simulated", PolicyDocument=attached)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="simulated", PolicyArn=policy)
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    decisions = dict(zip(actions, ["allowed", "allowed", "implicitDeny"], strict=True))
    assert simulated(arn, ActionNames=actions, ResourceArns=[IN]) == decisions


def test_a_users_groups_count(local_aws: Any) -> None:
    iam = boto3.client("iam")
    arn = iam.create_user(UserName="simulated")["User"]["Arn"]
    iam.create_group(GroupName="simulated")
    iam.add_user_to_group(UserName="simulated", GroupName="simulated")
    iam.put_group_policy(GroupName="simulated", PolicyName="all", PolicyDocument=document(ALLOW_ALL))
    assert simulated(arn, ActionNames=["s3:GetObject"]) == {"s3:GetObject": "allowed"}


def test_an_unknown_principal_and_what_is_not_simulated_are_refused(local_aws: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        simulated("arn:aws:iam::123456789012:role/nobody", ActionNames=["s3:GetObject"])
    with pytest.raises(ClientError, match="NotImplementedException.*CallerArn"):
        simulated("arn:aws:iam::123456789012:role/nobody", ActionNames=["a:b"], CallerArn="arn:aws:iam::1:user/a")


def test_a_permissions_boundary_limits_what_is_allowed(local_aws: Any) -> None:
    iam = boto3.client("iam")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document(READ))["Policy"]["Arn"]
    role = iam.create_role(RoleName="bound", AssumeRolePolicyDocument="{}", PermissionsBoundary=boundary)["Role"]
    iam.put_role_policy(RoleName="bound", PolicyName="all", PolicyDocument=document(ALLOW_ALL))
    decisions = simulated(role["Arn"], ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=[IN])
    assert decisions == {"s3:GetObject": "allowed", "s3:PutObject": "implicitDeny"}


def test_what_a_condition_asks_for_is_given_or_named_as_missing(local_aws: Any) -> None:
    iam, policies = boto3.client("iam"), [document({**ALLOW_ALL, "Condition": MFA})]
    given = {"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}
    asked = {"PolicyInputList": policies, "ActionNames": ["s3:GetObject"]}
    [without] = iam.simulate_custom_policy(**asked)["EvaluationResults"]
    assert (without["EvalDecision"], without["MissingContextValues"]) == (
        "implicitDeny",
        ["aws:MultiFactorAuthPresent"],
    )
    [with_it] = iam.simulate_custom_policy(**asked, ContextEntries=[given])["EvaluationResults"]
    assert (with_it["EvalDecision"], with_it["MissingContextValues"]) == ("allowed", [])
