"""CloudWatch's dashboards."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request

from local_aws.console import grid, ranges, widgets
from local_aws.console.clients import client
from local_aws.console.errors import Trouble
from local_aws.console.page import Page


def all_dashboards(request: Request) -> Page:
    """The dashboards that there are."""
    return Page("dashboards.html", "Dashboards", {"dashboards": found()})


def found() -> list[dict[str, Any]]:
    """ListDashboards' entries, by name."""
    pages = client("cloudwatch").get_paginator("list_dashboards").paginate()
    return sorted((entry for page in pages for entry in page["DashboardEntries"]), key=lambda e: e["DashboardName"])


def dashboard(request: Request, name: str) -> Page:
    """One dashboard, drawn from the JSON that PutDashboard was given."""
    text = client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    body, trouble = _read(text)
    shown = ranges.of(request.args, body, datetime.now(UTC))
    refresh = ranges.refresh_seconds(request.args)
    boxes: list[widgets.Box] = []
    if not trouble:
        try:
            places = grid.places(body["widgets"])
            adapt = body.get("periodOverride", "auto") != "inherit"
            boxes = [
                widgets.box(widget, place, shown, adapt) for widget, place in zip(body["widgets"], places, strict=True)
            ]
        except grid.BadPlace as error:
            trouble = Trouble("This dashboard can't be drawn", str(error))
    values = {
        "name": name,
        "boxes": boxes,
        "trouble": trouble,
        "body": text,
        "left": sorted(body.keys() - {"widgets", "start", "end", "periodOverride"}),
        "shown": shown,
        "controls": _controls(request, shown, body),
    }
    return Page("dashboard.html", name, values, refresh=refresh)


def _read(text: str) -> tuple[dict[str, Any], Trouble | None]:
    """The dashboard's body, or what is wrong with it."""
    code, body = "This is no dashboard", json.loads(text)  # PutDashboard takes nothing but JSON
    if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
        return {}, Trouble(code, "Its body is no object with an array called widgets.")
    for number, widget in enumerate(body["widgets"], start=1):
        if not isinstance(widget, dict):
            return {}, Trouble(code, f"Widget {number} is no object: {widget!r}")
    return body, None


def _controls(request: Request, shown: ranges.TimeRange, body: dict[str, Any]) -> dict[str, Any]:
    """The links that choose another range or refresh, and keep the other of the two."""
    kept = {name: request.args[name] for name in ("range", "start", "end", "refresh") if request.args.get(name)}
    without_range = {name: value for name, value in kept.items() if name == "refresh"}
    chosen = [*(["default"] if body.get("start") else []), *ranges.RELATIVE]
    return {
        "ranges": [(name, "?" + urlencode({**without_range, "range": name}), name == shown.name) for name in chosen],
        "refreshes": [
            (name, "?" + urlencode({**kept, "refresh": name}), name == (request.args.get("refresh") or "off"))
            for name in ranges.REFRESH
        ],
        "refresh": request.args.get("refresh", ""),
        "custom": shown.name == "custom",
        "start": _minutes(shown.start),
        "end": _minutes(shown.end + (timedelta(0) if shown.name == "custom" else timedelta(minutes=1))),
    }


def _minutes(time: datetime) -> str:
    """As an input of type datetime-local has it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
