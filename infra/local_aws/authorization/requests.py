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
_OLD = re.compile(r"AWS ([^:\s]+):")  # version 2, in which boto3 signs S3's URLs still
_OLD_REGION = "us-east-1"
UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")  # whose callers have no keys yet
ANSWERS_FOR_EACH = {("s3", "DeleteObjects")}  # which say of each of their resources whether access is denied
NOT_AWS = ("moto_api", "instance_metadata")


def answer(application: Any, environ: dict[str, Any], start_response: Any) -> Answer:
    """The service's answer to a request, or AWS's refusal where its caller may not do what it asks for."""
    passed: Answer
    if application.service in NOT_AWS or environ["REQUEST_METHOD"] == "OPTIONS":  # as browsers ask before they sign
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
    key, region, token = _credential(operation)
    account = os.environ.get("MOTO_ACCOUNT_ID") or operation.headers.get("x-moto-account-id")
    if key is None:
        if operation.service != "s3" and operation.name not in UNSIGNED and enforcement.is_enforced():
            raise callers.NoCredentials
        return ANONYMOUS, Place("aws", region, account or DEFAULT_ACCOUNT_ID)
    partition = get_partition(region)
    try:
        principal = callers.identify(key, token, partition)
    except callers.BadCredentials:
        if enforcement.is_enforced():
            raise
        principal = root(DEFAULT_ACCOUNT_ID, partition)
    if principal.is_root:
        principal = root(account or principal.account, partition)
    if account and account != principal.account:  # of which moto would act on the resources
        raise callers.UnknownKey(key)
    return principal, Place(partition, region, principal.account)


def _credential(operation: Operation) -> tuple[str | None, str, str | None]:
    """The access key id, region and session token of a request's signature, whichever of AWS's kinds it is."""
    query, header = operation.query, operation.headers.get("authorization", "")
    token = operation.headers.get("x-amz-security-token")
    if match := _CREDENTIAL.search(header):
        return match[1], match[2], token
    if match := _CREDENTIAL.search(f"Credential={query.get('X-Amz-Credential', '')}"):
        return match[1], match[2], query.get("X-Amz-Security-Token")
    if match := _OLD.match(header):
        return match[1], _OLD_REGION, token
    return query.get("AWSAccessKeyId"), _OLD_REGION, query.get("x-amz-security-token")
