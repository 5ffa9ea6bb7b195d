"""Checks documents, requests and answers alike, against botocore's models of the services, in AWS's words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ServiceModel

_NUMBERS = ("integer", "long", "float", "double")
_TYPES: dict[str, Any] = {
    **{"structure": Mapping, "map": Mapping, "list": list, "string": str, "boolean": bool},
    **{"integer": int, "long": int, "float": (int, float), "double": (int, float)},
    "timestamp": (int, float, datetime),  # as JSON has it, and as a request has it that moto has parsed
    "blob": (str, bytes),  # as JSON has it, and as a payload
}


class WrongType(TypeError):
    """A value can't be converted to the type that its shape says; AWS looks no further then."""


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of `service`."""
    return botocore.session.get_session().get_service_model(service)


def find_errors(service: str, operation: str, request: Any) -> str | None:
    """Everything wrong with `request` in one sentence, None where it is what `operation` takes; WrongType where a
    value is of another type than its shape."""
    shape = service_model(service).operation_model(operation).input_shape
    errors = list(violations(shape, request)) if shape else []
    plural = "s" if len(errors) > 1 else ""
    return f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}" if errors else None


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What is wrong with `value`, member by member; WrongType where it has another type than `shape`."""
    if value is None:
        yield f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
        return
    kind = shape.type_name
    if not isinstance(value, _TYPES[kind]) or (kind in _NUMBERS and isinstance(value, bool)):
        raise WrongType(f"{type(value).__name__} at '{path}' can not be converted to a {kind}")
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield from violations(shape.members[name], None, _joined(path, name))
    elif kind == "string" and shape.enum:
        if value not in shape.enum:
            yield f"{_at(value, path)}Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    else:
        yield from _limit_errors(shape, value, path)
    for part in parts(shape, value, path):
        yield from violations(*part)


def known(shape: Any, value: Any) -> Any:
    """`value` without what is no member of its shape, or null: AWS doesn't look at either."""
    if shape.type_name == "structure":
        return {
            name: known(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [known(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: known(shape.value, item) for key, item in value.items()}
    return value


def parts(shape: Any, value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """The shape, value and path of everything directly below `value`; members that are null are as if left out."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield member, value[name], _joined(path, name)
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield shape.member, item, f"{path}.{number}.member"
    elif shape.type_name == "map":
        for key, item in value.items():
            yield shape.key, key, f"{path}.key"
            yield shape.value, item, f"{path}.{key}.member"


def _limit_errors(shape: Any, value: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    if "min" in limits or "max" in limits:
        what, size = ("value", value) if shape.type_name in _NUMBERS else ("length", len(value))
        if size > limits.get("max", size):
            yield f"{_at(value, path)}Member must have {what} less than or equal to {limits['max']}"
        if size < limits.get("min", size):
            yield f"{_at(value, path)}Member must have {what} greater than or equal to {limits['min']}"
    if "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(value):
        yield f"{_at(value, path)}Member must satisfy regular expression pattern: {limits['pattern']}"


@cache
def _pattern(text: str) -> Any:
    # Java's way to write the characters beyond \uFFFF; the rest of its syntax, \p{L} say, `regex` shares.
    return regex.compile(text.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"), regex.DOTALL)


def _at(value: Any, path: str) -> str:
    shown = "" if isinstance(value, bytes) else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: "


def _joined(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
