"""AWS's answers to calls that are not allowed, in the form of each protocol."""

from botocore.model import OperationNotFoundError
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from local_aws.authorization.callers import BadToken, ExpiredToken, NoCredentials, UnknownKey
from local_aws.authorization.operations import Operation

# Code, status and text by protocol; S3 has codes of its own.
_Answer = tuple[str, int, str]
_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_BAD: dict[type[Exception], dict[str, _Answer]] = {
    UnknownKey: {
        "s3": ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
        "query": ("InvalidClientTokenId", 403, _INVALID),
        "ec2": ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
        "json": ("UnrecognizedClientException", 400, _INVALID),
        "rest": ("UnrecognizedClientException", 403, _INVALID),
    },
    BadToken: {
        "s3": ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
        "query": ("InvalidClientTokenId", 403, _INVALID),
        "ec2": ("AuthFailure", 401, "AWS was not able to validate the provided access credentials"),
        "json": ("UnrecognizedClientException", 400, _INVALID),
        "rest": ("UnrecognizedClientException", 403, _INVALID),
    },
    ExpiredToken: {
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
        "query": ("ExpiredToken", 403, _EXPIRED),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "json": ("ExpiredTokenException", 400, _EXPIRED),
        "rest": ("ExpiredTokenException", 403, _EXPIRED),
    },
    NoCredentials: {
        "s3": ("AccessDenied", 403, "Access Denied"),
        "query": ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        "ec2": ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        "json": ("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
        "rest": ("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
    },
}
_DENIED: dict[str, tuple[str, int]] = {
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "query": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "rest": ("AccessDeniedException", 403),
}
# Codes that no service's model lists: without this moto warns of each that it answers with.
COMMON_ERROR_CODES += [code for by_form in _BAD.values() for code, _, _ in by_form.values()]
COMMON_ERROR_CODES += [code for code, _ in _DENIED.values()]


class Refusal(ServiceException):
    """What a client is told instead of an answer."""


def bad_credentials(operation: Operation, error: Exception) -> Response:
    """The answer to a request whose key or session AWS does not know, or no more."""
    return _response(operation, *_BAD[type(error)][_form(operation)])


def denied(operation: Operation, message: str) -> Response:
    """The answer to a request that its caller may not make."""
    code, status = _DENIED.get(operation.service) or _DENIED[_form(operation)]
    return _response(operation, code, status, message)


def _form(operation: Operation) -> str:
    if operation.service == "s3":
        return "s3"
    protocol = _protocol(operation)
    if protocol == "json" and "x-amzn-query-mode" in operation.headers:
        return "query"  # clients read the query protocol's codes out of such answers
    return "rest" if protocol.startswith("rest") else protocol


def _protocol(operation: Operation) -> str:
    model = get_service_model(operation.service)
    try:
        return str(determine_request_protocol(model, operation.headers.get("content-type")))
    except NotImplementedError:  # none that moto knows; the service's first
        return str(model.protocol)


def _response(operation: Operation, code: str, status: int, message: str) -> Response:
    model = get_service_model(operation.service)
    try:
        operation_model = model.operation_model(operation.name)
    except OperationNotFoundError:
        operation_model = OperationModel({}, model)
    protocol = _protocol(operation)
    serializer = get_serializer_class(operation.service, protocol)(operation_model=operation_model)
    answer = serializer.serialize(Refusal(code, message))
    return Response(answer["body"], status, answer["headers"])
