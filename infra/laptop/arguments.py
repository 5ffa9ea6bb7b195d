"""What make's variables may say: a ServiceError tells of the first that says something else, before anything starts."""

import re

from laptop.services import ServiceError
from silverline.months import MONTH


def month(name: str, text: str, example: str) -> str:
    """The month, yyyy-mm, that the variable `name` gives."""
    if not re.fullmatch(MONTH, text):
        raise ServiceError(f"{name}={text} is no month: write it as yyyy-mm, for example {example}")
    return text


def flag(name: str, text: str) -> bool:
    """Whether the variable `name` says `true`."""
    if text not in ("true", "false"):
        raise ServiceError(f"{name}={text} is neither true nor false")
    return text == "true"
