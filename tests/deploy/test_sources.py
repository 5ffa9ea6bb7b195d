"""The source archives: packed the same everywhere, uploaded once, named by what is in them."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import boto3
import pytest

from deploy import sources
from local_aws.server import Server
from silverline import source

BUCKET = "artifacts-of-sources"


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of sagemaker_scripts/ that is packed instead."""
    copy = tmp_path / "sagemaker_scripts"
    shutil.copytree(source.SCRIPTS_FOLDER, copy)
    monkeypatch.setattr(source, "SCRIPTS_FOLDER", copy)
    return copy


def test_an_archive_holds_the_scripts_and_nothing_that_python_or_a_desktop_left(scripts: Path) -> None:
    (scripts / "flight_delay" / "__pycache__").mkdir(exist_ok=True)
    (scripts / "flight_delay" / "__pycache__" / "train.pyc").write_text("")
    (scripts / "flight_delay" / ".DS_Store").write_text("")
    with tarfile.open(fileobj=io.BytesIO(source.archive("flight_delay"))) as tar:
        names = tar.getnames()
    assert names == sorted(path.name for path in (scripts / "flight_delay").glob("*.py"))
    assert {"train.py", "evaluate.py", "inference.py"} <= set(names)


def test_the_same_files_have_the_same_name_whoever_copied_them_and_when(scripts: Path) -> None:
    before, archive = source.key("flight_delay"), source.archive("flight_delay")
    os.utime(scripts / "flight_delay" / "train.py", (0, 0))
    (scripts / "flight_delay" / "train.py").chmod(0o600)
    assert (source.key("flight_delay"), source.archive("flight_delay")) == (before, archive)


@pytest.mark.parametrize("name", ["train.py", "new.py"])
def test_another_file_or_another_letter_is_another_name(scripts: Path, name: str) -> None:
    before = source.key("flight_delay")
    with (scripts / "flight_delay" / name).open("a") as file:
        file.write("#")
    assert source.key("flight_delay") != before


def test_what_the_bucket_has_is_not_uploaded_again(local_aws: Server, scripts: Path) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    for change in sources.changes(BUCKET):
        change.make()
    assert sources.changes(BUCKET) == []
    (scripts / "flight_delay" / "train.py").write_text("another")
    assert [change.text for change in sources.changes(BUCKET)] == [f"+ s3://{BUCKET}/{source.key('flight_delay')}"]
