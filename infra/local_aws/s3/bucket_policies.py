"""Whether a bucket's policy denies or permits everybody an action, where it is not judged who asks."""

from collections.abc import Mapping

from local_aws.authorization import policies, principals
from local_aws.authorization.policies import Inquiry, Statement, names, statements
from local_aws.authorization.principals import ANONYMOUS


def context(headers: Mapping[str, str], address: str) -> dict[str, str | None]:
    """The condition keys that a request to local AWS has, None for one that it could have had.

    It counts as sent by TLS: on a loopback address there is nothing to encrypt it for, and nobody could use a bucket
    that refuses all else.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    keys: dict[str, str | None] = {"aws:securetransport": "true", "aws:sourceip": address, "s3:tlsversion": "1.3"}
    for name in ("server-side-encryption", "server-side-encryption-aws-kms-key-id", "acl", "storage-class"):
        keys[f"s3:x-amz-{name}"] = sent.get(f"x-amz-{name}")
    return keys


def decide(policy: str, action: str, resource: str, keys: Mapping[str, str | None]) -> str:
    """ "Deny", "Allow", or "" where no statement is about the action.

    Nobody is known: a statement about somebody, or with a condition on a key that local AWS does not know, says
    nothing here.
    """
    inquiry = Inquiry(ANONYMOUS, action, resource, {name: (value,) for name, value in keys.items() if value})
    effects = {one.effect for one in statements(policy) if _is_for_all(one, keys) and one.applies(inquiry)}
    return "Deny" if "Deny" in effects else "Allow" if effects else ""


def permits_service(policy: str, service: str, action: str, resource: str, keys: Mapping[str, str | None]) -> bool:
    """Whether a statement allows `service` the action on the resource, which it asks for with these condition keys."""
    known = {name.lower(): (value,) for name, value in keys.items() if value}
    inquiry = Inquiry(principals.service(service), action, resource, known)
    return policies.decide(inquiry, policies.Policies(resource=policy)).allowed


def _is_for_all(statement: Statement, known: Mapping[str, str | None]) -> bool:
    if statement.principal is None or statement.principal[0]:  # NotPrincipal is about somebody too
        return False
    return names(statement, ANONYMOUS) == "everyone" and statement.keys() <= known.keys()
