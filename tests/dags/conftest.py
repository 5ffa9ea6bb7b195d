"""How long the DAG files took to parse, shown at the end."""

from typing import Any

import pytest

PARSE_SECONDS = pytest.StashKey[dict[str, float]]()


@pytest.fixture(scope="session")
def parse_seconds(pytestconfig: pytest.Config) -> dict[str, float]:
    """What is put here, by the name of the DAG file, is shown at the end of the test run."""
    return pytestconfig.stash.setdefault(PARSE_SECONDS, {})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """How long each DAG file took to parse: a figure to look at, not to assert on."""
    for name, seconds in config.stash.get(PARSE_SECONDS, {}).items():
        terminalreporter.write_line(f"parsed {name} in {seconds * 1000:.0f} ms")
