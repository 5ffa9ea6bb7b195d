"""CloudWatch Logs' errors, with AWS's codes."""

from moto.core.exceptions import JsonRESTError
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException

from local_aws.exceptions import NotImplementedHere

__all__ = [
    "AccessDeniedException",
    "InvalidParameterException",
    "MalformedQueryException",
    "NotImplementedHere",
    "ResourceNotFoundException",
]


class AccessDeniedException(JsonRESTError):
    """What may not be done, whoever asks for it."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)


class MalformedQueryException(JsonRESTError):
    """A query of Logs Insights that can't be read."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("MalformedQueryException", message)
