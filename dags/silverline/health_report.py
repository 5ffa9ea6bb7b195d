"""What monitoring has found of a pipeline, as metrics and as a page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from silverline import objects
from silverline.metrics import Event
from silverline.platform import Platform

Finding = Mapping[str, Any]
"""health.Finding, as its task has returned it."""


def events(findings: Sequence[Finding]) -> list[Event]:
    """One event a check, of whether it has found anything, with the numbers; and one for each feature that has any."""
    checks = [
        Event(
            "check",
            {"Findings": float(not finding["is_well"])},
            ({"Check": finding["check"]},),
            {"check": finding["check"], "sentence": finding["sentence"]},
        )
        for finding in findings
    ]
    seen = [Event("seen", finding["values"]) for finding in findings if finding["values"]]
    features = [
        Event("feature", values, ({"Feature": name},))
        for finding in findings
        for name, values in finding["features"].items()
    ]
    return [*checks, *seen, *features]


def page(environment: str, pipeline: str, findings: Sequence[Finding], at: datetime) -> str:
    """The findings as Markdown, what is not well first."""
    rows = sorted(findings, key=lambda finding: (finding["is_well"], finding["check"]))
    ill = [finding["check"] for finding in rows if not finding["is_well"]]
    lines = [
        f"# {pipeline} in {environment}, {at:%Y-%m-%d %H:%M} UTC",
        "",
        f"**Not well: {', '.join(ill)}.**" if ill else "All is well.",
        "",
        "| check | | what was seen |",
        "|---|---|---|",
        *(f"| {one['check']} | {'well' if one['is_well'] else '**not well**'} | {one['sentence']} |" for one in rows),
    ]
    return "\n".join(lines) + "\n"


def store(platform: Platform, pipeline: str, findings: Sequence[Finding], at: datetime) -> str:
    """Lay the page into the gold bucket, one an hour; returns its address."""
    address = f"s3://{platform.gold_bucket}/{pipeline}/monitoring/{at:%Y/%m/%d/%H}.md"
    text = page(platform.environment, pipeline, findings, at)
    objects.write(address, text.encode(), "text/markdown; charset=utf-8")
    return address
