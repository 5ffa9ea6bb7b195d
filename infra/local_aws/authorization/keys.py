"""The condition keys that every call has, whatever its service."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import sagemaker_backends

from local_aws.authorization import callers, documents
from local_aws.authorization.principals import Principal

_TYPES = {"root": "Account", "user": "User", "role": "AssumedRole", "anonymous": "Anonymous", "service": "Service"}


def known(principal: Principal, resource: str) -> dict[str, tuple[str, ...]]:
    """What AWS knows of the time, the connection, the principal and the resource, by keys in lower case.

    A request counts as sent by TLS: on a loopback address there is nothing to encrypt it for, and nobody could use a
    bucket that refuses all else.
    """
    now = datetime.now(UTC)
    keys = {
        "aws:currenttime": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:securetransport": "true",
        "aws:sourceip": "127.0.0.1",
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": str(principal.kind == "service").lower(),
        "aws:principaltype": _TYPES[principal.kind],
        "aws:useragent": callers.user_agent(),
        "aws:requestedregion": callers.region() or _part(resource, 3),
        "aws:resourceaccount": documents.account_of(resource),
    }
    if principal.account:
        keys |= {"aws:principalarn": principal.identity, "aws:principalaccount": principal.account}
        keys["kms:calleraccount"] = principal.account
    if principal.kind == "user":
        keys["aws:username"] = principal.name
    if holder := documents.holder_of(principal):
        keys["aws:userid"] = f"{holder.id}:{principal.session_name}" if principal.session_name else holder.id
    keys |= {f"aws:principaltag/{name.lower()}": value for name, value in _principal_tags(principal).items()}
    for name, value in _tags(resource).items():
        keys[f"aws:resourcetag/{name.lower()}"] = value
        if _part(resource, 2) == "iam":
            keys[f"iam:resourcetag/{name.lower()}"] = value
    return {name: (value,) for name, value in keys.items() if value}


def _part(arn: str, number: int) -> str | None:
    parts = arn.split(":", 5)
    return parts[number] if len(parts) == 6 else None


def _principal_tags(principal: Principal) -> dict[str, str]:
    """A session's tags, before those of its role or user."""
    own = _tags(principal.identity) if principal.kind in ("user", "role") else {}
    return own | dict(principal.tags)


def _tags(resource: str) -> dict[str, str]:
    """The tags of a role, a user, a key, or anything of SageMaker's; of other resources none are known here."""
    match resource.split(":", 5):
        case ["arn", partition, "iam", _, account, path]:
            if iam := documents.backend_of(iam_backends, account, partition):
                return _iam_tags(iam, resource, path)
        case ["arn", _, "sagemaker", region, account, _]:
            if sagemaker := documents.backend_of(sagemaker_backends, account, region):
                with suppress(ValidationError):  # there is none of that name
                    return _pairs(sagemaker.all_tags(resource))
        case ["arn", _, "kms", region, account, path]:
            if kms := documents.backend_of(kms_backends, account, region):
                return dict(kms.tagger.get_tag_dict_for_resource(path.rpartition("/")[2]))
    return {}


def _iam_tags(iam: Any, arn: str, path: str) -> dict[str, str]:
    if path.startswith("role/"):
        with suppress(NotFoundException):
            return _pairs(iam.get_role(path.rpartition("/")[2]).tags or ())
    return dict(iam.tagger.get_tag_dict_for_resource(arn))


def _pairs(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
