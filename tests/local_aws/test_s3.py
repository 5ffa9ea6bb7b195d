"""S3 where moto answers otherwise than AWS: policies with conditions, and EventBridge's notifications."""

import json
import uuid
from typing import Any

import boto3
import pytest
from cloudwatch_requests import error

from local_aws.s3.bucket_policies import context, decide


@pytest.fixture
def bucket(local_aws: object) -> str:
    name = f"policies-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def denial(bucket: str, action: str, condition: dict[str, Any]) -> str:
    """A policy that denies everybody an action on a bucket's objects under a condition."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


def test_a_bucket_that_refuses_requests_without_tls_can_be_used(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    s3.put_bucket_policy(Bucket=bucket, Policy=denial(bucket, "s3:*", {"Bool": {"aws:SecureTransport": "false"}}))
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"content"
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_bucket_that_wants_encryption_by_kms_refuses_what_comes_without(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    unencrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=denial(bucket, "s3:PutObject", unencrypted))
    assert error(s3.put_object, Bucket=bucket, Key="plain", Body=b"") == ("AccessDenied", "Access Denied")
    s3.put_object(Bucket=bucket, Key="secret", Body=b"", ServerSideEncryption="aws:kms")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["secret"]


KEYS = context({"X-Amz-Server-Side-Encryption": "AES256"}, "127.0.0.1")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"Bool": {"aws:SecureTransport": ["true"]}}, True),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, False),
        ({"StringEquals": {"s3:x-amz-server-side-encryption": ["aws:kms", "AES256"]}}, True),
        ({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}, False),
        ({"StringLike": {"s3:x-amz-server-side-encryption": "AES*"}}, True),
        ({"Null": {"s3:x-amz-server-side-encryption": "true"}}, False),
        ({"Null": {"s3:x-amz-storage-class": "true"}}, True),
        ({"StringEquals": {"s3:x-amz-storage-class": "GLACIER"}}, False),
        ({"StringEqualsIfExists": {"s3:x-amz-storage-class": "GLACIER"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "Bool": {"aws:SecureTransport": "false"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, False),  # nobody knows who asks
    ],
)
def test_a_condition_holds_or_not(condition: dict[str, Any], holds: bool) -> None:
    policy = denial("b", "s3:Get*", condition)
    assert decide(policy, "s3:GetObject", "arn:aws:s3:::b/k", KEYS) == ("Deny" if holds else "")


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({}, "Allow"),
        ({"Action": ["s3:put*", "s3:getobject"]}, "Allow"),
        ({"Action": "s3:PutObject"}, ""),
        ({"Resource": "arn:aws:s3:::b/other*"}, ""),
        ({"Principal": {"AWS": "*"}}, "Allow"),
        ({"Principal": {"AWS": "arn:aws:iam::1:role/r"}}, ""),
        ({"Effect": "Deny", "NotResource": "arn:aws:s3:::b/open/*", "Resource": None}, "Deny"),
    ],
)
def test_a_statement_is_about_an_action_or_not(changes: dict[str, Any], effect: str) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", **changes}
    policy = json.dumps({"Statement": {name: value for name, value in statement.items() if value is not None}})
    assert decide(policy, "s3:GetObject", "arn:aws:s3:::b/k", KEYS) == effect


def test_a_notification_to_eventbridge_is_read_back(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert {name for name in answer if name != "ResponseMetadata"} == {"EventBridgeConfiguration"}
