"""Objects of a bucket, compared with what they should be."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from deploy.plan import Change, Refused


@cache
def s3() -> Any:
    """The client of all requests: making one costs more than most of them."""
    return boto3.client("s3")


def head(bucket: str, key: str) -> Mapping[str, Any]:
    """What S3 says of the object, its checksum among it; empty where there is none, Refused where S3 won't say."""
    try:
        return dict(s3().head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED"))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "404":
            return {}
        if code == "403":  # S3 says no more than that
            needed = "s3:GetObject on it, s3:ListBucket on its bucket, and kms:Decrypt on the bucket's key"
            raise Refused(f"you may not look at s3://{bucket}/{key}: that needs {needed}") from None
        raise


def sha256(content: bytes) -> str:
    """`content`'s SHA-256 as S3 writes a checksum; an ETag is no MD5 where the bucket encrypts by KMS."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def upload(
    bucket: str, key: str, content: Callable[[], bytes], there: Mapping[str, Any], note: str = "", **metadata: str
) -> Change:
    """The upload of `content()`, with its SHA-256; the plan tells one that replaces what is `there` from a new one."""

    def put() -> None:
        s3().put_object(Bucket=bucket, Key=key, Body=content(), ChecksumAlgorithm="SHA256", Metadata=metadata)

    return Change(f"{'~' if there else '+'} s3://{bucket}/{key}{note}", put)


def delete(bucket: str, key: str) -> Change:
    """The removal of an object; a bucket with versions keeps the last one."""
    return Change(f"- s3://{bucket}/{key}", lambda: s3().delete_object(Bucket=bucket, Key=key))
