"""What S3's requests ask leave for: the actions' names are not the operations'."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from local_aws.authorization import lookups
from local_aws.authorization.operations import Call, Conditions, Operation

# Operations whose actions have other names; each other's action is its own name.
ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Actions that have another name where a version of the object is asked for.
OF_VERSIONS = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
QUERY_KEYS = ("prefix", "delimiter", "max-keys")


def calls(operation: Operation, partition: str) -> Iterator[Call]:
    """Each action that the request needs, with the bucket or object that it is done to."""
    bucket, key = operation.parameters.get("Bucket", ""), operation.parameters.get("Key")
    arn, conditions = f"arn:{partition}:s3:::{bucket}", _conditions(operation)
    name = ACTIONS.get(operation.name, operation.name)
    if operation.name == "ListBuckets":
        yield Call("s3:ListAllMyBuckets", "*", conditions)
    elif operation.name == "DeleteObjects":
        for one in operation.parameters.get("Delete", {}).get("Objects", ()):
            yield from _on(f"{arn}/{one.get('Key', '')}", "DeleteObject", one.get("VersionId"), conditions)
    elif key is None:
        yield Call(f"s3:{name}", arn, conditions)
    else:
        yield from _on(f"{arn}/{key}", name, operation.query.get("versionId"), conditions)
        if name == "PutObject":
            yield from _with_put(operation, f"{arn}/{key}", conditions)
        if source := operation.headers.get("x-amz-copy-source"):
            path, _, version = source.partition("?versionId=")
            yield from _on(f"arn:{partition}:s3:::{unquote(path).lstrip('/')}", "GetObject", version, conditions)


def _on(arn: str, name: str, version: str | None, conditions: Conditions) -> Iterator[Call]:
    """An action on an object, or on a version of it."""
    if version:
        yield Call(f"s3:{OF_VERSIONS.get(name, name)}", arn, {**conditions, "s3:VersionId": version})
    else:
        yield Call(f"s3:{name}", arn, conditions)
    if name == "GetObjectAttributes":
        yield from _on(arn, "GetObject", version, conditions)
    if name == "GetObject" and not version and lookups.lacks_object(arn):
        # Whether an object is missing is told to those only who may list its bucket.
        yield Call("s3:ListBucket", arn.partition("/")[0], conditions)


def _with_put(operation: Operation, arn: str, conditions: Conditions) -> Iterator[Call]:
    """What a new object's tags and access list ask leave for beside the object."""
    if "x-amz-tagging" in operation.headers:
        yield Call("s3:PutObjectTagging", arn, conditions)
    if operation.headers.get("x-amz-acl", "private") != "private" or any(
        name.startswith("x-amz-grant-") for name in operation.headers
    ):
        yield Call("s3:PutObjectAcl", arn, conditions)


def _conditions(operation: Operation) -> Conditions:
    keys: Conditions = {f"s3:{name}": value for name, value in operation.headers.items() if name.startswith("x-amz-")}
    keys |= {f"s3:{name}": operation.query[name] for name in QUERY_KEYS if name in operation.query}
    tags = dict(parse_qsl(operation.headers.get("x-amz-tagging", ""), keep_blank_values=True))
    keys |= {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
    if tags:
        keys["s3:RequestObjectTagKeys"] = list(tags)
    presigned = "X-Amz-Signature" in operation.query
    return keys | {"s3:TlsVersion": "1.3", "s3:authType": "REST-QUERY-STRING" if presigned else "REST-HEADER"}
