"""Background services: started once, checked, and ended with all that they started."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from laptop import services

CHILD = [sys.executable, "-c", "import time; time.sleep(60)"]
PARENT = f"import subprocess, time; subprocess.Popen({CHILD!r}); time.sleep(60)"


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(services, "RECORDS", tmp_path)
    return tmp_path


def test_a_running_service_is_not_started_again(records: Path) -> None:
    services.start("sleeper", [sys.executable, "-c", PARENT], os.environ)
    first = (records / "sleeper.json").read_text()
    services.start("sleeper", [sys.executable, "-c", PARENT], os.environ)
    assert (records / "sleeper.json").read_text() == first
    assert services.stop_all() == ["sleeper"]


def test_stopping_ends_the_children_too() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    services.start("parent", [sys.executable, "-c", PARENT], os.environ)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        started = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
        if len(started) == 2:
            break
        time.sleep(0.05)
    assert len(started) == 2
    services.stop_all()
    assert not [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not services.any_alive()


@pytest.mark.timeout(60)
def test_what_has_ended_is_not_waited_for_though_its_parent_never_asks(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEAD_START_SECONDS", "GRACE_SECONDS"):
        monkeypatch.setattr(services, name, 600)
    # The parent of what is stopped is not who stops it, and goes on.
    script = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen({CHILD!r}, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            child = psutil.Process(int(parent.stdout.readline()))
            (records / "child.json").write_text(json.dumps({"pid": child.pid, "created": child.create_time()}))
            assert services.stop_all() == ["child"]
            assert child.status() == psutil.STATUS_ZOMBIE
        finally:
            parent.kill()


def test_a_service_ends_what_it_has_started_by_itself(records: Path) -> None:
    script = f"""
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen({CHILD!r}, start_new_session=True)
def end(*_):
    time.sleep(0.1)
    pathlib.Path({str(records / "seen")!r}).write_text(str(child.poll()))
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(records / "ready")!r}).touch()
time.sleep(60)
"""
    services.start("parent", [sys.executable, "-c", script], os.environ)
    deadline = time.monotonic() + 30
    while not (records / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    services.stop_all()
    assert (records / "seen").read_text() == "None"  # the child was still running


def test_what_a_killed_service_left_behind_is_ended_too(records: Path) -> None:
    services.start("parent", [sys.executable, "-c", PARENT], os.environ)
    parent = psutil.Process(json.loads((records / "parent.json").read_text())["pid"])
    deadline = time.monotonic() + 30
    while not (orphans := parent.children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert len(orphans) == 1 and orphans[0].is_running()
    assert services.stop_all() == []  # the service itself was running no more
    assert not orphans[0].is_running() or orphans[0].status() == psutil.STATUS_ZOMBIE


def test_services_of_several_environments_are_stopped_together(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [records / "local", records / "dev"]
    for folder in folders:
        monkeypatch.setattr(services, "RECORDS", folder)
        services.start("sleeper", CHILD, os.environ)
    assert services.stop_all(folders) == ["sleeper", "sleeper"]
    assert not any(list(folder.glob("*.json")) for folder in folders)


def test_a_service_that_died_is_reported_with_the_end_of_its_log() -> None:
    services.start("broken", [sys.executable, "-c", "raise SystemExit('no such bucket')"], os.environ)
    with pytest.raises(services.ServiceError, match="broken has ended(.|\n)*no such bucket"):
        services.wait_for_port("broken", 1, seconds=20)


def test_a_record_of_an_earlier_process_with_the_same_pid_is_not_ours(records: Path) -> None:
    (records / "old.json").write_text(f'{{"pid": {os.getpid()}, "created": 1.0}}')
    assert not services.alive("old")
    assert services.stop_all() == []


@pytest.mark.parametrize("text", ["", "{}", '{"pid":'])
def test_a_record_that_is_no_record_stops_nobody(records: Path, text: str) -> None:
    (records / "half.json").write_text(text)
    assert not services.alive("half")
    assert services.stop_all() == []
    assert not list(records.glob("*.json"))


def test_a_taken_port_says_which_variable_chooses_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(services.ServiceError, match=f"port {port}.*make run AWS_PORT={port + 1}"):
            services.require_free_port(port, "local AWS", "AWS_PORT")
