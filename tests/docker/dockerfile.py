"""Carries out a Dockerfile without Docker: its COPY and RUN lines, in a folder that a mount namespace makes the root.

A base image is what all of them have, this machine's programs, read-only, and the Python that runs the tests; nothing
else. Of flags, --from and a cache's --mount are obeyed. Every user is the one who runs the tests.
"""

import json
import os
import shlex
import shutil
import string
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# ROOT PREFIX [PATH FROM]... -- COMMAND: mounts in ROOT what a base image has, PREFIX being Python's, and each FROM at
# its PATH; then carries out COMMAND.
ENTER = """
set -e
root=$1 prefix=$2; shift 2
for name in bin sbin lib lib64 usr etc; do
    if [ -L "/$name" ]; then ln -sfn "$(readlink "/$name")" "$root/$name"; continue; fi
    [ -d "/$name" ] || continue
    mkdir -p "$root/$name"
    mount --bind "/$name" "$root/$name"
    mount -o remount,ro,bind "$root/$name"
done
for name in proc dev sys run; do mkdir -p "$root/$name"; mount --rbind "/$name" "$root/$name"; done
for at in /usr/local "$prefix"; do
    mkdir -p "$root$at"
    mount --bind "$prefix" "$root$at"
    mount -o remount,ro,bind "$root$at"
done
while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --bind "$2" "$root$1"; shift 2; done
shift
exec "$@"
"""
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ENTER, "sh")
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# How this machine reaches a package index, which a Docker engine would say by its own settings.
NETWORK = ("PIP_", "SSL_CERT_", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_NATIVE_TLS", "HTTP", "NO_PROXY", "http", "no_proxy")


class Instruction(NamedTuple):
    """One instruction; `flags` are what begins with -- before its value."""

    name: str
    flags: dict[str, str]
    value: str


def parse(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile, comments left out and continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, value = line.partition(" ")
        flags = {}
        while value.lstrip().startswith("--"):
            flag, _, value = value.lstrip().partition(" ")
            key, _, said = flag.removeprefix("--").partition("=")
            flags[key] = said
        found.append(Instruction(name.upper(), flags, value.strip()))
    return found


class Image:
    """An image as its last stage has left it: `root`, `variables` by ENV, and what the other instructions `said`."""

    def __init__(self, dockerfile: Path, context: Path, folder: Path) -> None:
        self._context, self._folder = context, folder
        self._stages: dict[str, Path] = {}
        self._arguments: dict[str, str] = {}  # before the first FROM
        self._local: dict[str, str] = {}  # of a stage
        self.variables: dict[str, str] = {}
        self.said: dict[str, str] = {}
        for instruction in parse(dockerfile.read_text()):
            getattr(self, f"_{instruction.name.lower()}", self._keep)(instruction)

    def started(self, model: Path, *arguments: str) -> list[str]:
        """The command that starts a container by ENTRYPOINT, as the image's user, with `model` at /opt/ml/model, and
        these arguments in place of CMD's."""
        user, _, group = self.said["USER"].partition(":")
        inner = ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", f"--root={self.root}", "--wd=/"]
        return self._entered(
            "/opt/ml/model", str(model), "--", *inner, *json.loads(self.said["ENTRYPOINT"]), *arguments
        )

    def _entered(self, *more: str) -> list[str]:
        return [*NAMESPACE, str(self.root), sys.base_prefix, *more]

    def _keep(self, instruction: Instruction) -> None:
        self.said[instruction.name] = instruction.value

    def _from(self, instruction: Instruction) -> None:
        base, _, name = self._filled(instruction.value).partition(" AS ")
        assert base.startswith("python:3.12-"), f"{base} is not what this machine can stand in for"
        self.root = self._folder / f"stage-{len(self._stages)}"
        (self.root / "tmp").mkdir(parents=True)
        self._stages[name] = self.root
        self.variables, self._local = {"PATH": PATH, "HOME": "/root"}, {}

    def _arg(self, instruction: Instruction) -> None:
        name, _, default = instruction.value.partition("=")
        if self._stages:
            self._local[name] = default or self._arguments[name]
        else:
            self._arguments[name] = default

    def _env(self, instruction: Instruction) -> None:
        said = dict(pair.split("=", 1) for pair in shlex.split(instruction.value))
        self.variables |= {name: self._filled(value) for name, value in said.items()}

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = self._filled(instruction.value).split()
        origin = self._stages[instruction.flags["from"]] if "from" in instruction.flags else self._context
        for source in sources:
            path = origin / source.lstrip("/")
            to = Path(f"{self.root}{target}")
            if path.is_dir():
                shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True)
            else:
                to = to / path.name if target.endswith("/") else to
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)

    def _run(self, instruction: Instruction) -> None:
        mount = dict(option.partition("=")[::2] for option in instruction.flags.get("mount", "").split(","))
        mounts: list[str] = []
        if mount.get("type") == "cache":
            cache = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
            cache.mkdir(parents=True, exist_ok=True)
            mounts = [mount["target"], str(cache)]
        network = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
        done = subprocess.run(
            self._entered(*mounts, "--", "chroot", str(self.root), "sh", "-c", instruction.value),
            env=network | self._local | self.variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"RUN {instruction.value}\n{done.stdout}{done.stderr}"

    def _filled(self, value: str) -> str:
        known = self._arguments | self.variables | self._local if self._stages else self._arguments
        return string.Template(value).substitute(known)
