"""CloudWatch's errors, with AWS's codes."""

from moto.cloudwatch.exceptions import (
    CloudWatchException,
    InvalidFormat,
    InvalidParameterCombination,
    InvalidParameterValue,
    ResourceNotFound,
    ResourceNotFoundException,
    ValidationError,
)

__all__ = [
    "InvalidFormat",
    "InvalidNextToken",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "NotImplementedHere",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "SerializationError",
    "ValidationError",
]


class NotImplementedHere(CloudWatchException):
    """Something of AWS's that local AWS does not carry out, and so refuses."""

    code = "NotImplementedException"

    def __init__(self, what: str, instead: str = "") -> None:
        hint = f" {instead}" if instead else ""
        super().__init__(f"{what} is not implemented by local AWS; nothing has been done.{hint}")


class InvalidNextToken(CloudWatchException):
    """A token that no answer has carried."""

    code = "InvalidNextToken"

    def __init__(self) -> None:
        super().__init__("The next token is invalid.")


class MissingParameter(CloudWatchException):
    """A request without a parameter that it needs."""

    code = "MissingParameter"


class SerializationError(CloudWatchException):
    """A request that isn't what its protocol says."""

    code = "SerializationException"
