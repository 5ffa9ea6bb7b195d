"""What policies say to an action on a resource, by IAM's rules."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from local_aws.authorization import conditions
from local_aws.authorization.patterns import Keys, matches
from local_aws.authorization.principals import Principal

Grade = Literal["session", "identity", "everyone", "account"]  # how narrowly a resource's policy names a principal


@dataclass(frozen=True)
class Inquiry:
    """What somebody asks leave for; `keys` are the request's condition keys, in lower case."""

    principal: Principal
    action: str
    resource: str
    keys: Keys = field(default_factory=dict)


@dataclass(frozen=True)
class Policies:
    """The documents that have a say: `boundary` and `session` limit, None where there is no such limit; `resource` is
    the resource's own, None where it has none; `resource_decides` where identity policies alone give nothing, as for a
    key or a role; `crosses_accounts` where the resource is another account's than the principal, and both have to."""

    identity: Sequence[str] = ()
    boundary: Sequence[str] | None = None
    session: Sequence[str] | None = None
    resource: str | None = None
    resource_decides: bool = False
    crosses_accounts: bool = False


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and if not why, in the words of AWS's messages."""

    allowed: bool
    reason: str = ""

    @property
    def explicit(self) -> bool:
        """Whether a policy denies it, rather than none allowing it."""
        return self.reason.startswith("with an explicit deny")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    effect: str
    principal: tuple[bool, dict[str, list[str]]] | None  # whether it is NotPrincipal, and the names by their kind
    action: tuple[bool, list[str]]
    resource: tuple[bool, list[str]]
    condition: dict[str, dict[str, list[str]]]
    has_variables: bool  # those of older policies are just text

    def concerns(self, inquiry: Inquiry) -> bool:
        """Whether it is about this action on this resource."""
        variables = inquiry.keys if self.has_variables else None
        negated, actions = self.action
        if any(matches(one, inquiry.action, None, re.IGNORECASE) for one in actions) is negated:
            return False
        negated, resources = self.resource
        return any(matches(one, inquiry.resource, variables) for one in resources) is not negated

    def keys(self) -> set[str]:
        """The condition keys that it asks for, in lower case."""
        return {key.lower() for by_key in self.condition.values() for key in by_key}

    def applies(self, inquiry: Inquiry) -> bool:
        """Whether it has its effect on the inquiry, leaving aside who asks; a condition that can't be understood keeps
        an Allow from its effect, and no Deny."""
        if not self.concerns(inquiry):
            return False
        try:
            return conditions.hold(self.condition, inquiry.keys, inquiry.keys if self.has_variables else None)
        except conditions.UnknownOperator:
            return self.effect == "Deny"


@lru_cache(1024)
def statements(document: str) -> tuple[Statement, ...]:
    """The statements of a policy, by its JSON."""
    policy = json.loads(document)
    has_variables = policy.get("Version") == "2012-10-17"
    return tuple(_statement(one, has_variables) for one in listed(policy.get("Statement", [])))


def decide(inquiry: Inquiry, policies: Policies) -> Decision:
    """What all these policies together say."""
    limits = [
        ("a permissions boundary", "permissions boundary", policies.boundary),
        ("a session policy", "session policy", policies.session),
    ]
    kinds = [("an identity-based policy", "identity-based policy", policies.identity), *limits]
    resource = statements(policies.resource) if policies.resource else ()
    denies = [one for one in resource if one.effect == "Deny" and one.applies(inquiry)]
    if any(names(one, inquiry.principal) for one in denies):
        return Decision(False, "with an explicit deny in a resource-based policy")
    for article, _, documents in kinds:
        if documents is not None and _any(documents, "Deny", inquiry):
            return Decision(False, f"with an explicit deny in {article}")
    allows = [one for one in resource if one.effect == "Allow" and one.applies(inquiry)]
    grades = {grade for one in allows if (grade := names(one, inquiry.principal))}
    if (policies.resource_decides or policies.crosses_accounts) and not grades:
        return Decision(False, f"because no resource-based policy allows the {inquiry.action} action")
    needed = _needed(grades, inquiry.principal, policies.crosses_accounts)
    for _, kind, documents in kinds:
        if kind in needed and documents is not None and not _any(documents, "Allow", inquiry):
            return Decision(False, f"because no {kind} allows the {inquiry.action} action")
    return Decision(True)


def _needed(grades: set[Grade], principal: Principal, crosses_accounts: bool) -> set[str]:
    """The kinds of policies that still have to allow it, after a resource's policy has named the principal so."""
    if principal.kind in ("anonymous", "service") and grades:
        return set()
    if crosses_accounts or not grades - {"account"}:
        return {"identity-based policy", "permissions boundary", "session policy"}
    if "session" in grades or principal.kind != "role":
        return set()
    return {"permissions boundary", "session policy"}


def names(statement: Statement, principal: Principal) -> Grade | None:
    """How narrowly a statement of a resource's policy names the principal; None where it is not about it."""
    if statement.principal is None:
        return None
    negated, by_kind = statement.principal
    grades = {grade for name in by_kind.get("AWS", ()) if (grade := _named(name, principal))}
    if principal.kind == "service" and principal.arn in by_kind.get("Service", ()):
        grades.add("identity")
    if negated:
        return None if grades else "everyone"
    order: tuple[Grade, ...] = ("session", "identity", "everyone", "account")
    return next((grade for grade in order if grade in grades), None)


def _named(name: str, principal: Principal) -> Grade | None:
    if name == "*":
        return "everyone"
    if principal.kind in ("anonymous", "service"):
        return None
    if name == principal.arn:
        return "session" if principal.kind == "role" else "identity"
    if name == principal.identity:
        return "identity"
    partition = principal.arn.split(":")[1]
    return "account" if name in (principal.account, f"arn:{partition}:iam::{principal.account}:root") else None


def _any(documents: Iterable[str], effect: str, inquiry: Inquiry) -> bool:
    return any(one.effect == effect and one.applies(inquiry) for text in documents for one in statements(text))


def _statement(statement: dict[str, Any], has_variables: bool) -> Statement:
    principal = None
    for element in ("Principal", "NotPrincipal"):
        if element in statement:
            given = statement[element]
            by_kind = {"AWS": [given]} if isinstance(given, str) else {k: listed(v) for k, v in given.items()}
            principal = element.startswith("Not"), by_kind
    condition = {
        operator: {key: [spelt(one) for one in listed(values)] for key, values in by_key.items()}
        for operator, by_key in (statement.get("Condition") or {}).items()
    }
    action, resource = _element(statement, "Action"), _element(statement, "Resource")
    return Statement(statement["Effect"], principal, action, resource, condition, has_variables)


def _element(statement: dict[str, Any], name: str) -> tuple[bool, list[str]]:
    """An element or its negation; a trust policy has no Resource, and is about its own."""
    if f"Not{name}" in statement:
        return True, listed(statement[f"Not{name}"])
    return False, listed(statement.get(name, "*"))


def spelt(value: Any) -> str:
    """A value as it is compared: true and 1 may stand without quotes."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def listed(value: Any) -> list[Any]:
    """What may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]
