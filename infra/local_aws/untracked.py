"""Lets go what has been deleted.

moto remembers every object of its models for a page of its server, /moto-api: all that was ever put into S3 stayed in
memory, a gigabyte after a few runs of a pipeline. That page lists nothing here.
"""

from typing import Any

from moto.core.common_models import BaseModel


def new(cls: Any, *arguments: Any, **named: Any) -> Any:
    """moto's `__new__` of its models, which also keeps what it makes."""
    return super(BaseModel, cls).__new__(cls)


def install() -> None:
    """Put that in the place of moto's."""
    BaseModel.__new__ = staticmethod(new)
