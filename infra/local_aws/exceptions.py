"""Errors that every service made real may answer with, by AWS's codes."""

from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException


class NotImplementedHere(ServiceException):
    """Something of AWS's that local AWS does not carry out, and so refuses; `instead` is a sentence."""

    code = "NotImplementedException"

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(f"{what} is not implemented by local AWS; nothing has been done. {instead}".rstrip())


class SerializationError(ServiceException):
    """A request that isn't what its protocol says."""

    code = "SerializationException"


class InternalFailure(ServiceException):
    """A defect of local AWS, with the status 500."""

    code = "InternalFailure"

    def __init__(self, operation: str, error: Exception) -> None:
        super().__init__(f"local AWS failed at {operation} with {error!r}; its log has the traceback.")


class BrokenRules(ServiceException):
    """A request that its API's model does not allow; each service has a code of its own for it."""


# Codes that no service's model lists: without this moto warns of each that it answers with.
COMMON_ERROR_CODES += [NotImplementedHere.code, SerializationError.code, InternalFailure.code]
