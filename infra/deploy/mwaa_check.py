"""`python -m deploy.mwaa_check`: whether MWAA can install requirements.txt, and run what is below dags/ with it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

from deploy import REPOSITORY, dags, packages
from deploy.plan import Refused

PYTHON = REPOSITORY / ".envs" / "mwaa" / "bin" / "python"
IMPORTS = Path(__file__).with_name("mwaa_imports.py")


def packages_findings(requirements: str) -> list[str]:
    """Why MWAA would not install these requirements, or would break by them: empty where it is fine."""
    constraint = [line for line in requirements.splitlines() if line.startswith("--constraint")]
    wanted = "".join(f"{line}\n" for line in requirements.splitlines() if line not in constraint)
    if len(constraint) != 1 or "/constraints-3.2.1/constraints-3.12.txt" not in constraint[0]:
        return ["requirements.txt names no --constraint file of Airflow 3.2.1 for Python 3.12"]
    command = [uv.find_uv_bin(), "pip", "compile", "-", "--quiet", "--no-annotate", "--only-binary=:all:"]
    target = ["--python-version=3.12", "--python-platform=x86_64-manylinux_2_28", "-c", str(packages.CONSTRAINTS)]
    done = subprocess.run([*command, *target], input=wanted, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode:
        return [f"requirements.txt does not fit MWAA's pins, or lacks wheels:\n{done.stderr.strip()}"]
    resolved, image = packages.pins(done.stdout), packages.pins(packages.IMAGE.read_text())
    changed = [
        f"{name} {version} would replace MWAA's own {image[name]}"
        for name, version in resolved.items()
        if image.get(name, version) != version
    ]
    locked = packages.pins(packages.LOCK.read_text())
    if stale := sorted({name for name, _ in resolved.items() ^ locked.items()}):
        changed.append(f"requirements/mwaa.lock.txt is out of date ({', '.join(stale)}): `make lock`")
    return changed


def imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import all that a `folder` of DAGs imports, as MWAA would: its packages, and nothing else of this repository."""
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(folder.parent / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    return subprocess.run(
        [PYTHON, "-P", IMPORTS, folder], env=environment, capture_output=True, text=True, cwd=folder.parent
    )


def lay(folder: Path) -> None:
    """Copy to `folder` what `make deploy` brings to MWAA's dags folder."""
    for name, path in dags.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def main() -> int:
    """Print what was checked; 1 where MWAA would fail."""
    findings = packages_findings(packages.REQUIREMENTS.read_text())
    print(
        "\n".join(findings) or f"MWAA lacks, and gets: {', '.join(packages.pins(packages.lacking()))}; it keeps its own"
    )
    with tempfile.TemporaryDirectory() as temporary:
        lay(Path(temporary, "dags"))
        done = imports(Path(temporary, "dags"))
    print(done.stdout, end="")
    if findings or done.returncode:
        print(done.stderr[-2000:], "MWAA would fail: see above", sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        sys.exit(str(refusal))
