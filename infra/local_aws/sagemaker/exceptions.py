"""SageMaker's errors, with AWS's codes."""

from moto.sagemaker.exceptions import ResourceInUseException, SagemakerClientError, ValidationError

__all__ = ["NotImplementedHere", "ResourceInUseException", "ValidationError"]


class NotImplementedHere(SagemakerClientError):
    """An operation of AWS's that local AWS does not carry out, and so refuses."""

    code = "NotImplementedException"

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} is not implemented by local AWS; nothing has been done.")
