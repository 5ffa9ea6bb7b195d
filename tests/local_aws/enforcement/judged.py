"""Somebody who calls an AWS that judges calls, and what is answered."""

import json
import uuid
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

REGION, ACCOUNT = "us-east-1", "123456789012"
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
METRIC = {"Namespace": "App", "MetricData": [{"MetricName": "m", "Value": 1.0}]}
OBJECT, BUCKET = "arn:aws:s3:::data/silver/a", "arn:aws:s3:::data"
TRUSTING_ACCOUNT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


class Caller:
    """Somebody with access keys, and clients that sign by them."""

    def __init__(self, keys: Any) -> None:
        self._session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"), region_name=REGION
        )

        self._clients: dict[str, Any] = {}

    def client(self, service: str, **config: Any) -> Any:
        name = f"{service} {config}"
        if name not in self._clients:
            once = Config(retries={"total_max_attempts": 1}, **config)
            self._clients[name] = self._session.client(service, config=once)
        return self._clients[name]


class User(Caller):
    """A user with one policy."""

    def __init__(self, name: str) -> None:
        self.name, self.iam = name, boto3.client("iam")
        self.arn = self.iam.create_user(UserName=name)["User"]["Arn"]
        super().__init__(self.iam.create_access_key(UserName=name)["AccessKey"])

    def may(self, *statements: dict[str, Any]) -> "User":
        """This user, who may do just that from now on."""
        allowed = document(*statements or [allow("none:Nothing")])
        self.iam.put_user_policy(UserName=self.name, PolicyName="only", PolicyDocument=allowed)
        return self


def answer(call: Any, **arguments: Any) -> tuple[str, str]:
    """The code and text of the error that a call answers with; empty where it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return "", ""


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def new_role(trusted: str, *statements: dict[str, Any]) -> str:
    """The ARN of a role with one policy, if any."""
    name, iam = f"role-{uuid.uuid4().hex[:8]}", boto3.client("iam")
    role_arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=document(*statements))
    return str(role_arn)


def assume(who: Any, role_arn: str, **arguments: Any) -> Caller:
    assumed = who.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="night-run", **arguments)
    return Caller(assumed["Credentials"])
