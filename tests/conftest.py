"""What tests share: one local AWS for the whole session, whose every answer is checked, and a home for Airflow."""

import os
import tempfile
from collections.abc import Generator, Iterator
from typing import Any

import pytest

import answers
from local_aws import server

# Airflow's home is not the user's; before anything imports Airflow.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-docs", action="store_true", help="write the pages that tests make, and then check them")


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """A local AWS that every AWS client in this process talks to."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)  # one of them, AWS_ENDPOINT_URL_S3 say, could lead elsewhere
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setattr(server, "Dispatcher", answers.CheckedDispatcher)
        running = server.start(0, tmp_path_factory.mktemp("local_aws"))
        patch.setenv("AWS_ENDPOINT_URL", running.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield running
        running.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    """Fail the test during which local AWS gave an answer that AWS can't give, in whatever thread."""
    try:
        return (yield)
    finally:
        answers.fail_on_wrong_ones()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    try:
        return (yield)
    finally:
        answers.fail_on_wrong_ones()
