"""Encryption by KMS keys, as far as S3 shows it: which key an object is under, and whose leave its use takes."""

from collections.abc import Mapping
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response

from local_aws import authorization
from local_aws.kms import keys

BY_KMS = ("aws:kms", "aws:kms:dsse")
AWS_MANAGED = "alias/aws/s3"  # the key where none is named


def encrypt(bucket: FakeBucket, name: str, given: Mapping[str, Any], actions: tuple[str, ...]) -> dict[str, Any]:
    """The encryption that an object gets which is written to `bucket` with the settings `given`: its own first, then
    the bucket's; AccessDenied, or the key's error, where the caller can't use the key so."""
    rule = (bucket.encryption or {}).get("Rule", {})
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    algorithm = given.get("encryption") or default.get("SSEAlgorithm")
    if algorithm not in BY_KMS:
        return {"encryption": algorithm, "kms_key_id": None, "bucket_key_enabled": None}
    own = None if given.get("encryption") else default.get("KMSMasterKeyID")
    arn = keys.key_arn(bucket.account_id, bucket.region_name, given.get("kms_key_id") or own or AWS_MANAGED)
    by_bucket_key = str(given.get("bucket_key_enabled") or rule.get("BucketKeyEnabled", False)).lower()
    _use(bucket, name, arn, by_bucket_key == "true", actions)
    return {"encryption": algorithm, "kms_key_id": arn, "bucket_key_enabled": by_bucket_key == "true" or None}


def decrypt(bucket: FakeBucket, key: FakeKey) -> None:
    """AccessDenied, or the key's error, where the caller can't read an object for its key."""
    if key.encryption in BY_KMS and key.kms_key_id:
        _use(bucket, key.name, key.kms_key_id, str(key.bucket_key_enabled).lower() == "true", ("kms:Decrypt",))


def _use(bucket: FakeBucket, name: str, arn: str, by_bucket_key: bool, actions: tuple[str, ...]) -> None:
    conditions = {
        "kms:ViaService": f"s3.{bucket.region_name}.amazonaws.com",
        "kms:CallerAccount": bucket.account_id,
        "kms:EncryptionContextKeys": "aws:s3:arn",
        "kms:EncryptionContext:aws:s3:arn": bucket.arn if by_bucket_key else f"{bucket.arn}/{name}",
    }
    try:
        keys.use(authorization.caller(), actions, arn, conditions)
    except authorization.AccessDenied as denied:
        raise S3ClientError("AccessDenied", denied.message) from denied
    except keys.UnusableKey as unusable:
        raise S3ClientError(unusable.code, unusable.message) from unusable


_put_object = S3Backend.put_object
_copy_object = S3Backend.copy_object
_create_multipart_upload = S3Backend.create_multipart_upload
_upload_part_copy = S3Backend.upload_part_copy
_complete_multipart_upload = S3Backend.complete_multipart_upload
_get_object = S3Response.get_object


def put_object(backend: S3Backend, bucket_name: str, key_name: str, *value: Any, **options: Any) -> FakeKey:
    """moto's method of that name, with the ARN of the key where moto keeps what it was told."""
    chosen = encrypt(backend.get_bucket(bucket_name), key_name, options, ("kms:GenerateDataKey",))
    written = _put_object(backend, bucket_name, key_name, *value, **{**options, **chosen})
    written.encryption, written.kms_key_id, written.bucket_key_enabled = chosen.values()
    return written


def copy_object(backend: S3Backend, source: FakeKey, *target: Any, **options: Any) -> None:
    """moto's method of that name, for whom may read the source."""
    decrypt(backend.get_bucket(source.bucket_name), source)
    _copy_object(backend, source, *target, **options)


def create_multipart_upload(
    backend: S3Backend,
    bucket_name: str,
    key_name: str,
    metadata: Any,
    storage_type: str,
    tags: Any,
    acl: Any,
    sse_encryption: str | None,
    kms_key_id: str | None,
) -> Any:
    """moto's method of that name, for whom may use the key."""
    given = {"encryption": sse_encryption, "kms_key_id": kms_key_id}
    encrypt(backend.get_bucket(bucket_name), key_name, given, ("kms:GenerateDataKey",))
    arguments = (bucket_name, key_name, metadata, storage_type, tags, acl, sse_encryption, kms_key_id)
    return _create_multipart_upload(backend, *arguments)


def upload_part_copy(
    backend: S3Backend,
    dest_bucket_name: str,
    multipart_id: str,
    part_id: int,
    src_bucket_name: str,
    src_key_name: str,
    src_version_id: str | None,
    start_byte: int,
    end_byte: int,
) -> Any:
    """moto's method of that name, for whom may read the source."""
    source = backend.get_object(src_bucket_name, src_key_name, version_id=src_version_id)
    if source:
        decrypt(backend.get_bucket(src_bucket_name), source)
    arguments = (part_id, src_bucket_name, src_key_name, src_version_id, start_byte, end_byte)
    return _upload_part_copy(backend, dest_bucket_name, multipart_id, *arguments)


def complete_multipart_upload(backend: S3Backend, bucket_name: str, multipart_id: str, body: Any) -> Any:
    """moto's method of that name, for whom may read the parts, which S3 puts together."""
    bucket = backend.get_bucket(bucket_name)
    upload = bucket.multiparts[multipart_id]
    given = {"encryption": upload.sse_encryption, "kms_key_id": upload.kms_key_id}
    encrypt(bucket, upload.key_name, given, ("kms:Decrypt",))
    return _complete_multipart_upload(backend, bucket_name, multipart_id, body)


def get_object(response: Any) -> Any:
    """moto's method of that name, for whom may use the key that the object is under; HEAD takes no key."""
    key, _ = response._get_key()
    decrypt(response.backend.get_bucket(response.bucket_name), key)
    return _get_object(response)


def install() -> None:
    """Put these in the place of moto's."""
    S3Backend.put_object = put_object
    S3Backend.copy_object = copy_object
    S3Backend.create_multipart_upload = create_multipart_upload
    S3Backend.upload_part_copy = upload_part_copy
    S3Backend.complete_multipart_upload = complete_multipart_upload
    S3Response.get_object = get_object
