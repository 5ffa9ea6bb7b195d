"""A process that finds what it would find in a SageMaker container: the image's Python, /opt/ml, and little else."""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

HOST = "algo-1"  # AWS's name of a job's first instance; container.sh makes it resolve
_SCRIPT = Path(__file__).with_name("container.sh")
_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
_live: set["Container"] = set()


def outside(opt_ml: Path, path: str) -> Path:
    """Where what a container sees at `path`, below /opt/ml, really is."""
    return opt_ml / Path(path).relative_to("/opt/ml")


@functools.cache
def has_opt_ml() -> bool:
    """Whether this OS lets a process have its own /opt/ml (Linux with user namespaces does, macOS does not)."""
    with tempfile.TemporaryDirectory() as folder:
        opt_ml = Path(folder) / "ml"
        (opt_ml / "here").mkdir(parents=True)
        command = [*_NAMESPACE, "sh", str(_SCRIPT), str(opt_ml), "test", "-d", "/opt/ml/here"]
        alive, until_closed = os.pipe()
        try:
            done = subprocess.run(command, stdin=alive, capture_output=True, start_new_session=True)
        except FileNotFoundError:
            return False
        finally:
            os.close(alive)
            os.close(until_closed)
    return done.returncode == 0


class Container:
    """A running process group; `on_line(stream, line)` is called for every line of its "stdout" and "stderr"."""

    def __init__(
        self,
        environment: Path,
        command: Sequence[str],
        opt_ml: Path,
        variables: Mapping[str, str],
        on_line: Callable[[str, str], None],
        pass_fds: Sequence[int] = (),
        network: bool = True,
    ) -> None:
        packages = opt_ml.with_name(opt_ml.name + ".packages")
        tmp = opt_ml.with_name(opt_ml.name + ".tmp")
        tmp.mkdir(exist_ok=True)
        full = {
            "PATH": f"{environment / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(tmp),
            "TMPDIR": str(tmp),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            # A script's requirements.txt goes beside the job, not into the environment that all jobs share.
            "PIP_PREFIX": str(packages),
            "PYTHONPATH": str(next((environment / "lib").glob("python*/site-packages"))).replace(
                str(environment), str(packages)
            ),
            **variables,
        }
        line = ["sh", str(_SCRIPT), "", *command]
        if has_opt_ml():
            isolation = () if network else ("--net",)
            line[2] = str(opt_ml)
            line = [*_NAMESPACE, *isolation, *line]
        else:
            full["SAGEMAKER_BASE_DIR"] = str(opt_ml)
            on_line("stderr", f"This OS has no mount namespaces: /opt/ml is at {opt_ml}, as SAGEMAKER_BASE_DIR says.")
            if not network:
                on_line("stderr", "Nor has it network namespaces: this container is isolated by having no credentials.")
        self._process = subprocess.Popen(
            line,
            env=full,
            cwd=tmp,
            stdin=subprocess.PIPE,  # what container.sh notices our end by
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        _live.add(self)
        self._readers = [
            threading.Thread(target=_read, args=(name, pipe, on_line), daemon=True)
            for name, pipe in (("stdout", self._process.stdout), ("stderr", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The first process's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The first process's exit code (minus the signal's number where a signal ended it), None while it runs."""
        return self._process.poll()

    def running(self) -> bool:
        """Whether any process that writes to this container's output is alive."""
        return self.exit_code is None or any(reader.is_alive() for reader in self._readers)

    def wait(self, seconds: float) -> bool:
        """Wait for the first process's end; False where it has not come within `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def signal(self, number: int) -> None:
        """Send a signal to every process of the group."""
        with contextlib.suppress(ProcessLookupError):  # nothing left to signal is what the caller wanted
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        """Kill what is left of the group (a container ends with its first process), and read its output to the end."""
        if self not in _live:
            return
        self.signal(signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join(5)
        _live.discard(self)


def _read(name: str, pipe: IO[bytes], on_line: Callable[[str, str], None]) -> None:
    with pipe:
        for line in pipe:
            on_line(name, line.decode("utf-8", "replace").rstrip("\r\n"))


@atexit.register
def kill_all() -> None:
    """End every container's processes."""
    for container in list(_live):
        container.signal(signal.SIGKILL)
