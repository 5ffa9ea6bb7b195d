"""Checks every answer of the services made real against the shape that botocore's model of the API gives it.

The tests' own local AWS runs in their process, so this sees what each client gets: boto3, awswrangler, Terraform, the
AWS CLI. It looks at the bytes, since a client's parser drops members that it doesn't know."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from local_aws import server
from local_aws.validation import WrongType, parts, service_model, violations

# Codes that any operation may answer with, though the model lists them for none.
COMMON_ERRORS = {
    *("ValidationException", "SerializationException", "NotImplementedException", "InternalFailure"),
    # Of services that speak, or once spoke, the query protocol.
    *("ValidationError", "MissingRequiredParameterException"),
    *("InvalidParameterValueException", "InvalidParameterCombinationException"),
}
# Where AWS departs from its model: a version of a group has no name of its own, and an empty list or map is one.
AWSS_OWN = {
    "sagemaker.DescribeModelPackage: Value null at 'modelPackageName' failed to satisfy constraint: "
    "Member must not be null",
    "logs.ListTagsForResource: Value '{}' at 'tags' failed to satisfy constraint: "
    "Member must have length greater than or equal to 1",
    *(
        f"{operation}: Value '{nothing}' at '{member}' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
        for operation, member, nothing in [
            ("athena.ListNamedQueries", "namedQueryIds", []),
            ("athena.ListQueryExecutions", "queryExecutionIds", []),
            ("logs.ListTagsForResource", "tags", {}),
        ]
    ),
}
_SERVICES = {  # by the prefix of X-Amz-Target
    "SageMaker": "sagemaker",
    "AmazonAthena": "athena",
    "GraniteServiceVersion20100801": "cloudwatch",
    "Logs_20140328": "logs",
}

found: list[str] = []  # what is wrong with the answers since it was last emptied


class CheckedDispatcher(server.Dispatcher):
    """local AWS's, which also notes in `found` what is wrong with an answer."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        called = _called(environ)
        if called is None:
            return super().__call__(environ, start_response)
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            started[:] = [int(status.split()[0]), {name.lower(): value for name, value in headers}]
            return start_response(status, headers, *rest)

        body = b"".join(super().__call__(environ, start))
        noted = {f"{'.'.join(called)}: {wrong}" for wrong in wrongs(*called, *started, body)}
        found.extend(noted - AWSS_OWN)
        return [body]


def fail_on_wrong_ones() -> None:
    """AssertionError, listing what is wrong with the answers since it was last called."""
    wrong, found[:] = list(dict.fromkeys(found)), []
    if wrong:
        raise AssertionError("answers that AWS does not give:\n  " + "\n  ".join(wrong))


def wrongs(service: str, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """What is wrong with one answer."""
    model = service_model(service)
    known = operation in model.operation_names
    try:
        if status >= 400:
            yield from _error_wrongs(service, operation if known else None, status, headers, json.loads(body))
        elif not known:
            yield f"status {status} for an operation that AWS does not have"
        elif (shape := model.operation_model(operation).output_shape) is None:
            if body not in (b"", b"{}"):
                yield f"an answer that AWS gives none for: {body[:200]!r}"
        elif "payload" in shape.serialization:
            answer = {
                name: headers[member.serialization["name"].lower()]
                for name, member in shape.members.items()
                if member.serialization.get("location") == "header" and member.serialization["name"].lower() in headers
            }
            yield from _answer_wrongs(shape, answer | {shape.serialization["payload"]: body})
        else:
            yield from _answer_wrongs(shape, json.loads(body))
    except ValueError:
        yield f"status {status} with a body that is no JSON: {body[:200]!r}"


def _error_wrongs(
    service: str, operation: str | None, status: int, headers: Mapping[str, str], error: Any
) -> Iterator[str]:
    if not isinstance(error, dict):
        yield f"an error that is no object: {error}"
        return
    code = str(headers.get("x-amzn-errortype") or error.pop("__type", "")).rpartition("#")[2].partition(":")[0]
    message = error.pop("message", None) or error.pop("Message", None)
    error.pop("__type", None)
    if not (isinstance(message, str) and message):
        yield f"error {code} without a message"
    model = service_model(service)
    known = model.operation_model(operation).error_shapes if operation else []
    # A service that once spoke the query protocol gives the shape's name here, and its code in a header.
    shapes = {name: shape for shape in known for name in (shape.error_code, shape.name)}
    if code in shapes:
        wanted = shapes[code].metadata.get("error", {}).get("httpStatusCode", 400)
        if status != wanted:
            yield f"error {code} with status {status}, on AWS {wanted}"
        yield from _answer_wrongs(shapes[code], {"message": message, "Message": message} | error, error=True)
    elif code not in COMMON_ERRORS:
        yield f"error {code}, which is none of {sorted(shapes)} nor a common one"
    elif status != (500 if code == "InternalFailure" else 400):
        yield f"error {code} with status {status}"


def _answer_wrongs(shape: Any, answer: Any, error: bool = False) -> Iterator[str]:
    try:
        yield from violations(shape, answer)
        yield from _foreign(shape, answer, "", {"message", "Message"} if error else set())
    except WrongType as wrong:
        yield str(wrong)


def _foreign(shape: Any, value: Any, path: str, allowed: set[str]) -> Iterator[str]:
    """Members that the shape doesn't have, and nulls, which AWS leaves out."""
    if shape.type_name == "structure":
        for name in value.keys() - shape.members.keys() - allowed:
            yield f"{name!r} at '{path}', which is no member of {shape.name}"
    if shape.type_name in ("structure", "map"):
        yield from (f"null as {name!r} at '{path}'" for name, member in value.items() if member is None)
    for part in parts(shape, value, path):
        yield from _foreign(*part, set())


def _called(environ: Mapping[str, Any]) -> tuple[str, str] | None:
    """The service and operation of a request, where the service is one of those made real."""
    prefix, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    if prefix in _SERVICES:
        return _SERVICES[prefix], operation
    path = environ.get("PATH_INFO", "")
    if path.startswith("/endpoints/") and path.endswith("/invocations"):
        return "sagemaker-runtime", "InvokeEndpoint"
    return None
