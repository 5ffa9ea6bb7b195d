"""Checks requests against botocore's model of SageMaker."""

from collections.abc import Mapping
from typing import Any

from local_aws.sagemaker.exceptions import SerializationError, ValidationError
from local_aws.validation import WrongType, find_errors


def validate(operation: str, request: Mapping[str, Any]) -> None:
    """ValidationException, listing everything wrong with `request`, unless it is what `operation` takes."""
    try:
        errors = find_errors("sagemaker", operation, request)
    except WrongType as error:
        raise SerializationError(str(error)) from error
    if errors:
        raise ValidationError(errors)
