"""Whose request it is: what moto's IAM and STS know of an access key."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.iam.models import IAMBackend, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from local_aws.authorization import documents
from local_aws.authorization.principals import Principal, role_session, root, user

ISSUED = ("AKIA", "ASIA")  # how the ids of keys begin that AWS gives out


class BadCredentials(Exception):
    """What shows nobody's identity."""


class NoCredentials(BadCredentials):
    """An operation that must be signed, and is not."""


class UnknownKey(BadCredentials):
    """An access key that looks as if AWS had given it out, and that it has not, or that is off."""


class BadToken(BadCredentials):
    """A session token that isn't the one of its access key."""


class ExpiredToken(BadCredentials):
    """A session that has ended."""


@dataclass(frozen=True)
class Caller:
    """A request's principal, the region that it goes to, what it says of its software, and those resources of several
    to which it may not do what it asks for."""

    principal: Principal
    region: str
    user_agent: str
    refused: set[str] = field(default_factory=set)


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Principal:
    """Who has sent the request that this thread carries out; the root user where calls are neither judged nor
    recorded."""
    known = _caller.get()
    return known.principal if known else root(DEFAULT_ACCOUNT_ID)


def user_agent() -> str:
    """What the sender of that request says of its software."""
    known = _caller.get()
    return known.user_agent if known else "local_aws"


def region() -> str | None:
    """The region that the request goes to; None outside of requests."""
    known = _caller.get()
    return known.region if known else None


def refused() -> set[str]:
    """The resources of which the request's answer is to say that access is denied; empty outside of requests."""
    known = _caller.get()
    return known.refused if known else set()


@contextmanager
def calling(principal: Principal, region: str, agent: str) -> Iterator[None]:
    """Carry out a request of `principal`."""
    token = _caller.set(Caller(principal, region, agent))
    try:
        yield
    finally:
        _caller.reset(token)


def identify(access_key_id: str, session_token: str | None, partition: str = "aws") -> Principal:
    """The principal of a key that IAM or STS has given out; the root user for one that nobody has."""
    if not access_key_id.startswith(ISSUED):
        return root(DEFAULT_ACCOUNT_ID, partition)
    for account, by_partition in list(iam_backends.items()):
        key = by_partition[partition].access_keys.get(access_key_id)
        if key is None:
            continue
        if key.user_name is not None:
            if key.status != "Active":
                raise UnknownKey(access_key_id)
            if session_token:
                raise BadToken(access_key_id)
            return user(by_partition[partition].get_user(key.user_name).arn)
        session, principal = _session(account, partition, access_key_id)
        if session_token != session.session_token:
            raise BadToken(access_key_id)
        if session.expiration < utcnow():
            raise ExpiredToken(access_key_id)
        return principal
    raise UnknownKey(access_key_id)


def _session(account: str, partition: str, access_key_id: str) -> tuple[Any, Principal]:
    """A session that STS has begun, and whose it is."""
    sts = sts_backends[account][partition]
    if begun := sts.user_sessions.get(access_key_id):
        return begun, user(begun.user_arn) if begun.user_arn else root(account, partition)
    for assumed in reversed(sts.assumed_roles):  # the newest is the likeliest
        if assumed.access_key_id == access_key_id:
            return assumed, _of_role(assumed, iam_backends[account][partition])
    raise UnknownKey(access_key_id)


def _of_role(assumed: AssumedRole, iam: IAMBackend) -> Principal:
    policies = [assumed.policy] if assumed.policy else []
    policies += [documents.default_version(iam.get_policy(arn)) for arn in getattr(assumed, "policy_arns", ())]
    tags = getattr(assumed, "tags", {})  # neither is there in a session that a service has begun
    return role_session(assumed.role_arn, assumed.session_name, tuple(policies) or None, tags)
