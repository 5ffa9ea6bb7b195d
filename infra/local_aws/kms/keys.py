"""The keys that other services use for somebody: by whatever name they were told, and only while they are enabled."""

from moto.core.exceptions import ServiceException
from moto.kms.models import Key, kms_backends

from local_aws import authorization
from local_aws.authorization import Principal, lookups
from local_aws.authorization.places import Place


class UnusableKey(ServiceException):
    """A key that nobody can use as it is; AWS's services name KMS before its code."""


def key_arn(account: str, region: str, key_id: str) -> str:
    """The ARN of the key that `key_id`, an id, an alias or an ARN of either, names to a service in `region`."""
    return lookups.key(Place("aws", region, account), key_id)


def use(principal: Principal, actions: tuple[str, ...], arn: str, conditions: dict[str, str]) -> None:
    """UnusableKey or AccessDenied unless `principal` may do all of `actions` with the key now; whoever may use the
    service may use AWS's own keys by way of it."""
    key = _key(arn)
    if key and any(alias.startswith("alias/aws/") for alias in key.aliases):
        return
    for action in actions:
        authorization.require(principal, action, arn, conditions)
    if key is None:
        if authorization.is_enforced():
            raise UnusableKey("KMS.NotFoundException", f"Key '{arn}' does not exist")
    elif key.key_state == "Disabled":
        raise UnusableKey("KMS.DisabledException", f"{arn} is disabled.")
    elif key.key_state != "Enabled":
        raise UnusableKey("KMS.KMSInvalidStateException", f"{arn} is pending deletion.")


def _key(arn: str) -> Key | None:
    _, _, _, region, account, path = arn.split(":", 5)
    return kms_backends[account][region].keys.get(path.removeprefix("key/"))
