"""`make deploy` on local AWS."""

import sys

import pytest
from environments import COMMIT, Deploy

from deploy import __main__ as command
from deploy import git, objects
from local_aws.server import Server


@pytest.fixture(autouse=True)
def another_account() -> None:
    """The client of the test before may lead to another local AWS."""
    objects.s3.cache_clear()


@pytest.fixture
def deploy(local_aws: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Deploy:
    """`python -m deploy` with these arguments, from a clean checkout of COMMIT: its status and what it says."""
    monkeypatch.setattr(git, "commit", lambda: COMMIT)
    monkeypatch.setattr(git, "changed_files", list)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["deploy", *arguments])
        status = command.main()
        said = capsys.readouterr()
        return status, said.out + said.err

    return run
