"""What a run has cost on AWS, estimated from its jobs' time and the bytes that Athena has scanned."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from silverline import cloudwatch, jobs
from silverline.platform import Platform
from silverline.spec import BatchSpec, PipelineSpec, Spec


class UnknownPrice(ValueError):
    """prices.json has no such instance type."""


HOURS = 730.0
"""Of a month, as AWS's own calculator has it."""
TERABYTE = 10**12
LEAST_SCANNED = 10 * 10**6
"""Bytes that Athena charges a query for at the least. https://aws.amazon.com/athena/pricing/"""


@cache
def prices() -> Mapping[str, Any]:
    """List prices in US dollars, of one region and month, as prices.json has them."""
    found: Mapping[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())
    return found


def estimate(spec: Spec, started: Iterable[jobs.Started], queries: int, scanned_bytes: float) -> float:
    """US dollars for jobs and queries; a tuning job costs what its training jobs cost.

    UnknownPrice for an instance type that prices.json doesn't have. Not of this: endpoints, which cost by the hour
    whether or not anything runs, storage and logs.
    """
    charged = max(scanned_bytes, queries * LEAST_SCANNED)
    return charged / TERABYTE * float(prices()["athena_terabyte"]) + sum(
        job.seconds / 3600 * hourly(instance_type(spec, job.kind)) for job in started if job.kind != jobs.TUNING
    )


def scanned(platform: Platform, start: datetime, end: datetime) -> tuple[int, float]:
    """Queries of the workgroup that have ended in that time, and the bytes that they scanned: people's, too."""
    asked = [
        cloudwatch.query(
            f"{statistic}_{state}",
            "AWS/Athena",
            "ProcessedBytes",
            # Athena charges for no other type.
            {"WorkGroup": platform.athena_workgroup, "QueryState": state, "QueryType": "DML"},
            statistic,
            60,
        )
        for state in ("SUCCEEDED", "FAILED", "CANCELED")
        for statistic in ("SampleCount", "Sum")
    ]
    totals = {"SampleCount": 0.0, "Sum": 0.0}
    for label, points in cloudwatch.data(asked, start, end).items():
        totals[label.partition("_")[0]] += sum(value for _, value in points)
    return round(totals["SampleCount"]), totals["Sum"]


def hourly(instance_type: str) -> float:
    """US dollars an hour of one such instance; UnknownPrice where prices.json has none."""
    try:
        return float(prices()["instance_hour"][instance_type])
    except KeyError:
        raise UnknownPrice(f"no price is known of {instance_type}: add it to dags/silverline/prices.json") from None


def instance_type(spec: Spec, kind: jobs.Kind) -> str:
    """On what a job of that kind runs."""
    if isinstance(spec, BatchSpec):
        return spec.instance_type
    assert isinstance(spec, PipelineSpec)
    return spec.evaluation_instance_type if kind == jobs.PROCESSING else spec.training_instance_type
