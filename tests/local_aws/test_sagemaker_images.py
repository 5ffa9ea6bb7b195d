"""Images are environments, built once for each state of their lock file."""

from pathlib import Path

import pytest

from local_aws.sagemaker import images

IMAGE = images.Image("sagemaker-test", "1-0", "3.12", "images/sagemaker-scikit-learn-1.9-0-cpu-py3.lock.txt")


@pytest.fixture
def uv_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one line for each call of a uv that makes empty environments."""
    calls = tmp_path / "calls"
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(
        f'#!/bin/sh\necho "$@" >>{calls}\nfor last; do :; done\n'
        'if [ "$1" = venv ]; then mkdir -p "$last/bin"; : >"$last/bin/python"; fi\n'
        f"if [ -e {tmp_path}/broken ]; then echo no space left >&2; exit 2; fi\n"
    )
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:/usr/bin:/bin")
    return calls


def test_an_image_is_found_by_repository_and_tag_whatever_the_registry() -> None:
    image = images.named_by("1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3")
    assert image.name == "sagemaker-scikit-learn-1.9-0-cpu-py3"


def test_every_image_has_its_lock_file() -> None:
    assert [image.name for image in images.available() if not image.lock_file.exists()] == []


def test_an_environment_is_built_once(tmp_path: Path, uv_calls: Path) -> None:
    folder = images.environment(IMAGE, tmp_path / "envs")
    images.environment(IMAGE, tmp_path / "envs")
    commands = [line.split()[:2] for line in uv_calls.read_text().splitlines()]
    assert commands == [["venv", "--quiet"], ["pip", "sync"]]
    assert folder == tmp_path / "envs" / "sagemaker-test-1-0"


def test_a_changed_lock_file_brings_the_environment_up_to_date(tmp_path: Path, uv_calls: Path) -> None:
    folder = images.environment(IMAGE, tmp_path / "envs")
    (folder / images.STAMP).write_text("the hash of another lock file")
    images.environment(IMAGE, tmp_path / "envs")
    assert uv_calls.read_text().splitlines()[-1].startswith("pip sync")
    assert len(uv_calls.read_text().splitlines()) == 3


def test_a_build_that_failed_is_tried_again(tmp_path: Path, uv_calls: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(images.ImageUnavailable, match="no space left"):
        images.environment(IMAGE, tmp_path / "envs")
    (tmp_path / "broken").unlink()
    images.environment(IMAGE, tmp_path / "envs")
    assert uv_calls.read_text().splitlines()[-1].startswith("pip sync")
