"""Images are environments, built once for each state of their lock file."""

import re
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from sagemaker_requests import IMAGE as TRAINING_IMAGE
from sagemaker_requests import bucket_client, finished, log_lines, training_job

from local_aws.__main__ import main
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
        'if [ "$1" = pip ]; then printf "Installed 2 packages\\n + a==1\\n + b==1\\n" >&2; fi\n'
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
    assert [line.split()[0] for line in uv_calls.read_text().splitlines()] == ["venv", "pip"]
    assert folder == tmp_path / "envs" / "sagemaker-test-1-0"


def test_a_changed_lock_file_brings_the_environment_up_to_date(tmp_path: Path, uv_calls: Path) -> None:
    folder = images.environment(IMAGE, tmp_path / "envs")
    (folder / images.STAMP).write_text("the hash of another lock file")
    images.environment(IMAGE, tmp_path / "envs")
    assert uv_calls.read_text().splitlines()[-1].startswith("pip sync")
    assert len(uv_calls.read_text().splitlines()) == 3


def test_how_far_a_build_is_can_be_followed(tmp_path: Path, uv_calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    images.environment(IMAGE, tmp_path / "envs", said.append)
    assert said[0] == "installing sagemaker-test-1-0 from sagemaker-scikit-learn-1.9-0-cpu-py3.lock.txt"
    assert said[1:] == ["Installed 2 packages"]  # without the line of each
    assert capsys.readouterr().err.splitlines() == said


def test_a_python_that_cannot_be_had_is_named(tmp_path: Path, uv_calls: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(images.ImageUnavailable, match=r"needs Python 3\.12: install it \(`uv python install 3\.12`"):
        images.environment(IMAGE, tmp_path / "envs")


def test_a_job_in_another_image_runs_with_that_images_packages(local_aws: object) -> None:
    """Builds the environment where it is not there: a minute or so, once."""
    s3, sagemaker = bucket_client(), boto3.client("sagemaker")
    script = "import sys, numpy, pandas, sklearn; print(sys.version_info.minor, numpy.__version__, sklearn.__version__)"
    request = training_job(s3, "older-image", script)
    request["AlgorithmSpecification"]["TrainingImage"] = TRAINING_IMAGE.replace("1.9-0", "1.4-2-py312")
    sagemaker.create_training_job(**request)
    job = finished(sagemaker, "older-image", seconds=240)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert "12 2.1.0 1.4.2" in log_lines(boto3.client("logs"), "/aws/sagemaker/TrainingJobs", "older-image/")


def test_a_job_whose_image_is_being_built_says_so(local_aws: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(image: images.Image, folder: Path, tell: Callable[[str], None]) -> None:
        tell("Downloading numpy (15.3MiB)")
        raise images.ImageUnavailable("there is no network")

    monkeypatch.setattr(images, "STAMP", "of no build")
    monkeypatch.setattr(images, "_build", build)
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_training_job(**training_job(bucket_client(), "not-built", "print(1)"))
    job = finished(sagemaker, "not-built")
    assert job["FailureReason"] == "ClientError: Cannot pull algorithm container. there is no network"
    messages = [transition["StatusMessage"] for transition in job["SecondaryStatusTransitions"]]
    assert messages[1] == "Downloading the training image: Downloading numpy (15.3MiB)"


def own(tmp_path: Path, text: str) -> Path:
    """A user's file of images."""
    (tmp_path / "my.lock.txt").touch()
    file = tmp_path / "my-images.toml"
    file.write_text(text)
    return file


MINE = '[[image]]\nrepository = "mine"\ntag = "latest"\npython = "3.12"\nlock = "my.lock.txt"\n'
MAP = '[[map]]\nuri = "*.dkr.ecr.*.amazonaws.com/my-training:*"\nimage = "sagemaker-scikit-learn:1.9-0-cpu-py3"\n'


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("1.dkr.ecr.us-east-1.amazonaws.com/my-training:7f3c", "sagemaker-scikit-learn-1.9-0-cpu-py3"),
        ("registry/mine", "mine-latest"),
        (
            "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
            "sagemaker-scikit-learn-1.4-2-cpu-py3",
        ),
    ],
)
def test_a_users_file_adds_images_and_maps_uris_to_them(tmp_path: Path, uri: str, name: str) -> None:
    image = images.named_by(uri, own(tmp_path, MINE + MAP))
    assert image.name == name and image.lock_file.exists()


def test_an_image_that_is_not_there_is_refused_with_the_way_to_map_it(tmp_path: Path) -> None:
    with pytest.raises(images.ImageUnavailable) as refused:
        images.named_by("registry/theirs:1", own(tmp_path, MINE))
    assert "registry/theirs:1 is not available in local AWS, which has: mine:latest, sagemaker-" in str(refused.value)
    assert '--images FILE, where FILE holds [[map]] uri = "registry/theirs:1" image = "' in str(refused.value)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[images]]", r"no \[\[images\]\]"),
        ('[[map]]\nuri = "a"', r"a \[\[map\]\] needs 'image'"),
        ('[[image]]\nrepository = "a"', "missing 3 required"),
        (MINE.replace("my.lock", "no.lock"), "no.lock.txt of mine-latest does not exist"),
        (MINE.replace('"3.12"', "3.12"), '3.12 has to be a string, "3.12"'),
        ("[[", "my-images.toml"),
    ],
)
def test_a_users_file_that_is_not_in_order_is_refused_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, wrong: str
) -> None:
    with pytest.raises(SystemExit):
        main(["--port", "0", "--images", str(own(tmp_path, text))])
    assert re.search(wrong, capsys.readouterr().err)


def test_a_build_that_failed_is_tried_again(tmp_path: Path, uv_calls: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(images.ImageUnavailable, match="no space left"):
        images.environment(IMAGE, tmp_path / "envs")
    (tmp_path / "broken").unlink()
    images.environment(IMAGE, tmp_path / "envs")
    assert uv_calls.read_text().splitlines()[-1].startswith("pip sync")
