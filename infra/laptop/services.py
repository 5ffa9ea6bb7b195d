"""Background processes: started once, found again by their record, and ended whole."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from laptop.settings import STATE, make, write_privately

RECORDS = STATE / "services"
HEAD_START_SECONDS = 5
GRACE_SECONDS = 20


class ServiceError(RuntimeError):
    """A service that can't be started or has died, with what to do about it."""


def start(name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start `command` in the background in a session of its own, unless it is running already."""
    if alive(name):
        return
    record = _record_file(name)
    _end(_family(record))  # what one that was killed may have left behind
    RECORDS.mkdir(parents=True, exist_ok=True)
    with log(name).open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    # The start time tells our process from a later one that was given the same pid.
    started = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    write_privately(record, json.dumps(started))


def alive(name: str) -> bool:
    """Whether the service was started and hasn't ended."""
    return _process(_record_file(name)) is not None


def any_alive() -> bool:
    """Whether any recorded service is running."""
    return any(alive(path.stem) for path in RECORDS.glob("*.json"))


def wait_for_port(name: str, port: int, seconds: float) -> None:
    """Return once the service listens on 127.0.0.1:`port`; ServiceError where it ends or takes longer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check(name)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ServiceError(f"{name} did not listen on port {port} within {seconds:.0f} s; see {log(name)}")


def check(name: str) -> None:
    """ServiceError with the last lines of its log where the service has ended."""
    if not alive(name):
        lines = log(name).read_text(errors="replace").splitlines()[-15:] if log(name).exists() else []
        advice = f"`{make('run')}` starts what is missing (local AWS finds what was in it)"
        raise ServiceError("\n".join([f"{name} has ended; the last lines of {log(name)}:", *lines, advice]))


def stop_all(folders: Iterable[Path] | None = None) -> list[str]:
    """End every service recorded in `folders` (without: those of this environment) with all that it started; returns
    the names of those that ran."""
    records = sorted(path for folder in folders or [RECORDS] for path in folder.glob("*.json"))
    running = [record.stem for record in records if _process(record)]
    families = [process for record in records for process in _family(record)]
    # Local AWS says of its jobs what they ended with, where it hears of its end before they do.
    first = [process for record in records if (process := _process(record))]
    _signal(first, signal.SIGTERM)
    _wait(first, HEAD_START_SECONDS)
    _end(families)
    for record in records:
        record.unlink()
    return running


def require_free_port(port: int, name: str, variable: str) -> None:
    """ServiceError where something listens on 127.0.0.1:`port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(
                f"port {port}, which {name} needs, is taken by another program: end that one, or choose a free port "
                f"with `{make('run')} {variable}={port + 1}`"
            ) from error


def log(name: str) -> Path:
    """Where the service's output goes."""
    return RECORDS / f"{name}.log"


def python(*arguments: str) -> list[str]:
    """A command of the interpreter that runs this."""
    return [sys.executable, *arguments]


def _record_file(name: str) -> Path:
    return RECORDS / f"{name}.json"


def _read(record: Path) -> tuple[int, float] | None:
    """The pid the service was started with and when that was; None where there is no record of ours."""
    try:
        started = json.loads(record.read_text())
        return int(started["pid"]), float(started["created"])
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None  # ours are written whole


def _process(record: Path) -> psutil.Process | None:
    if (started := _read(record)) is None:
        return None
    pid, created = started
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _family(record: Path) -> list[psutil.Process]:
    """The service's processes: itself, its children, and whatever else is in its session, even where it was killed."""
    if (started := _read(record)) is None:
        return []
    session, created = started
    leader = _process(record)
    if leader is None and psutil.pid_exists(session) and psutil.Process(session).create_time() - created >= 1:
        return []  # another program has the pid by now
    children = leader.children(recursive=True) if leader else []
    return list({*children, *(process for process in psutil.process_iter() if _session(process.pid) == session)})


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _end(processes: Sequence[psutil.Process]) -> None:
    _signal(processes, signal.SIGTERM)
    _signal(_wait(processes, GRACE_SECONDS), signal.SIGKILL)


def _wait(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that have not ended within `seconds`."""
    until = time.monotonic() + seconds
    while (left := [process for process in processes if _goes_on(process)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _goes_on(process: psutil.Process) -> bool:
    """A zombie has ended, though its parent has not asked yet: in a container without an init nobody ever does."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_by_interrupt() -> None:
    """Let this process end by KeyboardInterrupt, as by Ctrl-C, also where it is told to end in another way."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)  # which a shell's background jobs are started to ignore
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
