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

from local_aws.exceptions import NotImplementedHere

__all__ = [
    "InvalidFormat",
    "InvalidNextToken",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "NotImplementedHere",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ValidationError",
]


class InvalidNextToken(CloudWatchException):
    """A token that no answer has carried."""

    code = "InvalidNextToken"

    def __init__(self) -> None:
        super().__init__("The next token is invalid.")


class MissingParameter(CloudWatchException):
    """A request without a parameter that it needs."""

    code = "MissingParameter"
