"""What policies say to an action on a resource, by IAM's rules, for a request of which nothing else is known."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def decide(policies: Iterable[Mapping[str, Any]], action: str, resource: str) -> tuple[str, list[str]]:
    """The EvalDecision of iam:SimulatePrincipalPolicy, and the keys of conditions that it would take to be sure."""
    effects: set[str] = set()
    unknown: set[str] = set()
    for statement in (statement for policy in policies for statement in _listed(policy["Statement"])):
        if not _concerns(statement, "Action", action, re.IGNORECASE) or not _concerns(statement, "Resource", resource):
            continue
        unknown.update(key for conditions in statement.get("Condition", {}).values() for key in conditions)
        if all(_holds_without(*condition) for condition in _conditions(statement)):
            effects.add(statement["Effect"])
    decision = "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"
    return decision, sorted(unknown)


def _concerns(statement: Mapping[str, Any], element: str, value: str, flags: int = 0) -> bool:
    """Whether a statement's Action or NotAction, Resource or NotResource, takes in `value`."""
    negated = f"Not{element}" in statement
    patterns = _listed(statement[f"Not{element}" if negated else element])
    return any(re.fullmatch(_regex(pattern), value, flags | re.DOTALL) for pattern in patterns) is not negated


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for operator, conditions in statement.get("Condition", {}).items():
        for values in conditions.values():
            yield operator, values


def _holds_without(operator: str, values: Any) -> bool:
    """Whether a condition holds in a request that doesn't have its key."""
    if operator == "Null":
        return str(_listed(values)[0]).lower() == "true"
    return operator.endswith("IfExists") or operator.startswith("ForAllValues:") or "Not" in operator


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
