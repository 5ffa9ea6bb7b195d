"""The laptop on which the pipeline tests run, and the first run on it."""

import subprocess
from collections.abc import Iterator

import pytest
from machine import Laptop

from laptop.settings import Settings
from ports import free_ports


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop on which nothing runs yet; everything that was started on it is stopped at the end."""
    ports = free_ports(2)
    machine = Laptop(Settings(*ports), tmp_path_factory.mktemp("laptop"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in machine.settings.aws_environment().items():
            patch.setenv(name, value)
        yield machine
    assert machine.command("down").returncode == 0


@pytest.fixture(scope="module")
def first_run(laptop: Laptop) -> subprocess.CompletedProcess[str]:
    """A run of the whole pipeline on a laptop where nothing was before."""
    return laptop.run()
