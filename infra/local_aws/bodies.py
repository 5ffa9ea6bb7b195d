"""The bytes of S3's objects, each in a file that is written once."""

import os
import uuid
from collections.abc import Collection
from pathlib import Path


class Body:
    """An object's bytes as moto reads them: a file that is opened for the time of a read only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = 0
        self._closed = False

    def seek(self, at: int) -> int:
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        if self._closed:
            raise ValueError("I/O operation on closed file")  # as of any file: moto looks for it
        with self.path.open("rb") as file:
            file.seek(self._at)
            content = file.read(size)
        self._at += len(content)
        return content

    def close(self) -> None:
        self._closed = True


class Bodies:
    """A folder of bodies; a file that is in no state read from disk is nobody's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def new(self) -> Body:
        """A body with nothing in it yet."""
        return Body(self._folder / uuid.uuid4().hex)

    def named(self, name: str) -> Body:
        """The body in the file of that name."""
        return Body(self._folder / name)

    def write(self, contents: Collection[tuple[Body, bytes]]) -> None:
        """Put the bytes of each body on disk, or of none."""
        try:
            for body, content in contents:
                body.path.write_bytes(content)
            for body, _ in contents:  # once all are written: the first takes the others along
                with body.path.open("rb") as file:
                    os.fsync(file.fileno())
        except OSError:
            for body, _ in contents:
                body.path.unlink(missing_ok=True)
            raise

    def missing(self, names: Collection[str]) -> set[str]:
        """Those of `names` that no file has."""
        return set(names) - {path.name for path in self._folder.iterdir()}

    def keep_only(self, names: Collection[str]) -> None:
        """Remove every other file."""
        for path in self._folder.iterdir():
            if path.name not in names:
                path.unlink()
