"""docs/local-aws.md begins with commands that work, and its image table is that of images.toml."""

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "local-aws.md").read_text()
START, TRAIN = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)[:2]]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the environments that `make setup` installs, and the address of a local AWS started as on the page,
    but for the port."""
    assert START.strip().splitlines() == ["make setup", ".venv/bin/python -m local_aws"]
    folder = tmp_path_factory.mktemp("terminal")
    (folder / ".envs").symlink_to(ROOT / ".envs")
    command = [sys.executable, "-m", "local_aws", "--port", "0"]
    serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert serving.stdout
    yield folder, serving.stdout.readline().strip()
    serving.terminate()
    assert serving.wait(30) == 0


def test_a_training_job_by_the_commands_at_the_top_of_the_page(terminal: tuple[Path, str]) -> None:
    folder, address = terminal
    assert TRAIN.count("http://127.0.0.1:4566") == 1
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", TRAIN.replace("http://127.0.0.1:4566", address)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "Completed" in done.stdout
        and '"S3ModelArtifacts": "s3://first/models/first/output/model.tar.gz"' in done.stdout
    )
    assert re.search(r"accuracy=0\.9\d;", done.stdout)
    assert done.stdout.splitlines()[-1].endswith("model.joblib")


def test_the_image_table_is_that_of_images_toml() -> None:
    known = tomllib.loads((ROOT / "infra" / "local_aws" / "sagemaker" / "images.toml").read_text())["image"]
    table = PAGE[PAGE.index("| image |") :].split("\n\n")[0].splitlines()[2:]
    assert table == [f"| {image['repository']}:{image['tag']} | {image['python']} |" for image in known]
