"""Roles that the tests of permissions make, statement by statement, and clients that act as them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

ACCOUNT = "123456789012"
Statements = Mapping[str, Mapping[str, Any]]


def allow(actions: str | Sequence[str], *resources: str, **conditions: Mapping[str, Any]) -> dict[str, Any]:
    """A statement; each of `conditions` is an operator with its keys."""
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), "Condition": conditions}


def role(name: str, statements: Statements, service: str = "sagemaker.amazonaws.com") -> str:
    """The ARN of a role that is allowed the `statements`, and that the account and `service` may assume."""
    iam = boto3.client("iam")
    principal = {"Service": service, "AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_policy(list(statements.values())))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


class Somebody:
    """A session of a role."""

    def __init__(self, role_arn: str) -> None:
        given = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="somebody")["Credentials"]
        self._keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def client(self, service: str) -> Any:
        """A client that acts as the role."""
        return boto3.client(service, **self._keys)


def without(statements: Statements, *names: str) -> Statements:
    """The statements but those of these names."""
    assert statements.keys() >= set(names)
    return {name: statement for name, statement in statements.items() if name not in names}


def _policy(statements: list[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
