"""CloudWatch Logs' errors, with AWS's codes."""

from moto.core.exceptions import JsonRESTError
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException

__all__ = [
    "InvalidParameterException",
    "MalformedQueryException",
    "NotImplementedHere",
    "ResourceNotFoundException",
]


class MalformedQueryException(JsonRESTError):
    """A query of Logs Insights that can't be read."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("MalformedQueryException", message)


class NotImplementedHere(JsonRESTError):
    """An operation of AWS's that local AWS does not carry out, and so refuses."""

    code = 400

    def __init__(self, operation: str) -> None:
        super().__init__(
            "NotImplementedException", f"{operation} is not implemented by local AWS; nothing has been done."
        )
