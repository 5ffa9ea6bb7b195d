"""Whether the conditions of a policy's statement hold for a request."""

import base64
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from local_aws.authorization.patterns import Keys, arns_match, matches, substitute

Compare = Callable[[str, str, Keys | None], bool]  # a request's value, a policy's, and what fills its variables
Conditions = Mapping[str, Mapping[str, Sequence[str]]]  # operator -> key -> values


class UnknownOperator(ValueError):
    """A condition operator that IAM doesn't have."""


def _compared[T](read: Callable[[str], T], compare: Callable[[T, T], bool]) -> Compare:
    """A comparison of what `read` makes of the values; one that it can't read compares with none."""

    def compared(value: str, wanted: str, keys: Keys | None) -> bool:
        filled = substitute(wanted, keys)
        try:
            return filled is not None and compare(read(value), read(filled))
        except ValueError:
            return False

    return compared


def _moment(text: str) -> float:
    """Seconds since 1970, of which IAM takes a number or a time by ISO 8601."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _address_in(value: str, wanted: str, keys: Keys | None) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _arn(value: str, wanted: str, keys: Keys | None) -> bool:
    return arns_match(wanted, value, keys)


def _like(value: str, wanted: str, keys: Keys | None) -> bool:
    return matches(wanted, value, keys)


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}
_OPERATORS: dict[str, Compare] = {
    "StringEquals": _compared(str, lambda value, wanted: value == wanted),
    "StringEqualsIgnoreCase": _compared(str.lower, lambda value, wanted: value == wanted),
    "StringLike": _like,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _compared(str.lower, lambda value, wanted: value == wanted),
    "BinaryEquals": _compared(base64.b64decode, lambda value, wanted: value == wanted),
    "IpAddress": _address_in,
    **{f"Numeric{name}": _compared(float, order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _compared(_moment, order) for name, order in _ORDERS.items()},
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
_BY_LOWER_CASE = {name.lower(): name for name in (*_OPERATORS, *_NEGATED)}


def hold(conditions: Conditions, keys: Keys, variables: Keys | None) -> bool:
    """Whether all conditions hold of `keys`; UnknownOperator where one's operator is none of IAM's."""
    return all(
        _holds(operator, keys.get(key.lower(), ()), wanted, variables)
        for operator, by_key in conditions.items()
        for key, wanted in by_key.items()
    )


def _holds(operator: str, values: Sequence[str], wanted: Sequence[str], variables: Keys | None) -> bool:
    quantity, _, name = operator.rpartition(":")
    plain = name.removesuffix("IfExists")
    if plain.lower() == "null":
        return (not values) is (str(wanted[0]).lower() == "true")
    known = _BY_LOWER_CASE.get(plain.lower())
    if known is None or quantity not in ("", "ForAllValues", "ForAnyValue"):
        raise UnknownOperator(operator)
    negated = known in _NEGATED
    if not values:
        return plain != name or quantity == "ForAllValues" or (negated and not quantity)
    compare = _OPERATORS[_NEGATED.get(known, known)]
    found = [any(compare(value, one, variables) for one in wanted) for value in values]
    if quantity == "ForAllValues":
        return all(one is not negated for one in found)
    if quantity == "ForAnyValue":
        return any(one is not negated for one in found)
    return any(found) is not negated
