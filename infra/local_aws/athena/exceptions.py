"""Athena's errors, with AWS's codes."""

import json

from moto.core.exceptions import JsonRESTError

from local_aws.exceptions import NotImplementedHere

__all__ = [
    "InvalidRequestException",
    "MetadataException",
    "NotImplementedHere",
    "ResourceNotFoundException",
    "not_found",
]


class InvalidRequestException(JsonRESTError):
    """Athena's answer to a request it does not take."""

    code = 400

    def __init__(self, message: str, error_code: str = "INVALID_INPUT") -> None:
        super().__init__("InvalidRequestException", message)
        body = {"__type": "InvalidRequestException", "AthenaErrorCode": error_code, "Message": message}
        self.description = json.dumps(body)


class ResourceNotFoundException(JsonRESTError):
    """Athena's answer about a prepared statement, or a resource to tag, that does not exist."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)


class MetadataException(JsonRESTError):
    """Athena's answer where Glue has none, with what Glue said."""

    code = 400

    def __init__(self, said: str) -> None:
        super().__init__("MetadataException", said)


def not_found(missing: str) -> MetadataException:
    """The answer about a database or table that does not exist."""
    return MetadataException(
        f"{missing} not found. (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException)"
    )
