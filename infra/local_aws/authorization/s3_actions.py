"""What S3's requests ask leave for: the actions' names are not the operations'."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from local_aws.authorization.operations import Call, Operation

# Operations whose actions have other names; each other's action is its own name.
ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
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
    query, conditions = operation.query, _conditions(operation)
    name = ACTIONS.get(operation.name, operation.name)
    if operation.name == "ListBuckets":
        yield Call("s3:ListAllMyBuckets", "*", conditions)
        return
    arn = f"arn:{partition}:s3:::{bucket}"
    if operation.name == "DeleteObjects":
        for one in operation.parameters.get("Delete", {}).get("Objects", ()):
            version = one.get("VersionId")
            name = "DeleteObjectVersion" if version else "DeleteObject"
            yield Call(f"s3:{name}", f"{arn}/{one.get('Key', '')}", conditions)
        return
    if "versionId" in query:
        name = OF_VERSIONS.get(name, name)
        conditions = {**conditions, "s3:VersionId": query["versionId"]}
    yield Call(f"s3:{name}", f"{arn}/{key}" if key is not None else arn, conditions)
    if name == "PutObject":
        yield from _with_put(operation, f"{arn}/{key}", conditions)
    if name == "GetObjectAttributes":
        yield Call("s3:GetObject", f"{arn}/{key}", conditions)
    if name == "GetObjectVersionAttributes":
        yield Call("s3:GetObjectVersion", f"{arn}/{key}", conditions)
    if source := operation.headers.get("x-amz-copy-source"):
        path, _, version = source.partition("?versionId=")
        copied = f"arn:{partition}:s3:::{unquote(path).lstrip('/')}"
        yield Call("s3:GetObjectVersion" if version else "s3:GetObject", copied, {"s3:VersionId": version or []})


def _with_put(operation: Operation, arn: str, conditions: Mapping[str, str | list[str]]) -> Iterator[Call]:
    """What a new object's tags and access list ask leave for beside the object."""
    if "x-amz-tagging" in operation.headers:
        yield Call("s3:PutObjectTagging", arn, conditions)
    if operation.headers.get("x-amz-acl", "private") != "private" or any(
        name.startswith("x-amz-grant-") for name in operation.headers
    ):
        yield Call("s3:PutObjectAcl", arn, conditions)


def _conditions(operation: Operation) -> dict[str, str | list[str]]:
    keys: dict[str, str | list[str]] = {
        f"s3:{name}": value for name, value in operation.headers.items() if name.startswith("x-amz-")
    }
    keys |= {f"s3:{name}": operation.query[name] for name in QUERY_KEYS if name in operation.query}
    tags = dict(parse_qsl(operation.headers.get("x-amz-tagging", ""), keep_blank_values=True))
    keys |= {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
    if tags:
        keys["s3:RequestObjectTagKeys"] = list(tags)
    presigned = "X-Amz-Signature" in operation.query
    return keys | {"s3:TlsVersion": "1.3", "s3:authType": "REST-QUERY-STRING" if presigned else "REST-HEADER"}
