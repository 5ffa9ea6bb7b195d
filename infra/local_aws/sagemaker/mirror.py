"""A folder of a running job that is kept in S3: continuous outputs, checkpoints, TensorBoard's files."""

import logging
import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from local_aws.sagemaker import data

logger = logging.getLogger(__name__)

SYNC_SECONDS = 1.0


class Mirror:
    """While it is entered, what is written to `folder` is in S3 below `uri` soon afterwards, and at the end all of it.

    As on AWS, what is removed from the folder stays in S3. With `restored`, what is there at first came from S3.
    """

    def __init__(self, s3: Any, folder: Path, uri: str, key_id: str | None = None, restored: bool = False) -> None:
        self._s3, self._folder, self._uri, self._key_id = s3, folder, uri, key_id
        self._uploaded = dict(self._states()) if restored else {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"mirror {uri}", daemon=True)

    def __enter__(self) -> "Mirror":
        self._thread.start()
        return self

    def __exit__(self, raised: object, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if raised is None:  # else the job has been killed, or never began
            self._sync()

    def _keep(self) -> None:
        while not self._ended.wait(SYNC_SECONDS):
            try:
                self._sync()
            except (data.DataError, BotoCoreError, OSError) as error:  # a file that is gone again; others end the job
                logger.warning("%s is not up to date yet: %s", self._uri, error)

    def _sync(self) -> None:
        for path, state in self._states():
            if self._uploaded.get(path) != state:
                uri = f"{self._uri.rstrip('/')}/{path.relative_to(self._folder).as_posix()}"
                data.upload(self._s3, path, uri, self._key_id)
                self._uploaded[path] = state

    def _states(self) -> list[tuple[Path, tuple[int, int]]]:
        found = [(path, path.stat()) for path in data.files_in(self._folder)]
        return [(path, (stat.st_mtime_ns, stat.st_size)) for path, stat in found]
