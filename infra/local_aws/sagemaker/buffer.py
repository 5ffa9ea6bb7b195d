"""Collects what arrives one by one, and hands it on in batches."""

import threading
from collections.abc import Callable


class Buffer[T]:
    """Calls `send` with what was added since the last call: every few seconds where there is any, and at the end."""

    def __init__(self, name: str, send: Callable[[list[T]], None], seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._items: list[T] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._send_regularly, name=name, daemon=True)
        self._thread.start()

    def add(self, item: T) -> None:
        """Keep `item` for the next call."""
        with self._lock:
            self._items.append(item)

    def close(self) -> None:
        """Send what is left."""
        self._closing.set()
        self._thread.join()

    def _send_regularly(self) -> None:
        last = False
        while not last:
            last = self._closing.wait(self._seconds)
            with self._lock:
                items, self._items = self._items, []
            if items:
                self._send(items)
