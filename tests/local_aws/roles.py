"""Roles that the tests of permissions make, statement by statement, clients that act as them, and what they act on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

ACCOUNT = "123456789012"
BUCKET = "on-behalf"
ARN = f"arn:aws:s3:::{BUCKET}"
REPOSITORY = "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn"
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


def not_allowed(who: str, action: str, resource: str) -> str:
    """What IAM says of a session, "role/name", none of whose role's policies allow an action."""
    named = f'"{resource}"' if action.startswith("s3:") else resource
    return (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{who} is not authorized to perform: {action} on resource: {named} "
        f"because no identity-based policy allows the {action} action"
    )


def encrypted_bucket(objects: Mapping[str, bytes]) -> str:
    """The ARN of the key that everything in the bucket is under, `objects` to begin with."""
    s3 = boto3.client("s3")
    arn: str = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket=BUCKET)
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return arn


def by_s3(action: str, key: str) -> dict[str, Any]:
    """Leave to use the key for the bucket's objects, and for nothing else."""
    used = {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": ARN}
    return allow(f"kms:{action}", key, StringEquals=used)


def of_any_container() -> Statements:
    """What the role of whatever runs in a container of AWS's needs."""
    return {
        "log in to ECR": allow("ecr:GetAuthorizationToken", "*"),
        "pull": allow([f"ecr:{action}" for action in ("BatchCheckLayerAvailability", "BatchGetImage")], REPOSITORY),
        "layers": allow("ecr:GetDownloadUrlForLayer", REPOSITORY),
        "log": allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"),
    }
