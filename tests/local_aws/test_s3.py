"""S3 where moto answers otherwise than AWS: policies with conditions, notifications, access logs, versions."""

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


def log_to(bucket: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A request that `bucket`'s access be logged into a new bucket with these statements as its policy."""
    logs = f"{bucket}-logs"
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket=logs)
    s3.put_bucket_policy(Bucket=logs, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    logging = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "s3/silver/"}}
    return {"Bucket": bucket, "BucketLoggingStatus": logging}


def delivery(bucket: str, source_account: str = "123456789012") -> dict[str, Any]:
    """A statement by which S3 may deliver the logs of `bucket`."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}-logs/s3/*",
        "Condition": {
            "ArnLike": {"aws:SourceArn": [f"arn:aws:s3:::{bucket}"]},
            "StringEquals": {"aws:SourceAccount": source_account},
        },
    }


def test_a_bucket_that_refuses_requests_without_tls_can_take_access_logs(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    tls = json.loads(denial(f"{bucket}-logs", "s3:*", {"Bool": {"aws:SecureTransport": "false"}}))["Statement"]
    s3.put_bucket_logging(**log_to(bucket, *tls, delivery(bucket)))
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "s3/silver/"


def test_access_logs_of_another_account_are_not_taken(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    request = log_to(bucket, delivery(bucket, source_account="210987654321"))
    assert error(s3.put_bucket_logging, **request)[0] == "InvalidTargetBucketForLogging"


def test_no_access_log_is_made_up(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    request = log_to(bucket, {**delivery(bucket), "Resource": f"arn:aws:s3:::{bucket}-logs/*"})
    s3.put_bucket_logging(**request)
    s3.list_objects_v2(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=f"{bucket}-logs")["KeyCount"] == 0


def test_an_object_of_which_only_its_delete_marker_is_left_can_be_deleted_for_good(bucket: str) -> None:
    s3: Any = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    versions = [{"Key": "k", "VersionId": one} for one in (version, marker)]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions})
    assert [one["VersionId"] for one in deleted["Deleted"]] == [version, marker]
    s3.delete_bucket(Bucket=bucket)


# Encryption by keys


@pytest.fixture
def key(bucket: str) -> str:
    """The ARN of the key that the bucket's objects are under by default, which has the bucket's name as its alias."""
    kms: Any = boto3.client("kms")
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{bucket}", TargetKeyId=arn)
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"alias/{bucket}"}
    rules = [{"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]
    boto3.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    return arn


def test_an_object_is_under_the_buckets_key_or_its_own(bucket: str, key: str) -> None:
    s3: Any = boto3.client("s3")
    own = boto3.client("kms").create_key()["KeyMetadata"]
    by_kms = {"ServerSideEncryption": "aws:kms"}
    answers = [
        s3.put_object(Bucket=bucket, Key="by-default", Body=b"1"),
        s3.put_object(Bucket=bucket, Key="own", Body=b"2", **by_kms, SSEKMSKeyId=own["KeyId"], BucketKeyEnabled=False),
        s3.put_object(Bucket=bucket, Key="plain", Body=b"3", ServerSideEncryption="AES256"),
        s3.get_object(Bucket=bucket, Key="by-default"),
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "plain"}),
    ]
    by_default = ("aws:kms", key, True)
    assert [
        (answer["ServerSideEncryption"], answer.get("SSEKMSKeyId"), answer.get("BucketKeyEnabled"))
        for answer in answers
    ] == [by_default, ("aws:kms", own["Arn"], None), ("AES256", None, None), by_default, by_default]


def test_an_upload_in_parts_is_under_the_buckets_key(bucket: str, key: str) -> None:
    s3: Any = boto3.client("s3")
    upload = {"Bucket": bucket, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    tag = s3.upload_part(**upload, PartNumber=1, Body=b"1")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    assert s3.complete_multipart_upload(**upload, MultipartUpload=parts)["SSEKMSKeyId"] == key


def test_a_key_that_is_not_named_is_awss_own_whatever_the_buckets_is(bucket: str, key: str) -> None:
    s3: Any = boto3.client("s3")
    answer = s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms")
    described = boto3.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert answer["SSEKMSKeyId"] == described["Arn"] != key


def test_nothing_is_read_or_written_by_a_key_that_is_off(bucket: str, key: str) -> None:
    s3: Any = boto3.client("s3")
    kms: Any = boto3.client("kms")
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    key_id = key.rpartition("/")[2]
    kms.disable_key(KeyId=key_id)
    disabled = ("KMS.DisabledException", f"{key} is disabled.")
    assert error(s3.get_object, Bucket=bucket, Key="k") == disabled
    assert error(s3.put_object, Bucket=bucket, Key="k", Body=b"2") == disabled
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1
    kms.enable_key(KeyId=key_id)
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    gone = ("KMS.KMSInvalidStateException", f"{key} is pending deletion.")
    assert error(s3.get_object, Bucket=bucket, Key="k") == gone
