"""The system's Chromium, without a window, and pages of local AWS in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowser(RuntimeError):
    """There is no Chromium on this machine."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; NoBrowser where none is installed."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise NoBrowser(f"none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has none for root
        running = playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield running
        finally:
            running.close()


class Tab:
    """A page of local AWS in a browser, and what went wrong in it."""

    def __init__(self, running: Browser, url: str) -> None:
        self.url = url
        self.page = running.new_page(viewport={"width": 1280, "height": 800})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note_error)
        self.page.on("dialog", self._dismiss)
        self.page.on("request", self._note_foreign)

    def _note_error(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(said.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note_foreign(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.errors.append(f"asks for {request.url}")

    def open(self, path: str) -> Page:
        """The page, once its charts are drawn."""
        self.page.goto(self.url + path)
        self.wait_for_charts()
        return self.page

    def wait_for_charts(self) -> None:
        """Return when every chart of the page is drawn."""
        # A function, since the pages forbid what makes one of a text.
        self.page.wait_for_function("() => !document.querySelector('.chart:not([data-drawn])')", timeout=60_000)
