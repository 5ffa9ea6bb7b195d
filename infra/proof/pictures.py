"""Pictures of Airflow's pages and of local AWS', as a person sees them, for docs/images/."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Locator, Page

from laptop.airflow import Api
from laptop.settings import AIRFLOW_USER, REPOSITORY, STATE, Settings, airflow_secrets
from proof.chromium import Tab

IMAGES = REPOSITORY / "docs" / "images"
PIPELINE, ASK = "flight_delay", "approve.ask"
GROUPS = ("bronze", "silver", "train", "train.tune", "evaluate", "register", "approve", "deploy")
SECONDS_TO_DRAW = 2.0  # Airflow's graphs move into their places
WIDTH, HEIGHT = 1400, 800
SCALE = 1.5  # pixels of a picture to one of the window's: Airflow writes small
MARGIN = 24

# The texts of a page that are within its window and that nothing lies over.
SEEN = """() => {
    const seen = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const range = document.createRange();
        range.selectNode(texts.currentNode);
        const { left, top, height } = range.getBoundingClientRect();
        if (document.elementFromPoint(left + 1, top + height / 2) === texts.currentNode.parentElement) {
            seen.push(texts.currentNode.data);
        }
    }
    return seen.join("\\n");
}"""


class Unfit(RuntimeError):
    """A picture that can't be shown: of an error, or with a path of this machine in it."""


class Pictures:
    """Takes them in one browser; `api` is that of the Airflow whose pages they are of."""

    def __init__(self, browser: Browser, settings: Settings, api: Api) -> None:
        self._api = api
        self._tab = Tab(browser, settings.aws_url)
        self._airflow = browser.new_page(
            base_url=settings.airflow_url, viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
        )
        self._airflow.goto("/")
        self._airflow.fill("input[name=username]", AIRFLOW_USER)
        self._airflow.fill("input[name=password]", airflow_secrets()["password"])
        self._airflow.click("button[type=submit]")
        self._airflow.get_by_text("Health").first.wait_for()

    def approve(self, run_id: str) -> None:
        """approval.png, and a click on Approve."""
        page = self._task(run_id, ASK, "required_actions", height=1060)
        button = page.get_by_test_id("hitl-option-Approve")
        button.wait_for()
        self._take("approval", page)
        button.click()

    def graph(self, run_id: str) -> None:
        """graph.png: the task groups of a run and how they depend on each other."""
        page = self._run(run_id, "graph", width=1000, height=1100)
        self._settle(page.locator(".react-flow__node").first)
        page.get_by_role("button", name="Fit View").click()
        self._take_graph("graph", page)

    def grid(self, run_id: str) -> None:
        """grid.png: every task of a run beside those of the runs before."""
        page = self._run(run_id, "grid", height=1100)
        self._settle(page.get_by_text("Task Instances").last)
        self._take("grid", page)

    def log(self, run_id: str, task_id: str) -> None:
        """log.png: the end of a task's log, where that of its job is."""
        page = self._task(run_id, task_id, "", height=HEIGHT)
        page.get_by_text("The log of").click()
        page.wait_for_timeout(SECONDS_TO_DRAW * 1000)
        page.mouse.move(WIDTH / 2, HEIGHT / 2)
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(SECONDS_TO_DRAW * 1000)
        self._take("log", page)

    def assets(self, name: str) -> None:
        """assets.png: which DAG makes what, and what starts it."""
        page = self._open(f"/assets/{self._api.asset_id(name)}", {}, WIDTH, HEIGHT)
        self._settle(page.locator(".react-flow__node").first)
        self._take_graph("assets", page)

    def page(self, name: str, path: str, full: bool = False) -> None:
        """A page of local AWS: as much as is seen at once, or the full page."""
        self._take(name, self._tab.open(path), full)

    def invoke(self, endpoint: str) -> None:
        """invoke.png: the endpoint's page after its form has been sent."""
        page = self._tab.open(f"/_console/endpoints/{endpoint}")
        page.get_by_role("button", name="Send").click()
        page.locator("#answer").wait_for()
        self._tab.wait_for_charts()
        self._take("invoke", page)

    def chart(self, name: str, path: str, title: str) -> None:
        """One chart of a dashboard."""
        page = self._tab.open(path)
        widget = page.locator(".widget", has=page.get_by_role("heading", name=title, exact=True))
        self._write(name, widget.screenshot(), widget.inner_text())

    def _run(self, run_id: str, view: str, width: int = WIDTH, height: int = HEIGHT) -> Page:
        stored = {
            f"dag_view-{PIPELINE}": view,
            f"direction-{PIPELINE}": "DOWN",
            f"{PIPELINE}/open-groups": GROUPS if view == "grid" else (),
            "react-resizable-panels:graph-ltr": {"details-panel,main-panel": {"expandToSizes": {}, "layout": [90, 10]}},
        }
        return self._open(f"/dags/{PIPELINE}/runs/{run_id}", stored, width, height)

    def _task(self, run_id: str, task_id: str, tab: str, height: int) -> Page:
        path = f"/dags/{PIPELINE}/runs/{run_id}/tasks/{task_id}/{tab}"
        return self._open(path, {f"dag_view-{PIPELINE}": "grid"}, WIDTH, height)

    def _open(self, path: str, stored: Mapping[str, object], width: int, height: int) -> Page:
        """A page of Airflow's, which finds in the browser what a person would have clicked on."""
        for name, value in stored.items():
            self._airflow.evaluate("([name, value]) => localStorage.setItem(name, value)", [name, json.dumps(value)])
        self._airflow.set_viewport_size({"width": width, "height": height})
        self._airflow.goto(path)
        return self._airflow

    def _settle(self, shown: Locator) -> None:
        shown.wait_for(timeout=60_000)
        self._airflow.wait_for_timeout(SECONDS_TO_DRAW * 1000)

    def _take(self, name: str, page: Page, full: bool = False) -> None:
        self._write(name, page.screenshot(full_page=full), page.inner_text("body") if full else page.evaluate(SEEN))

    def _take_graph(self, name: str, page: Page) -> None:
        """As much of the page as its graph takes."""
        page.wait_for_timeout(SECONDS_TO_DRAW * 1000)
        boxes = [box for node in page.locator(".react-flow__node").all() if (box := node.bounding_box())]
        left, top = min(box["x"] for box in boxes) - MARGIN, min(box["y"] for box in boxes) - MARGIN
        right = max(box["x"] + box["width"] for box in boxes) + MARGIN
        bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
        clip: FloatRect = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        self._write(name, page.screenshot(clip=clip), page.evaluate(SEEN))

    def _write(self, name: str, picture: bytes, text: str) -> None:
        """Unfit where the text of what is in the picture isn't for others, or something went wrong in the page."""
        for unwanted in (str(REPOSITORY), str(STATE), str(Path.home()), "An error occurred", "Internal Server Error"):
            if re.search(rf"{re.escape(unwanted)}\b", text):
                raise Unfit(f"{name}.png would show {unwanted!r}")
        if self._tab.errors:
            raise Unfit(f"{name}.png is of a page with errors: {self._tab.errors}")
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{name}.png").write_bytes(picture)
