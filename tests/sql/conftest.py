"""The lake that SQL files are run on."""

from typing import Any

import awswrangler as wr
import pytest
from sql_lake import Athena


@pytest.fixture
def athena(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> Athena:
    """An empty lake, with the airports of a small world in it where bronze needs them."""
    monkeypatch.setenv("WR_ATHENA_QUERY_WAIT_POLLING_DELAY", "0.02")
    wr.config.reset("athena_query_wait_polling_delay")
    return Athena()
