"""Roles, sessions, boundaries and groups: what somebody may do who is more than a user with one policy."""

import time
import uuid
from typing import Any

import boto3
import pytest
from judged import (
    ACCOUNT,
    OBJECT,
    ROLE,
    TRUSTING_ACCOUNT,
    Caller,
    User,
    allow,
    answer,
    assume,
    document,
    new_role,
    trust,
)


def test_a_role_is_assumed_by_its_trust_and_the_callers_policies(user: User) -> None:
    trusting = new_role(trust(TRUSTING_ACCOUNT), allow("s3:ListAllMyBuckets"))
    by_name, other = new_role(trust({"AWS": user.arn})), new_role(trust({"Service": "sagemaker.amazonaws.com"}))
    sts = user.may(allow("s3:*")).client("sts")
    assert answer(sts.assume_role, RoleArn=trusting, RoleSessionName="run")[1].endswith(
        "because no identity-based policy allows the sts:AssumeRole action"
    )
    assert answer(sts.assume_role, RoleArn=by_name, RoleSessionName="run") == ("", "")
    user.may(allow("sts:AssumeRole", f"{ROLE}/role-*"))
    assert answer(sts.assume_role, RoleArn=trusting, RoleSessionName="run") == ("", "")
    assert answer(sts.assume_role, RoleArn=other, RoleSessionName="run")[1].endswith(
        "because no resource-based policy allows the sts:AssumeRole action"
    )
    assert answer(sts.assume_role, RoleArn=f"{ROLE}/role-of-nobody", RoleSessionName="run")[0] == "AccessDenied"


def test_a_session_may_what_its_role_may_and_is_named_in_messages(user: User) -> None:
    role_arn = new_role(trust(TRUSTING_ACCOUNT), allow("s3:GetObject", OBJECT))
    session = assume(user.may(allow("sts:AssumeRole", role_arn)), role_arn)
    assert session.client("s3").get_object(Bucket="data", Key="silver/a")["ContentLength"] > 0
    name = role_arn.rpartition("/")[2]
    assert answer(session.client("s3").list_buckets)[1].startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/night-run is not authorized to perform: s3:ListAllMyBuckets"
    )


def test_the_root_user_assumes_roles_too(platform: Any) -> None:
    role_arn = new_role(trust({"Service": "sagemaker.amazonaws.com"}), allow("ssm:DescribeParameters"))
    session = assume(Caller({"AccessKeyId": "test", "SecretAccessKey": "test"}), role_arn)
    assert answer(session.client("ssm").describe_parameters) == ("", "")
    assert answer(session.client("iam").list_roles)[0] == "AccessDenied"


def test_a_trust_policys_conditions_hold(user: User) -> None:
    secret = {"StringEquals": {"sts:ExternalId": "secret"}}
    role_arn = new_role(trust({"AWS": user.arn}, Condition=secret))
    sts = user.may().client("sts")
    assert answer(sts.assume_role, RoleArn=role_arn, RoleSessionName="run")[0] == "AccessDenied"
    assert answer(sts.assume_role, RoleArn=role_arn, RoleSessionName="run", ExternalId="secret") == ("", "")


@pytest.mark.parametrize("how", ["Policy", "PolicyArns"])
def test_a_session_policy_narrows_a_session(platform: Any, how: str) -> None:
    role_arn, narrow = new_role(trust(TRUSTING_ACCOUNT), allow("s3:*")), document(allow("s3:GetObject", OBJECT))
    if how == "PolicyArns":
        made = boto3.client("iam").create_policy(PolicyName=f"n-{uuid.uuid4().hex[:8]}", PolicyDocument=narrow)
    policy: Any = narrow if how == "Policy" else [{"arn": made["Policy"]["Arn"]}]
    session = assume(boto3, role_arn, **{how: policy})
    assert answer(session.client("s3").get_object, Bucket="data", Key="silver/a") == ("", "")
    assert answer(session.client("s3").list_buckets)[1].endswith(
        "because no session policy allows the s3:ListAllMyBuckets action"
    )


def test_a_sessions_tags_fill_policies_variables(platform: Any) -> None:
    own = allow("s3:PutObject", "arn:aws:s3:::data/teams/${aws:PrincipalTag/team}/*")
    role_arn = new_role(trust(TRUSTING_ACCOUNT, ["sts:AssumeRole", "sts:TagSession"]), own)
    session = assume(boto3, role_arn, Tags=[{"Key": "team", "Value": "red"}])
    assert answer(session.client("s3").put_object, Bucket="data", Key="teams/red/x") == ("", "")
    assert answer(session.client("s3").put_object, Bucket="data", Key="teams/blue/x")[0] == "AccessDenied"


def test_a_session_token_has_to_be_its_keys_and_of_this_hour(platform: Any) -> None:
    role_arn = new_role(trust(TRUSTING_ACCOUNT), allow("*"))
    keys = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="run")["Credentials"]
    wrong = Caller({**keys, "SessionToken": "other"})
    assert answer(wrong.client("s3").list_buckets)[0] == "InvalidToken"
    assert answer(wrong.client("ssm").describe_parameters)[0] == "UnrecognizedClientException"
    short = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="run", DurationSeconds=900)["Credentials"]
    assert 800 < short["Expiration"].timestamp() - time.time() <= 900


def test_a_users_own_session_is_the_users(user: User) -> None:
    keys = user.may(allow("s3:ListAllMyBuckets")).client("sts").get_session_token()["Credentials"]
    session = Caller(keys)
    assert session.client("sts").get_caller_identity()["Arn"] == user.arn
    assert answer(session.client("s3").list_buckets) == ("", "")
    assert answer(session.client("ssm").describe_parameters)[0] == "AccessDeniedException"


def test_a_permissions_boundary_limits_a_role(platform: Any) -> None:
    iam, role_arn = boto3.client("iam"), new_role(trust(TRUSTING_ACCOUNT), allow("*"))
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role_arn.rpartition("/")[2], PermissionsBoundary=limit)
    session = assume(boto3, role_arn)
    assert answer(session.client("s3").list_buckets) == ("", "")
    assert answer(session.client("ssm").describe_parameters)[1].endswith(
        "because no permissions boundary allows the ssm:DescribeParameters action"
    )


def test_a_groups_and_an_attached_policy_count(user: User) -> None:
    iam = boto3.client("iam")
    user.may()
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document(allow("ssm:DescribeParameters")))
    attached = iam.create_policy(PolicyName="lists", PolicyDocument=document(allow("iam:ListRoles")))["Policy"]["Arn"]
    iam.add_user_to_group(GroupName="readers", UserName=user.name)
    iam.attach_user_policy(UserName=user.name, PolicyArn=attached)
    assert answer(user.client("ssm").describe_parameters) == answer(user.client("iam").list_roles) == ("", "")
    iam.remove_user_from_group(GroupName="readers", UserName=user.name)
    iam.detach_user_policy(UserName=user.name, PolicyArn=attached)
    assert answer(user.client("ssm").describe_parameters)[0] == "AccessDeniedException"
    assert answer(user.client("iam").list_roles)[0] == "AccessDenied"
