"""Judges the server's requests before they reach their services."""

import os
import re
from collections.abc import Iterable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.utilities.utils import get_partition

from local_aws.authorization import callers, calls, enforcement, operations, refusals
from local_aws.authorization.operations import Operation
from local_aws.authorization.places import Place
from local_aws.authorization.principals import ANONYMOUS, Principal, root

Answer = Iterable[bytes]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d*/([^/,\s]+)/")
UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")  # whose callers have no keys yet
ANSWERS_FOR_EACH = {("s3", "DeleteObjects")}  # which say of each of their resources whether access is denied
NOT_AWS = ("moto_api", "instance_metadata")


def answer(application: Any, environ: dict[str, Any], start_response: Any) -> Answer:
    """The service's answer to a request, or AWS's refusal where its caller may not do what it asks for."""
    passed: Answer
    if application.service in NOT_AWS:
        passed = application(environ, start_response)
        return passed
    operation = operations.read(application.service, environ)
    try:
        principal, place = sender(operation)
    except callers.BadCredentials as error:
        return refusals.bad_credentials(operation, error)(environ, start_response)
    with callers.calling(principal, place.region, operation.headers.get("user-agent", "")):
        for call in calls.of(operation, place):
            try:
                enforcement.require(principal, call.action, call.resource, call.conditions)
            except enforcement.AccessDenied as error:
                if (operation.service, operation.name) not in ANSWERS_FOR_EACH:
                    return refusals.denied(operation, error.message)(environ, start_response)
                callers.refused().add(call.resource)
        passed = application(environ, start_response)
        return passed


def sender(operation: Operation) -> tuple[Principal, Place]:
    """Who has signed the request, in its header or its URL, and where it goes; BadCredentials where nobody known."""
    match = _CREDENTIAL.search(operation.headers.get("authorization", ""))
    token = operation.headers.get("x-amz-security-token")
    if match is None and "X-Amz-Credential" in operation.query:
        match = _CREDENTIAL.search(f"Credential={operation.query['X-Amz-Credential']}")
        token = operation.query.get("X-Amz-Security-Token")
    account = os.environ.get("MOTO_ACCOUNT_ID") or operation.headers.get("x-moto-account-id")
    if match is None:
        if operation.service != "s3" and operation.name not in UNSIGNED and enforcement.is_enforced():
            raise callers.NoCredentials
        return ANONYMOUS, Place("aws", "us-east-1", account or DEFAULT_ACCOUNT_ID)
    partition = get_partition(match[2])
    principal = callers.identify(match[1], token, partition)
    if principal.is_root:
        principal = root(account or principal.account, partition)
    if account and account != principal.account:  # of which moto would act on the resources
        raise callers.UnknownKey(match[1])
    return principal, Place(partition, match[2], principal.account)
