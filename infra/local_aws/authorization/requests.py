"""Judges the server's requests before they reach their services."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from local_aws.authorization import callers, enforcement, operations, refusals, s3_actions
from local_aws.authorization.operations import Call, Operation
from local_aws.authorization.principals import ANONYMOUS, Principal

Answer = Iterable[bytes]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d*/([^/,\s]+)/")
UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")  # whose callers have no keys yet
NOT_AWS = ("moto_api", "instance_metadata")


def answer(application: Any, environ: dict[str, Any], start_response: Any) -> Answer:
    """The service's answer to a request, or AWS's refusal where its caller may not do what it asks for."""
    passed: Answer
    if application.service in NOT_AWS:
        passed = application(environ, start_response)
        return passed
    operation = operations.read(application.service, environ)
    try:
        principal, region = sender(operation)
    except callers.BadCredentials as error:
        return refusals.bad_credentials(operation, error)(environ, start_response)
    with callers.calling(principal, operation.headers.get("user-agent", "")):
        try:
            for call in calls(operation, principal, region):
                enforcement.require(principal, call.action, call.resource, call.conditions)
        except enforcement.AccessDenied as error:
            return refusals.denied(operation, error.message)(environ, start_response)
        passed = application(environ, start_response)
        return passed


def sender(operation: Operation) -> tuple[Principal, str]:
    """Who has signed the request, in its header or its URL, and for which region; BadCredentials where nobody known
    has."""
    match = _CREDENTIAL.search(operation.headers.get("authorization", ""))
    token = operation.headers.get("x-amz-security-token")
    if match is None and "X-Amz-Credential" in operation.query:
        match = _CREDENTIAL.search(f"Credential={operation.query['X-Amz-Credential']}")
        token = operation.query.get("X-Amz-Security-Token")
    if match:
        return callers.identify(match[1], token), match[2]
    if operation.service == "s3" or operation.name in UNSIGNED or not enforcement.is_enforced():
        return ANONYMOUS, "us-east-1"
    raise callers.NoCredentials


def calls(operation: Operation, principal: Principal, region: str) -> Iterator[Call]:
    """What the request asks leave for."""
    if operation.service == "s3":
        yield from s3_actions.calls(operation, "aws")
    elif operation.name != "GetCallerIdentity":
        yield Call(f"{operation.service}:{operation.name}", "*")
