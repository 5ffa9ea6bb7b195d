"""What a plan is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """Nothing is deployed; the message says why and what to do."""


@dataclass(frozen=True)
class Change:
    """One thing that is not yet as in this checkout: how the plan names it, and what makes it so."""

    text: str
    make: Callable[[], Any]
