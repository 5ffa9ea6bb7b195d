"""What tests share: one local AWS for each process of the session, whose every answer is checked, and a home for
Airflow.

`make test` runs several files at once, each whole in one of as many processes (pytest-xdist's workers); `make test
ARGS=tests/...` runs what it names in one. So, of a new test:

- It needs nothing that another file's tests have left, and bears what they have left: a list has others' entries too.
- A fixture that sets AWS_ variables, to use a server of its own for one, is of module scope at most.
- A session's fixture is made once in each process. Where that is too dear, its folder is in TOGETHER.
- Ports are the system's choice (bind to 0), files are below tmp_path, and what is in `.envs` is left as it is.
- It polls, and gives up late: with others on the same cores everything may take five times as long.
- A file that takes half a minute or more says so, `pytestmark = pytest.mark.long(40)`, and is started first: the others
  run beside it, and do not wait for it at the end.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from typing import Any

import pytest

import answers
from local_aws import server
from silverline.platform import platform

# Airflow's home is not the user's; before anything imports Airflow.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


TOGETHER = ("tests/scripts/", "tests/terraform/")  # folders whose files run in one process, one after the other


def together(nodeid: str) -> str:
    """What a test stays together with: its file, or its folder."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out what stays together, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = together
    return scheduler


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first; last come the users of moto's mock_aws, which empties all backends of its process."""
    ranks: dict[str, float] = {}
    for item in items:
        module = item.getparent(pytest.Module)
        assert module is not None
        long = module.get_closest_marker("long")
        rank = -long.args[0] if long else float(hasattr(module.obj, "mock_aws"))
        ranks[together(item.nodeid)] = min(rank, ranks.get(together(item.nodeid), rank))
    items.sort(key=lambda item: ranks[together(item.nodeid)])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests have said by `record_property`: figures to look at, not to assert on."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test, and its fixtures, read the platform anew, as each task does, which has a process of its own."""
    platform.cache_clear()


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
