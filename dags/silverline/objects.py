"""Objects in S3 by their s3:// addresses."""

from typing import Any


def read(address: str) -> bytes:
    """The content of the object."""
    bucket, key = _split(address)
    return bytes(_s3().get_object(Bucket=bucket, Key=key)["Body"].read())


def write(address: str, content: bytes, content_type: str) -> None:
    """Put the object there, whatever was there before."""
    bucket, key = _split(address)
    _s3().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)


def etags(prefix: str) -> dict[str, str]:
    """The ETag of every object below the prefix, by its address."""
    bucket, key = _split(prefix)
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    return {f"s3://{bucket}/{item['Key']}": item["ETag"] for page in pages for item in page.get("Contents", [])}


def _split(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _s3() -> Any:
    import boto3

    return boto3.client("s3")
