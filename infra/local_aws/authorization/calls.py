"""What a request asks leave for, by the table resources.toml."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from moto.core.utils import get_service_model

from local_aws.authorization import lookups, s3_actions
from local_aws.authorization.operations import Call, Conditions, Operation
from local_aws.authorization.places import Place
from local_aws.authorization.policies import listed, spelt

SERVICES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("resources.toml").read_text())
NEEDS_NOTHING = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}

_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_LOOKUP = re.compile(r"(?<!\|)\|(\w+)$")


def of(operation: Operation, place: Place) -> list[Call]:
    """Every action that the request needs, on every resource."""
    try:
        return list(_calls(operation, place))
    except (JMESPathError, AttributeError, TypeError):  # a text where a list should be, say: the service will refuse it
        return list(_calls(replace(operation, parameters={}), place))


def _calls(operation: Operation, place: Place) -> Iterator[Call]:
    if operation.service == "s3":
        yield from s3_actions.calls(operation, place.partition)
    elif (operation.service, operation.name) not in NEEDS_NOTHING:
        yield from _by_table(operation, place)


def _by_table(operation: Operation, place: Place) -> Iterator[Call]:
    service = SERVICES.get(operation.service, {})
    prefix = service.get("prefix", operation.service)
    resources = list(_resources(operation, service, prefix, place))
    conditions = _conditions(operation, service)
    tags = _tags(operation.parameters)
    names = listed(service.get("actions", {}).get(operation.name, operation.name))
    yield from (Call(f"{prefix}:{name}", resource, conditions | tags) for name in names for resource in resources)
    tagging = service.get("tagging")
    if isinstance(tagging, dict):
        tagging = tagging.get(operation.name)
    if tags and tagging and operation.name.startswith(("Create", "Put", "Register")):
        because: Conditions = {f"{prefix}:TaggingAction": operation.name}
        templates = service.get("tagged", {}).get(operation.name)
        tagged = _named(templates, operation, service, prefix, place) if templates else resources
        yield from (Call(tagging, resource, tags | because) for resource in tagged)
    if operation.name == "AssumeRole":
        yield from _with_session(operation, resources, conditions | tags)
    for role in dict.fromkeys(_found(service.get("passes"), operation.parameters)):
        role_arn = role if role.startswith("arn:") else lookups.role(place.everywhere(), role)
        yield Call("iam:PassRole", role_arn, {"iam:PassedToService": f"{prefix}.amazonaws.com"})


def _with_session(operation: Operation, resources: Iterable[str], conditions: Conditions) -> Iterator[Call]:
    """What tags and a source identity of a session ask leave for beside the session."""
    if operation.parameters.get("Tags"):
        yield from (Call("sts:TagSession", resource, conditions) for resource in resources)
    if operation.parameters.get("SourceIdentity"):
        yield from (Call("sts:SetSourceIdentity", resource, conditions) for resource in resources)


def _resources(operation: Operation, service: Mapping[str, Any], prefix: str, place: Place) -> Iterator[str]:
    templates = service.get("operations", {}).get(operation.name)
    if templates is None:
        templates = _by_member(operation, service.get("members", {}))
    if not templates:
        yield "*"
    yield from _named(templates, operation, service, prefix, place)


def _named(
    templates: Iterable[str], operation: Operation, service: Mapping[str, Any], prefix: str, place: Place
) -> Iterator[str]:
    """The ARNs that templates make of the request."""
    own = place.everywhere() if service.get("global") else place
    for template in templates:
        for resource in _filled(template, operation.parameters, own):
            yield resource if resource.startswith("arn:") else own.arn(prefix, resource)


def _by_member(operation: Operation, members: Mapping[str, str]) -> list[str]:
    shape = _input_members(operation.service, operation.name)
    needed = (one for one in members if operation.parameters.get(one) or shape.get(one))
    return [members[one] for one in needed][:1]


@cache
def _input_members(service: str, operation: str) -> dict[str, bool]:
    """The members of an operation's request, and whether it must have them."""
    model = get_service_model(service)
    if operation not in model.operation_names:
        return {}
    shape: Any = model.operation_model(operation).input_shape
    return {name: name in shape.required_members for name in shape.members} if shape else {}


def _filled(template: str, parameters: Mapping[str, Any], place: Place) -> list[str]:
    """The resources that a template makes of the parameters, one for each combination of their values."""
    parts = _PLACEHOLDER.split(template)
    choices = [_values(part, parameters, place) if number % 2 else [part] for number, part in enumerate(parts)]
    return [_whole(combination) for combination in product(*choices)]


def _whole(parts: tuple[str, ...]) -> str:
    given = [part for part in parts[1::2] if part.startswith("arn:")]
    return given[0] if given else "".join(parts)


def _values(placeholder: str, parameters: Mapping[str, Any], place: Place) -> list[str]:
    if placeholder.startswith(":"):
        return [str(getattr(place, placeholder[1:]))]
    path, _, default = placeholder.partition("=")
    lookup = _LOOKUP.search(path)
    if lookup is None:
        return _found(path, parameters) or [default]
    found = _searched(path[: lookup.start()], parameters) or [""]
    look_up = getattr(lookups, lookup[1])
    return [name for one in found for name in listed(look_up(place, one if isinstance(one, bytes) else spelt(one)))]


def _searched(path: str | None, parameters: Mapping[str, Any]) -> list[Any]:
    value = jmespath.search(path, parameters) if path else None
    return [one for one in listed(value) if one is not None]


def _found(path: str | None, parameters: Mapping[str, Any]) -> list[str]:
    """The values at a JMESPath, as text."""
    return [spelt(one) for one in _searched(path, parameters)]


def _conditions(operation: Operation, service: Mapping[str, Any]) -> Conditions:
    keys: Conditions = {}
    for key, path in service.get("conditions", {}).items():
        if found := _found(path, operation.parameters):
            keys[key] = found
    context = operation.parameters.get("EncryptionContext")
    if operation.service == "kms" and isinstance(context, Mapping):
        keys |= {f"kms:EncryptionContext:{name}": str(value) for name, value in context.items()}
    return keys


def _tags(parameters: Mapping[str, Any]) -> Conditions:
    """The condition keys of the tags that a request gives: a list of pairs or a map, by service."""
    given = next((parameters[name] for name in ("Tags", "tags", "TagsToAdd", "TagList") if parameters.get(name)), None)
    pairs: dict[str, str] = {}
    if isinstance(given, Mapping):
        pairs = {str(name): str(value) for name, value in given.items()}
    elif isinstance(given, list):
        pairs = {
            str(one.get("Key", one.get("key", ""))): str(one.get("Value", one.get("value", "")))
            for one in given
            if isinstance(one, Mapping)
        }
    names = [*pairs, *map(str, parameters.get("TagKeys") or ())]
    keys: Conditions = {f"aws:RequestTag/{name}": value for name, value in pairs.items()}
    return keys | ({"aws:TagKeys": names} if names else {})
