"""Keeps a snapshot of the state apart from what changes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Lets any number of threads change state at once, or one look at it while it is still."""

    def __init__(self) -> None:
        self.changed = threading.Event()  # since the last look; set it for a change that needs no gate
        self._condition = threading.Condition()
        self._own = threading.local()
        self._changing = 0
        self._closed = False

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change state; waits while someone looks at it."""
        if getattr(self._own, "inside", False):
            yield
            return
        with self._condition:
            while self._closed:
                self._condition.wait()
            self._changing += 1
        self._own.inside = True
        try:
            yield
        finally:
            self._own.inside = False
            with self._condition:
                self._changing -= 1
                self._condition.notify_all()
            self.changed.set()

    @contextmanager
    def still(self, patience: float = 0.5) -> Iterator[None]:
        """Look at state: at the first moment when nobody changes it, or after `patience` when those that do by then
        have ended, or after as long again: what takes longer is a long poll, or waits for a request of its own."""
        with self._condition:
            if not self._condition.wait_for(lambda: not self._changing, patience):
                self._closed = True
                self._condition.wait_for(lambda: not self._changing, patience)
            self._closed = True
        try:
            yield
        finally:
            with self._condition:
                self._closed = False
                self._condition.notify_all()


gate = Gate()  # one for the process, as moto's backends are
