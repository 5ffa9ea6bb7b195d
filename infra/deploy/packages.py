"""What MWAA installs: requirements.txt, with the wheels that its image lacks, because its subnets may see no index; and
the plugins.

MWAA unpacks plugins.zip into its plugins folder and installs requirements.txt when its containers start, within 9
minutes or not at all; versions and hashes are those of requirements/mwaa.lock.txt.
"""

import hashlib
import io
import re
import subprocess
import tempfile
import venv
import zipfile
from pathlib import Path

from deploy import REPOSITORY
from deploy.plan import Refused

REQUIREMENTS = REPOSITORY / "requirements.txt"
CONSTRAINTS = REPOSITORY / "requirements" / "airflow-3.2.1-constraints.txt"
IMAGE = REPOSITORY / "requirements" / "mwaa-3.2.1-image.txt"
LOCK = REPOSITORY / "requirements" / "mwaa.lock.txt"
PLUGINS = sorted((REPOSITORY / "infra" / "plugins").glob("*.py"))
PLUGINS_FOLDER = "/usr/local/airflow/plugins"
# MWAA runs on Amazon Linux 2023, on x86-64 only.
PLATFORM = ("--python-version=3.12", "--implementation=cp") + tuple(
    f"--platform={name}_x86_64" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
)


def requirements() -> str:
    """requirements.txt as MWAA is to read it: the same lines, with everything they need in the plugins folder."""
    lines = REQUIREMENTS.read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "--constraint"))]
    offline = ["--no-index", f"--find-links {PLUGINS_FOLDER}", f"--constraint {PLUGINS_FOLDER}/{CONSTRAINTS.name}"]
    return "\n".join([*offline, *wanted, ""])


def pins(requirements: str) -> dict[str, str]:
    """The versions by the packages' names, of a list of pins or a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", requirements, re.MULTILINE))


def lacking() -> str:
    """The part of the lock that MWAA's image lacks, with its hashes."""
    there = pins(IMAGE.read_text())
    entries = re.split(r"^(?=\S)", LOCK.read_text(), flags=re.MULTILINE)
    return "".join(entry for entry in entries if pins(entry).keys() - there)


def plugins_digest() -> str:
    """What names the contents of plugins.zip, without a download."""
    texts = (lacking(), *(path.read_text() for path in (CONSTRAINTS, *PLUGINS)))
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def plugins() -> bytes:
    """plugins.zip: the plugins, and the wheels that MWAA's image lacks, downloaded from the package index and held to
    their hashes."""
    with tempfile.TemporaryDirectory() as folder:
        wheels, locked = Path(folder, "wheels"), Path(folder, "lacking.txt")
        locked.write_text(lacking())
        venv.create(Path(folder, "pip"), with_pip=True)  # uv downloads no wheels for keeping
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", *PLATFORM]
        done = subprocess.run(
            [Path(folder, "pip", "bin", "python"), "-m", "pip", "download", *options, "-d", wheels, "-r", locked],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Refused(f"the wheels of requirements/mwaa.lock.txt can't be downloaded for MWAA:\n{done.stderr}")
        return _zip([*sorted(wheels.iterdir()), CONSTRAINTS, *PLUGINS])


def _zip(files: list[Path]) -> bytes:
    """An archive that depends on the files alone; wheels are compressed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
    return buffer.getvalue()
