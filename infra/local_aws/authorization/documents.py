"""The policies that have a say about a principal and a resource, by the state of moto's services."""

from typing import Any

from moto.iam.exceptions import NoSuchEntity, NotFoundException
from moto.iam.models import IAMBackend, iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from local_aws.authorization.policies import Policies
from local_aws.authorization.principals import Principal


def policies_for(principal: Principal, action: str, resource: str) -> Policies:
    """The documents that decide what `principal` may do to `resource`."""
    own, decides = _resource_policy(action, resource)
    crosses = account_of(resource) not in (None, principal.account)
    if action.startswith("ecr:"):
        crosses = False  # AWS's own repositories, of its images, are open to every account
    identity: list[str] = []
    boundary = None
    if holder := holder_of(principal):
        iam = _iam(principal)
        identity, boundary = identity_policies(iam, holder), boundary_of(iam, holder)
    return Policies(identity, boundary, principal.session_policies, own, decides, crosses)


def identity_policies(iam: IAMBackend, holder: Any) -> list[str]:
    """The documents of a role's or user's own and attached policies, a user's groups' included."""
    holders = [holder, *(iam.get_groups_for_user(holder.name) if hasattr(holder, "access_keys") else ())]
    documents = [document for one in holders for document in list(one.policies.values())]
    return documents + [default_version(policy) for one in holders for policy in list(one.managed_policies.values())]


def boundary_of(iam: IAMBackend, holder: Any) -> list[str] | None:
    """The document of its permissions boundary, None where it has none."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    return [default_version(iam.get_policy(arn))] if arn else None


def default_version(policy: Any) -> str:
    """A managed policy's document."""
    return next(str(version.document) for version in policy.versions if version.is_default)


def _iam(principal: Principal) -> IAMBackend:
    return iam_backends[principal.account][principal.identity.split(":")[1]]


def holder_of(principal: Principal) -> Any:
    """The role or user as IAM has it; None for one that it has not, or no more."""
    try:
        if principal.kind == "role":
            return _iam(principal).get_role_by_arn(principal.identity)
        return _iam(principal).get_user(principal.name) if principal.kind == "user" else None
    except (NotFoundException, NoSuchEntity):
        return None


def account_of(resource: str) -> str | None:
    """The account that a resource is in, as far as its ARN tells or, for a bucket, S3 knows."""
    parts = resource.split(":", 5)
    if parts[2:3] == ["s3"]:
        bucket = bucket_of(resource)
        return str(bucket.account_id) if bucket else None
    return parts[4] or None if len(parts) == 6 else None


def bucket_of(arn: str) -> FakeBucket | None:
    """The bucket of an ARN of itself or of an object; None where there is none."""
    _, partition, _, _, _, path = arn.split(":", 5)
    for by_partition in list(s3_backends.values()):
        s3 = by_partition.get(partition)
        if bucket := s3 and s3.buckets.get(path.partition("/")[0]):
            return bucket
    return None


def _resource_policy(action: str, resource: str) -> tuple[str | None, bool]:
    """A resource's own policy, and whether nobody may do anything without it."""
    match action.partition(":")[0], resource.split(":", 5):
        case "s3", ["arn", _, "s3", _, _, _]:
            bucket = bucket_of(resource)
            return (bucket.policy.decode() if bucket and bucket.policy else None), False
        case "kms", ["arn", _, _, region, account, path] if path.startswith("key/"):
            kms = backend_of(kms_backends, account, region)
            key = kms and kms.keys.get(path.removeprefix("key/"))
            return (str(key.policy) if key else None), True
        case "sts", ["arn", partition, _, _, account, path] if path.startswith("role/"):
            return _trust(backend_of(iam_backends, account, partition), path.rpartition("/")[2]), True
        case "sns", ["arn", _, _, region, account, _]:
            sns = backend_of(sns_backends, account, region)
            topic = sns and sns.topics.get(resource)
            return (topic.policy if topic else None), False
        case "sqs", ["arn", _, _, region, account, name]:
            sqs = backend_of(sqs_backends, account, region)
            queue = sqs and sqs.queues.get(name)
            return (queue.policy or None if queue else None), False
    return None, False


def backend_of(backends: Any, account: str, region: str) -> Any:
    """The state of a service in an account and region, None where there is none yet, or no such region."""
    by_region = backends.get(account)
    return by_region.get(region) if by_region is not None else None


def _trust(iam: IAMBackend | None, name: str) -> str | None:
    """The trust policy of a role, None where there is no such role."""
    if iam is None:
        return None
    try:
        return str(iam.get_role(name).assume_role_policy_document)
    except NotFoundException:
        return None
