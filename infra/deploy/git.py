"""What git says of this checkout."""

import subprocess
from pathlib import Path

from deploy import REPOSITORY
from deploy.plan import Refused


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


def files(folder: Path) -> list[Path]:
    """The files below `folder` that git tracks or would, ignored ones left out; Refused where it knows of none."""
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(folder))
    if not listed.stdout:
        raise Refused(
            f"git knows no file of {folder}, and nothing else is deployed from there: deploy from a clone of the "
            f"repository. {listed.stderr}".rstrip()
        )
    found = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in found if path.is_symlink() or path.exists()]  # a tracked one may be deleted here


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
