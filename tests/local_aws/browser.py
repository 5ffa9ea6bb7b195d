"""A browser for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from proof.chromium import NoBrowser, chromium


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; skips, saying why, where there is none."""
    try:
        with chromium() as running:
            yield running
    except NoBrowser as error:
        pytest.skip(f"{error}: pages are not looked at in a browser")
