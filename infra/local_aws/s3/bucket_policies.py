"""Whether a bucket's policy denies or permits an action, its conditions included."""

import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

Compare = Callable[[str, str], bool]

_OPERATORS: dict[str, Compare] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": lambda value, wanted: ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False),
    "NumericEquals": lambda value, wanted: float(value) == float(wanted),
    "NumericLessThan": lambda value, wanted: float(value) < float(wanted),
    "NumericLessThanEquals": lambda value, wanted: float(value) <= float(wanted),
    "NumericGreaterThan": lambda value, wanted: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda value, wanted: float(value) >= float(wanted),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
}


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

    Permissions are not enforced, so nobody is known: a statement about somebody, or with a condition on a key that
    local AWS does not know, says nothing here.
    """
    effects = {
        statement["Effect"]
        for statement in _listed(json.loads(policy)["Statement"])
        if _is_about(statement, action, resource) and _holds(statement.get("Condition") or {}, keys)
    }
    return "Deny" if "Deny" in effects else "Allow" if effects else ""


def permits_service(policy: str, service: str, action: str, resource: str, keys: Mapping[str, str | None]) -> bool:
    """Whether a statement allows `service` the action on the resource, which it asks for with these condition keys."""
    return any(
        statement["Effect"] == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in _listed(statement["Principal"].get("Service", []))
        and _matches(statement, "Action", action.lower(), str.lower)
        and _matches(statement, "Resource", resource, str)
        and _holds(statement.get("Condition") or {}, keys)
        for statement in _listed(json.loads(policy)["Statement"])
    )


def _is_about(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    principal = statement.get("Principal")
    if "*" not in _listed(principal["AWS"] if isinstance(principal, dict) and "AWS" in principal else principal):
        return False
    return _matches(statement, "Action", action.lower(), str.lower) and _matches(statement, "Resource", resource, str)


def _matches(statement: Mapping[str, Any], element: str, value: str, spell: Callable[[str], str]) -> bool:
    excluded = f"Not{element}" in statement
    patterns = _listed(statement[f"Not{element}" if excluded else element])
    return any(fnmatchcase(value, spell(pattern)) for pattern in patterns) is not excluded


def _holds(condition: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str | None]) -> bool:
    return all(
        _one_holds(operator, keys, key.lower(), [_spelt(value) for value in _listed(values)])
        for operator, wanted in condition.items()
        for key, values in wanted.items()
    )


def _one_holds(operator: str, keys: Mapping[str, str | None], key: str, wanted: Sequence[str]) -> bool:
    optional, operator = operator.endswith("IfExists"), operator.removesuffix("IfExists")
    known = _OPERATORS.get(_NEGATED.get(operator, operator))
    if key not in keys or (known is None and operator != "Null"):
        return False
    value = keys[key]
    if operator == "Null" or known is None:
        return (value is None) is (wanted[0].lower() == "true")
    if value is None:
        return optional or operator in _NEGATED
    return any(known(value, one) for one in wanted) is not (operator in _NEGATED)


def _spelt(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
