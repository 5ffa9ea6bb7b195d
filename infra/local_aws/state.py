"""Keeps what local AWS holds in a folder, and reads it back."""

import fcntl
import hashlib
import io
import json
import logging
import os
import pickle
import platform
import shutil
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import moto

from local_aws.bodies import Bodies
from local_aws.gate import gate
from local_aws.pickling import Pickler, backends, differences, layout, registries, registry

logger = logging.getLogger(__name__)

# To be raised where what an earlier version wrote can't be read for another reason than that objects of a class of ours
# have other attributes now, which is noticed by itself.
FORMAT = 2  # models know what serves them
VERSIONS = {"format": FORMAT, "moto": moto.__version__, "python": ".".join(platform.python_version_tuple()[:2])}
SHORTEST_PAUSE = 0.2  # seconds between two snapshots
_ATTEMPTS = 5
_REGISTRY_MEMBERS = {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}


class StateError(Exception):
    """The folder's state can't be used; the text says what to do."""


class State:
    """Everything that moto's backends hold, as of the last snapshot in `folder`.

    A snapshot is one file, `state`, and the bytes of S3's objects in files of their own; the file is replaced at once
    after everything that it refers to is there, so that whoever kills the server leaves the one or the other.
    """

    def __init__(self, folder: Path) -> None:
        """Lock the folder; StateError where another server has it."""
        self._folder = folder
        self._file, self._half = folder / "state", folder / "state.part"
        self._bodies = Bodies(folder / "objects")
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StateError(
                f"another local AWS keeps its state in {folder}: stop it, or give this one another --state-dir"
            ) from None
        self._written = b""
        self._complaints: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._save_regularly, name="state", daemon=True)

    def load(self) -> None:
        """Put what was kept into moto's backends, and remove what a killed server left half done; StateError, and
        nothing removed, where this version can't read it."""
        bodies: set[str] = set()
        if self._file.exists():
            with self._file.open("rb") as file:
                try:
                    header = json.loads(file.readline())
                    if header["versions"] != VERSIONS:
                        other = f"{_spelt(header['versions'])}; this is {_spelt(VERSIONS)}"
                        raise self._unusable(f"is of another version ({other})")
                    if changed := differences(header["layout"]):
                        raise self._unusable(f"is of another version (of {', '.join(changed)})")
                    kept, bodies = pickle.load(file), pickle.load(file)
                    if missing := self._bodies.missing(bodies):
                        raise self._unusable(f"lacks the bytes of {len(missing)} objects")
                except StateError:
                    raise
                except Exception as error:
                    raise self._unusable(f"can't be read ({error!r})") from error
            _put_back(kept)
        self._bodies.keep_only(bodies)
        self._half.unlink(missing_ok=True)
        for work in ("sagemaker", "athena"):  # what jobs and queries were at
            shutil.rmtree(self._folder / work, ignore_errors=True)

    def _unusable(self, why: str) -> StateError:
        return StateError(
            f"the state in {self._folder} {why}: start with another --state-dir, or remove that folder to begin "
            "with nothing. Nothing in it has been changed."
        )

    def start(self) -> None:
        """Take a snapshot soon after each change from now on."""
        self._thread.start()

    def close(self) -> None:
        """Take the last snapshot, and unlock the folder."""
        self._stopping.set()
        gate.changed.set()
        self._thread.join()
        self._lock.close()

    def _save_regularly(self) -> None:
        last = False
        while not last:
            gate.changed.wait()
            last = self._stopping.is_set()
            gate.changed.clear()
            began = time.thread_time()
            try:
                self.save()
            except Exception as error:  # a full disk, say: what is served must not end with it
                self._complain(f"the state could not be written to {self._folder}: {error!r}")
                gate.changed.set()
            # A tenth of a processor at most goes into snapshots.
            self._stopping.wait(max(SHORTEST_PAUSE, 10 * (time.thread_time() - began)))

    def save(self) -> None:
        """Take a snapshot, unless nothing has changed."""
        with gate.still():
            pickler, pickled = self._pickled()
        self._bodies.write([(body, content) for _, body, content in pickler.unwritten])
        for key, body, _ in pickler.unwritten:
            with key.lock:
                if not key.disposed:
                    key._value_buffer = body
        digest = hashlib.blake2b(pickled).digest()
        if digest == self._written:
            return
        with open(self._half, "wb", opener=_for_the_user_alone) as file:
            file.write(json.dumps({"versions": VERSIONS, "layout": layout()}).encode() + b"\n")
            file.write(pickled)
            file.flush()
            os.fsync(file.fileno())
        self._half.replace(self._file)
        _sync(self._folder)  # before what it no longer refers to goes
        self._written = digest
        self._bodies.keep_only(pickler.names)

    def _pickled(self) -> tuple[Pickler, bytes]:
        left_out: set[str] = set()
        for _ in range(_ATTEMPTS):
            file = io.BytesIO()
            try:
                pickler = Pickler(file, self._bodies)
                pickler.dump(_contents(left_out))
            except Exception as error:
                if _is_passing(error):
                    continue
                found = self._unpicklable()
                if not found - left_out:
                    raise
                left_out |= found
            else:
                file.write(pickle.dumps(pickler.names))
                return pickler, file.getvalue()
        raise RuntimeError(f"no moment was found in {_ATTEMPTS} attempts when nothing changed")

    def _unpicklable(self) -> set[str]:
        """The registries whose backends can't be pickled, after a complaint about each."""
        found = set()
        for (name, account, region), backend in backends().items():
            for member, value in backend.__getstate__().items():
                try:
                    Pickler(io.BytesIO(), self._bodies).dump(value)
                except Exception as error:
                    if _is_passing(error):
                        continue
                    found.add(name)
                    self._complain(
                        f"{registry(name).service_name} is not kept over a restart, because its {member} "
                        f"(account {account}, {region}) can't be pickled: {error!r}"
                    )
        return found

    def _complain(self, text: str) -> None:
        if text not in self._complaints:
            self._complaints.add(text)
            logger.error(text)


def _contents(left_out: Collection[str]) -> dict[str, Any]:
    """What a snapshot has of moto's backends, those of the registries `left_out` aside."""
    return {
        "registries": {
            name: {member: value for member, value in vars(found).items() if member not in _REGISTRY_MEMBERS}
            for name, found in registries().items()
            if name not in left_out
        },
        "backends": {key: backend.__getstate__() for key, backend in backends().items() if key[0] not in left_out},
    }


def _put_back(contents: dict[str, Any]) -> None:
    for name, members in contents["registries"].items():
        vars(registry(name)).update(members)
    for (name, account, region), members in contents["backends"].items():
        backend = registry(name)[account][region]
        if hasattr(backend, "__setstate__"):
            backend.__setstate__(members)
        else:
            vars(backend).update(members)


def _is_passing(error: Exception) -> bool:
    """Whether a thread that passes no gate, since it only reads, has filled a cache meanwhile."""
    return "changed size during iteration" in str(error)


def _spelt(versions: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _for_the_user_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
