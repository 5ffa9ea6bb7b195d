"""Which policies have a say about a principal and a resource, and what is known of both, by the state of moto's
services."""

from datetime import UTC, datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from local_aws.authorization.policies import Policies
from local_aws.authorization.principals import Principal

NOTHING = '{"Version": "2012-10-17", "Statement": []}'


def policies_for(principal: Principal, action: str, resource: str) -> Policies:
    """The documents that decide what `principal` may do to `resource`."""
    own, decides = _resource_policy(principal, action, resource)
    identity: list[str] = []
    boundary = None
    if holder := _holder(principal):
        identity, boundary = identity_policies(_iam(principal), holder), boundary_of(_iam(principal), holder)
    return Policies(identity, boundary, principal.session_policies, own, decides)


def identity_policies(iam: IAMBackend, holder: Any) -> list[str]:
    """The documents of a role's or user's own and attached policies, a user's groups' included."""
    holders = [holder, *(iam.get_groups_for_user(holder.name) if hasattr(holder, "access_keys") else ())]
    documents = [document for one in holders for document in one.policies.values()]
    return documents + [default_version(policy) for one in holders for policy in one.managed_policies.values()]


def boundary_of(iam: IAMBackend, holder: Any) -> list[str] | None:
    """The document of its permissions boundary, None where it has none."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    return [default_version(iam.get_policy(arn))] if arn else None


def default_version(policy: Any) -> str:
    """A managed policy's document."""
    return next(str(version.document) for version in policy.versions if version.is_default)


def keys_of(principal: Principal, resource: str) -> dict[str, tuple[str, ...]]:
    """The condition keys that every call has."""
    now = datetime.now(UTC)
    keys: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (now.isoformat(timespec="seconds").replace("+00:00", "Z"),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:securetransport": ("true",),
        "aws:sourceip": ("127.0.0.1",),
        "aws:principalarn": (principal.identity,),
        "aws:principalaccount": (principal.account,),
    }
    if principal.kind == "user":
        keys["aws:username"] = (principal.name,)
    if account := _account_of(resource):
        keys["aws:resourceaccount"] = (account,)
    return keys


def _iam(principal: Principal) -> IAMBackend:
    return iam_backends[principal.account][principal.identity.split(":")[1]]


def _holder(principal: Principal) -> Any:
    """The role or user as IAM has it; None for one that it has not, or no more."""
    try:
        if principal.kind == "role":
            return _iam(principal).get_role_by_arn(principal.identity)
        return _iam(principal).get_user(principal.name) if principal.kind == "user" else None
    except NotFoundException:
        return None


def _account_of(resource: str) -> str | None:
    """The account that a resource is in, as far as its ARN tells or, for a bucket, S3 knows."""
    if resource.startswith("arn:") and ":s3:::" in resource:
        return _bucket(resource)[0]
    parts = resource.split(":", 5)
    return parts[4] or None if len(parts) == 6 else None


def _bucket(resource: str) -> tuple[str | None, Any]:
    name = resource.split(":", 5)[5].partition("/")[0]
    for account, by_partition in list(s3_backends.items()):
        bucket = by_partition["aws"].buckets.get(name)
        if bucket:
            return account, bucket
    return None, None


def _resource_policy(principal: Principal, action: str, resource: str) -> tuple[str | None, bool]:
    """A resource's own policy, and whether nothing is allowed without it."""
    service = action.partition(":")[0]
    foreign = _account_of(resource) not in (None, principal.account)
    if service == "s3" and ":s3:::" in resource:
        bucket = _bucket(resource)[1]
        return (bucket.policy.decode() if bucket and bucket.policy else None), foreign
    if service == "kms" and ":key/" in resource:
        _, _, _, region, account, path = resource.split(":", 5)
        key = kms_backends[account][region].keys.get(path.partition("/")[2])
        return (str(key.policy) if key else None), True
    return None, foreign
