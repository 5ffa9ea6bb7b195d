"""What git says of this checkout."""

import subprocess

from deploy import REPOSITORY


def commit() -> str:
    """The commit that is deployed, marked where the files differ from it; 'unknown' outside a git checkout."""
    head = _git("rev-parse", "HEAD")
    if head.returncode:
        return "unknown"
    return head.stdout.strip() + ("-dirty" if changed_files() else "")


def changed_files() -> list[str]:
    """The files that no commit has as they are, each with git's two letters for how it differs."""
    status = _git("status", "--porcelain", "--untracked-files=all")
    return status.stdout.splitlines() if status.returncode == 0 else ["this folder is no git checkout"]


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
