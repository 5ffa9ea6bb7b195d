"""A file in which each call is one line of JSON."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from local_aws.authorization.principals import Principal


class Recorder:
    """Writes calls down in the order in which they are judged, each line whole and at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def write(self, principal: Principal, action: str, resource: str, allowed: bool, user_agent: str) -> None:
        """Append one call: when, who, what, on what, and what came of it."""
        with self._lock:
            call = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "caller": principal.arn,
                "action": action,
                "resource": resource,
                "allowed": allowed,
                "service": action.partition(":")[0],
                "user_agent": user_agent,
            }
            self._file.write(json.dumps(call).encode() + b"\n")

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._file.close()
