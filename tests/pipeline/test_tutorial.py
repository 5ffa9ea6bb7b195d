"""docs/tutorial.md, carried out: every command of it, in its order, in a checkout of its own."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ports import free_ports

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(240)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tracked files as they are here, with the environments that are installed here."""
    folder = tmp_path_factory.mktemp("tutorial") / "silverline"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)  # with its time, by which make goes
    for environments in (".venv", ".envs"):
        (folder / environments).symlink_to(ROOT / environments)
    yield folder
    shutil.rmtree(folder)


def test_every_command_of_the_tutorial_does_what_the_page_says(checkout: Path) -> None:
    aws_port, airflow_port = free_ports(2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "ARGS"))},
        **{"PYTHONPATH": str(checkout / "infra"), "AWS_PORT": str(aws_port), "AIRFLOW_PORT": str(airflow_port)},
        "SILVERLINE_STATE": str(checkout / ".state"),
    }
    said = []
    try:
        for block in BLOCKS:
            done = subprocess.run(
                ["bash", "-e", "-c", block.replace("127.0.0.1:4566", f"127.0.0.1:{aws_port}")],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
            )
            said.append(done.stdout + done.stderr)
            assert (done.returncode != 0) is ("# fails" in block), f"{block}\n{said[-1]}"
    finally:
        subprocess.run(["make", "down"], cwd=checkout, env=environment, check=True, capture_output=True)
    _, new, run, invoke, broken_file, broken_rows, again, batch, tests, _ = said
    assert "is_precipitation_above_0 = precipitation > 0" in new
    assert "promote" in run and "0 quarantined; months computed: 48" in run
    assert '"is_precipitation_above_0"' in invoke
    assert "month=01/new.csv lacks temp_min" in broken_file
    assert re.search(r"weather +is none of drizzle, fog, rain, snow, sun +1 +'hail' \(row 3\)", broken_rows)
    assert "1,482 rows in, 1,480 joined, 2 quarantined; months computed: 49" in again
    assert "1 rows of seattle_rain: wind: is no number" in again and "hold" in again
    assert "2015-12   row count 31" in batch
    assert re.search(r"\d+ passed", tests) and "failed" not in tests


def test_what_the_page_shows_is_what_was_printed_when_it_was_written() -> None:
    shown = "".join(text for text in PAGE.split("```")[1::2] if text.startswith("\n"))
    for words in ("promote", "hold", "2 quarantined", "lacks temp_min", "is none of drizzle"):
        assert words in shown
