"""What went wrong, as a box shows it."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError


@dataclass(frozen=True)
class Trouble:
    """A code, AWS's where it is AWS's, what it says, and the HTTP status of a page that consists of it."""

    code: str
    message: str
    status: int = 400


def trouble_of(error: ClientError | BotoCoreError) -> Trouble:
    """AWS's code and message; or what botocore says where AWS did not answer."""
    if not isinstance(error, ClientError):
        return Trouble(type(error).__name__, str(error), 502)
    said = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    return Trouble(str(said.get("Code", "Error")), str(said.get("Message", "")), status)
