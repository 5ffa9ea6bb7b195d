"""The first run of the whole pipeline, which is made once for all files, and laptops on which it has been."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from machine import Airflow, Laptop

from laptop.settings import Settings
from ports import free_ports


@pytest.fixture(scope="session")
def after_first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a laptop where nothing was before, after the first run, the batches that follow it, and `make down`;
    and in `said.json` beside it what that run ended with. The first process that wants it makes it for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / "after_first_run"
    with (folder / "after_first_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "said.json").exists():
            shutil.rmtree(made, ignore_errors=True)  # another process's, which has failed at it
            made.mkdir()
            laptop = Laptop(Settings(*free_ports(2)), made / "state")
            with laptop.entered():
                try:
                    said = laptop.run()
                    if said.returncode == 0:
                        api = laptop.airflow()
                        api.batch_report(1)  # of the deployment; the one before is silver's
                        # Each laptop that begins with this would run it at once, once it has been 17 past.
                        api.change("PATCH", "/dags/monitoring", is_paused=True)
                finally:
                    assert laptop.command("down").returncode == 0
            (made / "said.json").write_text(json.dumps([said.returncode, said.stdout, said.stderr]))
    return made


@pytest.fixture(scope="session")
def first_run(after_first_run: Path) -> CompletedProcess[str]:
    """What the first run has said."""
    return CompletedProcess("make run", *json.loads((after_first_run / "said.json").read_text()))


@pytest.fixture(scope="module")
def laptop(
    after_first_run: Path, first_run: CompletedProcess[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laptop]:
    """A laptop after the first run, on which nothing is up; everything that was started on it is stopped at the end."""
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    machine = Laptop(Settings(*free_ports(2)), tmp_path_factory.mktemp("laptop") / "state")
    # Airflow's file of settings names the folder that it was made in.
    shutil.copytree(after_first_run / "state", machine.state, ignore=shutil.ignore_patterns("airflow.cfg"))
    with machine.entered():
        yield machine
        assert machine.command("down").returncode == 0


@pytest.fixture(scope="module")
def api(laptop: Laptop) -> Airflow:
    """That laptop's Airflow, which is up, as is its local AWS."""
    return laptop.start()
