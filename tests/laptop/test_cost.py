"""`make cost`: what is charged for, and by what the last run that was well has taken."""

import io
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from rich.console import Console

import flight_delay
from laptop import cost, platform
from laptop.services import ServiceError
from silverline import costs, metrics
from silverline.metrics import Event
from silverline.platform import Platform


def tell(place: Platform, stream: str, *events: Event, failed: float = 0.0) -> None:
    run = Event("run", {"RunsSucceeded": 1 - failed, "RunsFailed": failed}, ({}, {"Dag": "a"}))
    metrics.write(place, "flight_delay", stream, {}, [run, *events])


def job(kind: str, seconds: float) -> Event:
    return Event("job", facts={"kind": kind, "job": "a", "status": "Completed", "seconds": seconds})


def queries(count: int, scanned: float) -> Event:
    return Event("cost", {"EstimatedCost": 1.0}, facts={"queries": count, "scanned_bytes": scanned})


@pytest.fixture
def place(local_aws: Any) -> Platform:
    """A platform on which both DAGs have run well, and failed since, and monitoring has looked."""
    found = Platform.from_document(platform.apply())
    wait = job("HyperParameterTuningJob", 9000)
    tell(found, "flight_delay/20990101-000000-aaaa", wait, job("TrainingJob", 3600), queries(2, 10**12))
    tell(found, "flight_delay/20990102-000000-aaaa", job("TrainingJob", 1), queries(1, 1), failed=1.0)
    tell(found, "flight_delay_batch/20990101-000000-aaaa", job("TransformJob", 1800), queries(1, 0))
    seen = Event("check", {"Findings": 0.0}, ({"Check": "bronze"}, {"Check": "runs"}))
    metrics.write(found, "flight_delay", "monitoring/20990101-000000-aaaa", {}, [seen])
    return found


def test_a_run_costs_its_jobs_and_queries_and_a_month_what_there_is_all_day(place: Platform) -> None:
    lines = {line.what: line for line in cost.lines(place, "flight_delay", runs=73)}
    hour = costs.hourly("ml.m5.xlarge")
    assert (lines["TrainingJob"].run, lines["TrainingJob"].month) == pytest.approx((hour, 73 * hour))
    assert lines["TransformJob"].run == pytest.approx(hour / 2) and "ProcessingJob" not in lines
    assert lines["Athena"].run == pytest.approx(5.0) and lines["Athena"].why == "3 queries, 1000000 MB"
    assert lines["endpoint"].run == 0 and lines["endpoint"].month == pytest.approx(2 * 0.056 * 730)
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix="silverline-local-")["MetricAlarms"]
    assert lines["alarms"].month == pytest.approx(0.1 * len(alarms)) and alarms
    # Two that are sent every hour, and, a tenth of the hours, five of a run.
    assert lines["metrics"].month == pytest.approx(0.3 * (2 + 5 / 10))


def test_it_is_shown_with_and_without_mwaa_and_says_of_when_its_prices_are(place: Platform) -> None:
    console = Console(record=True, file=io.StringIO(), width=200)
    assert cost.show(place, "flight_delay", 30, console) == 0
    text = console.export_text()
    assert "Training on spot instances: " in text
    # Other tests may have asked the endpoint.
    assert re.search(r"A serverless endpoint instead: (ask the endpoint first|\d+\.\d\d for a million)", text)
    assert "with MWAA" in text and f"List prices of us-east-1, {costs.prices()['as_of']}" in text


def test_where_nothing_has_run_it_says_what_has_to(place: Platform) -> None:
    with pytest.raises(ServiceError, match="nothing has no run that was well.*`make run PIPELINE=nothing` first"):
        cost._last_run(place, "nothing")


def test_a_serverless_endpoint_is_reckoned_by_how_long_answers_have_taken(
    place: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a pipeline of this test's own: others have asked flight_delay's endpoint.
    mine = SimpleNamespace(spec=replace(flight_delay.spec, name="asked_once"))
    monkeypatch.setitem(sys.modules, "asked_once", mine)
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "ModelLatency",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": "asked-once"},
                    {"Name": "VariantName", "Value": "AllTraffic"},
                ],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=5),
                "Value": 50_000.0,  # microseconds
                "Unit": "Microseconds",
            }
        ],
    )
    found = list(cost.lines(place, "flight_delay", 30))
    (serverless,) = [one for one in cost.instead(place, "asked_once", found) if "serverless" in one]
    # 2 GB at 0.00002 dollars a second and GB; the endpoint is two instances.
    assert "2.00 for a million requests of 50 ms" in serverless
    assert f" up to {2 * 0.056 * 730 / 2.00 * 1e6:,.0f} requests a month" in serverless
