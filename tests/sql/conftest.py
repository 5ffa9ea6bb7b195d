"""The lake that SQL files are run on."""

from collections.abc import Iterator
from typing import Any

import awswrangler as wr
import boto3
import pytest
from botocore.session import Session
from sql_lake import Athena


class OneClientEach(Session):
    """A session that makes each service's client once: awswrangler asks for several at every call, which takes longer
    than what it does with them."""

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[str, Any] = {}

    def create_client(self, service_name: str, *arguments: Any, **settings: Any) -> Any:
        if service_name not in self._clients:
            self._clients[service_name] = super().create_client(service_name, *arguments, **settings)
        return self._clients[service_name]


@pytest.fixture(scope="module")
def session(local_aws: Any) -> Iterator[None]:
    """The default session of boto3 is such a one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=OneClientEach()))
        yield


@pytest.fixture
def athena(session: None, monkeypatch: pytest.MonkeyPatch) -> Athena:
    """An empty lake, with the airports of a small world in it where bronze needs them."""
    monkeypatch.setenv("WR_ATHENA_QUERY_WAIT_POLLING_DELAY", "0.02")
    wr.config.reset("athena_query_wait_polling_delay")
    return Athena()
