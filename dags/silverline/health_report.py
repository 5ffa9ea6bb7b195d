"""What monitoring has found of a pipeline, as metrics and as a page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from silverline import objects
from silverline.metrics import Event
from silverline.platform import Platform

Finding = Mapping[str, Any]
"""health.Finding, as its task has returned it."""
VERDICTS = {True: "well", False: "**not well**", None: "too little to say"}


def events(findings: Sequence[Finding]) -> list[Event]:
    """One event a check, of whether it has found anything, with the numbers; and one for each feature that has any.

    A check that has seen too little has no such metric: its alarm stays as it is. Of a feature its PSI is a metric, as
    CloudWatch charges for each, and the rest is to be read.
    """
    checks = [
        Event(
            "check",
            {} if finding["is_well"] is None else {"Findings": float(not finding["is_well"])},
            ({"Check": finding["check"]},),
            {"check": finding["check"], "sentence": finding["sentence"]},
        )
        for finding in findings
    ]
    seen = [Event("seen", finding["values"]) for finding in findings if finding["values"]]
    features = [
        Event(
            "feature",
            {"FeatureDrift": values["FeatureDrift"]},
            ({"Feature": name},),
            {name: value for name, value in values.items() if name != "FeatureDrift"},
        )
        for finding in findings
        for name, values in finding["features"].items()
    ]
    return [*checks, *seen, *features]


def page(environment: str, pipeline: str, findings: Sequence[Finding], at: datetime) -> str:
    """The findings as Markdown, what is not well first."""
    rows = sorted(findings, key=lambda finding: (finding["is_well"] is not False, finding["check"]))
    ill = [finding["check"] for finding in rows if finding["is_well"] is False]
    lines = [
        f"# {pipeline} in {environment}, {at:%Y-%m-%d %H:%M} UTC",
        "",
        f"**Not well: {', '.join(ill)}.**" if ill else "All is well.",
        "",
        "| check | | what was seen |",
        "|---|---|---|",
        *(f"| {one['check']} | {VERDICTS[one['is_well']]} | {one['sentence']} |" for one in rows),
    ]
    return "\n".join(lines) + "\n"


def store(platform: Platform, pipeline: str, findings: Sequence[Finding], at: datetime) -> str:
    """Lay the page into the gold bucket, one an hour; returns its address."""
    address = f"s3://{platform.gold_bucket}/{pipeline}/monitoring/{at:%Y/%m/%d/%H}.md"
    text = page(platform.environment, pipeline, findings, at)
    objects.write(address, text.encode(), "text/markdown; charset=utf-8")
    return address
