"""SageMaker's errors, with AWS's codes."""

from moto.sagemaker.exceptions import ResourceInUseException as ResourceInUseException
from moto.sagemaker.exceptions import ResourceNotFound as ResourceNotFound
from moto.sagemaker.exceptions import SagemakerClientError
from moto.sagemaker.exceptions import ValidationError as ValidationError


class NotImplementedHere(SagemakerClientError):
    """An operation of AWS's that local AWS does not carry out, and so refuses."""

    code = "NotImplementedException"

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} is not implemented by local AWS; nothing has been done.")


class SerializationError(SagemakerClientError):
    """A request that isn't what its protocol says."""

    code = "SerializationException"


class InternalFailure(SagemakerClientError):
    """A defect of local AWS, with the status 500."""

    code = "InternalFailure"

    def __init__(self, operation: str, error: Exception) -> None:
        super().__init__(f"local AWS failed at {operation} with {error!r}; its log has the traceback.")
