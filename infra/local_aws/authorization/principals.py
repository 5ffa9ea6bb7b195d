"""Who calls: an account's root user, a user, a session of a role, or a service of AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["root", "user", "role", "service", "anonymous"]


@dataclass(frozen=True)
class Principal:
    """`arn` is what AWS's messages and logs call it, the session's for a role; `identity` is the ARN of the user or
    role whose policies it has; `session_policies` are documents that narrow a session, None where it has none."""

    arn: str
    account: str
    kind: Kind
    identity: str
    session_name: str | None = None
    session_policies: tuple[str, ...] | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The user's or role's own name, without its path."""
        return self.identity.rpartition("/")[2]

    @property
    def is_root(self) -> bool:
        """Whether this is the account's root user, who may do everything."""
        return self.kind == "root"


def root(account: str, partition: str = "aws") -> Principal:
    """The root user of an account."""
    arn = f"arn:{partition}:iam::{account}:root"
    return Principal(arn, account, "root", arn)


def role_session(
    role_arn: str,
    session_name: str,
    session_policies: tuple[str, ...] | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Principal:
    """A session of the role of that ARN, as sts:AssumeRole makes one."""
    _, partition, _, _, account, path = role_arn.split(":", 5)
    arn = f"arn:{partition}:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{session_name}"
    return Principal(arn, account, "role", role_arn, session_name, session_policies, tuple(tags.items()))


def user(user_arn: str) -> Principal:
    """The user of that ARN."""
    return Principal(user_arn, user_arn.split(":")[4], "user", user_arn)


def service(name: str) -> Principal:
    """A service of AWS on its own behalf, sagemaker.amazonaws.com say."""
    return Principal(name, "", "service", name)


ANONYMOUS = Principal("anonymous", "", "anonymous", "anonymous")
