"""Checks requests against botocore's model of an API, and says what is wrong in AWS's words."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

_TYPES: dict[str, Any] = {"structure": Mapping, "map": Mapping, "list": list, "string": str}


class WrongType(Exception):
    """A value in a request that can't be what its shape says; the text says which."""


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def find_errors(service: str, operation: str, request: Mapping[str, Any]) -> str | None:
    """Everything wrong with `request` in one sentence, None where it is what `operation` takes; WrongType where a
    value is of another type than its shape."""
    shape = service_model(service).operation_model(operation).input_shape
    errors = list(_errors(shape, request, "")) if shape else []
    plural = "s" if len(errors) > 1 else ""
    return f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}" if errors else None


def _errors(shape: Any, value: Any, path: str) -> Iterator[str]:
    _check_type(shape.type_name, value, path)
    if shape.type_name == "structure":
        for name in shape.metadata.get("required", []):
            if value.get(name) is None:
                yield f"Value null at '{_joined(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _errors(member, value[name], _joined(path, name))
    elif shape.type_name == "list":
        yield from _size_errors(shape, value, path)
        for number, item in enumerate(value, start=1):
            yield from _errors(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from _size_errors(shape, value, path)
        for key, item in value.items():
            yield from _errors(shape.key, key, f"{path}.key")
            yield from _errors(shape.value, item, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from _string_errors(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        limits = shape.metadata
        if "min" in limits and value < limits["min"]:
            yield f"{_at(value, path)}Member must have value greater than or equal to {limits['min']}"
        if "max" in limits and value > limits["max"]:
            yield f"{_at(value, path)}Member must have value less than or equal to {limits['max']}"


def _check_type(wanted: str, value: Any, path: str) -> None:
    if not isinstance(value, _TYPES.get(wanted, object)):
        raise WrongType(f"{type(value).__name__} at '{path}' can not be converted to a {wanted}")


def _string_errors(shape: Any, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{_at(value, path)}Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        return
    yield from _size_errors(shape, value, path)
    pattern = shape.metadata.get("pattern")
    # Python's re has no Unicode classes such as \p{L}; they occur in tags only.
    if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
        yield f"{_at(value, path)}Member must satisfy regular expression pattern: {pattern}"


def _size_errors(shape: Any, value: Any, path: str) -> Iterator[str]:
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{_at(value, path)}Member must have length less than or equal to {shape.metadata['max']}"
    if len(value) < shape.metadata.get("min", 0):
        yield f"{_at(value, path)}Member must have length greater than or equal to {shape.metadata['min']}"


def _at(value: Any, path: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: "


def _joined(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
