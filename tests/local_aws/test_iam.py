"""What a principal's policies allow, which the SageMaker SDK asks before it uses a role."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.iam.simulation import decide

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": "arn:aws:s3:::b/*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
LACKING = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
IN = "arn:aws:s3:::b/key"


@pytest.mark.parametrize(
    ("statements", "action", "resource", "decision"),
    [
        ([], "s3:GetObject", "*", "implicitDeny"),
        ([ALLOW_ALL], "s3:GetObject", "*", "allowed"),
        ([READ], "S3:getobject", IN, "allowed"),
        ([READ], "s3:PutObject", IN, "implicitDeny"),
        ([READ], "s3:GetObject", "arn:aws:s3:::c/key", "implicitDeny"),
        ([READ], "s3:GetObject", "*", "implicitDeny"),
        ([ALLOW_ALL, {**READ, "Effect": "Deny"}], "s3:GetObject", IN, "explicitDeny"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:GetRole", "*", "implicitDeny"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", "*", "allowed"),
        ([{"Effect": "Deny", "Action": "*", "NotResource": IN}, ALLOW_ALL], "s3:GetObject", IN, "allowed"),
        ([{**ALLOW_ALL, "Condition": MFA}], "s3:GetObject", IN, "implicitDeny"),
        ([ALLOW_ALL, {**ALLOW_ALL, "Effect": "Deny", "Condition": MFA}], "s3:GetObject", IN, "allowed"),
        ([{**ALLOW_ALL, "Condition": LACKING}], "s3:GetObject", IN, "allowed"),
    ],
)
def test_policies_are_evaluated_by_iams_rules(statements: Any, action: str, resource: str, decision: str) -> None:
    assert decide([{"Statement": statements}], action, resource)[0] == decision


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
