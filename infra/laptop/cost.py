"""What a pipeline would cost on AWS, before anything is spent there: list prices, its spec, and what it took here."""

import importlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import boto3
from rich.console import Console
from rich.table import Table

from laptop.services import ServiceError
from laptop.settings import make
from silverline import cloudwatch, costs, jobs
from silverline.platform import Platform
from silverline.sagemaker_requests import VARIANT
from silverline.spec import PipelineSpec

GIGABYTE = 10**9
ENDPOINTS = 14  # infra/terraform/vpc.tf's interface endpoints, in two zones
Event = dict[str, Any]


class Line(NamedTuple):
    """What costs, why so much, and how many US dollars a run and a month of it are."""

    what: str
    why: str
    run: float
    month: float


def show(place: Platform, pipeline: str, runs: int, console: Console) -> int:
    """Print what a run costs and a month with so many runs, with and without MWAA."""
    found, mwaa = list(lines(place, pipeline, runs)), list(_mwaa())
    prices = costs.prices()
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("US dollars")
    table.add_column("a run", justify="right")
    table.add_column("a month", justify="right")
    table.add_column()
    for line in found:
        table.add_row(line.what, f"{line.run:.4f}" if line.run else "", f"{line.month:.2f}", line.why)
    table.add_row("all of it", f"{sum(each.run for each in found):.4f}", f"{_sum(found):.2f}", "", style="bold")
    for line in mwaa:
        table.add_row(line.what, "", f"{line.month:.2f}", line.why)
    table.add_row("with MWAA", "", f"{_sum([*found, *mwaa]):.2f}", "", style="bold")
    console.print(table)
    for sentence in instead(place, pipeline, found):
        console.print(f"\n{sentence}", soft_wrap=True, highlight=False)
    console.print(
        f"\nList prices of {prices['region']}, {prices['as_of']} (dags/silverline/prices.json: put in newer ones, or "
        "your own). Jobs took these seconds here; on AWS one is started in minutes that aren't charged, and then takes "
        "as long as its instance needs. Not in it: transfer, requests, and what other people do.",
        soft_wrap=True,
    )
    return 0


def instead(place: Platform, pipeline: str, found: Sequence[Line]) -> Iterator[str]:
    """What other ways to buy the same would cost, in sentences: spot instances for training, a serverless endpoint."""
    prices, spec = costs.prices(), importlib.import_module(pipeline).spec
    training, share = sum(line.month for line in found if line.what == "TrainingJob"), prices["spot_share"]
    yield (
        f"Training on spot instances: {training * share:.2f} a month instead of {training:.2f}, by a spot price of "
        f"{share:.0%} of the list's, which moves by the day and is assumed here"
    )
    endpoint = next(line.month for line in found if line.what == "endpoint")
    milliseconds = _latency(spec.aws_name)
    if milliseconds is None:
        ask = make(f"invoke PIPELINE={pipeline}")
        yield f"A serverless endpoint instead: ask the endpoint first (`{ask}`), to know how long an answer takes"
        return
    gigabytes = prices["serverless"]["gigabyte"]
    a_request = milliseconds / 1000 * gigabytes * prices["serverless"]["gigabyte_second"]
    yield (
        f"A serverless endpoint instead: {a_request * 1_000_000:.2f} for a million requests of {milliseconds:.0f} ms, "
        f"as measured here, in {gigabytes} GB, which is less than the instances cost up to "
        f"{endpoint / a_request:,.0f} requests a month; it starts cold, and has no canary"
    )


def _latency(endpoint: str) -> float | None:
    """Milliseconds that an answer has taken on average in the last two weeks; None where nobody has asked."""
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT}
    now = datetime.now(UTC)
    asked = [cloudwatch.query("latency", "AWS/SageMaker", "ModelLatency", dimensions, "Average", 3600)]
    hours = [value for _, value in cloudwatch.data(asked, now - timedelta(days=14), now)["latency"]]
    return sum(hours) / len(hours) / 1000 if hours else None


def lines(place: Platform, pipeline: str, runs: int) -> Iterator[Line]:
    """Jobs, queries, endpoint, storage, metrics and alarms; ServiceError where nothing has run yet to go by."""
    spec: PipelineSpec = importlib.import_module(pipeline).spec
    batch = importlib.import_module(f"{pipeline}_batch").spec
    own, batches = _last_run(place, pipeline), _last_run(place, f"{pipeline}_batch")
    for owner, events in ((spec, own), (batch, batches)):
        for kind, seconds in _seconds(events):
            instance = costs.instance_type(owner, kind)
            dollars = seconds / 3600 * costs.hourly(instance)
            yield Line(kind.member, f"{seconds:.0f} s of {instance}", dollars, dollars * runs)
    scanned = [event for event in (*own, *batches) if event["event"] == "cost"]
    queries, read = (sum(event[name] for event in scanned) for name in ("queries", "scanned_bytes"))
    dollars = costs.estimate(spec, [], queries, read)
    yield Line("Athena", f"{queries} queries, {read / 10**6:.0f} MB", dollars, dollars * runs)
    hourly = spec.endpoint_instance_count * costs.hourly(spec.endpoint_instance_type)
    why = f"{spec.endpoint_instance_count} of {spec.endpoint_instance_type}, day and night"
    yield Line("endpoint", why, 0.0, hourly * costs.HOURS)
    yield from _platform(place, pipeline, runs, own)


def _platform(place: Platform, pipeline: str, runs: int, own: Sequence[Event]) -> Iterator[Line]:
    a_month = costs.prices()["month"]
    stored = sum(_bytes(getattr(place, f"{layer}_bucket")) for layer in ("bronze", "silver", "gold", "artifacts"))
    yield Line("S3", f"{stored / 10**6:.0f} MB, as now", 0.0, stored / GIGABYTE * a_month["s3_gigabyte"])
    watched, told = _metrics(_last_run(place, "monitoring", pipeline)), _metrics(own)
    charged = watched + told * min(1.0, runs / costs.HOURS)  # by the hour in which it is sent
    why = f"{watched} that monitoring sends every hour, {told} of a run for its hour"
    yield Line("metrics", why, 0.0, charged * a_month["metric"])
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"silverline-{place.environment}-")
    count = len(alarms["MetricAlarms"])
    yield Line("alarms", f"{count} of the environment's", 0.0, count * a_month["alarm"])
    yield Line("KMS", "one key", 0.0, a_month["kms_key"])


def _mwaa() -> Iterator[Line]:
    an_hour = costs.prices()["hour"]
    yield Line("MWAA", "its smallest class, day and night", 0.0, an_hour["mwaa"] * costs.HOURS)
    network = 2 * ENDPOINTS * an_hour["interface_endpoint"] * costs.HOURS
    yield Line("its network", f"{ENDPOINTS} interface endpoints in two zones", 0.0, network)


def _last_run(place: Platform, dag_id: str, pipeline: str | None = None) -> list[Event]:
    """What the newest run of the DAG that was well has said, of that pipeline where it looks at several."""
    logs = boto3.client("logs")
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=place.log_group, logStreamNamePrefix=f"{dag_id}/"
    )
    names = sorted((stream["logStreamName"] for page in pages for stream in page["logStreams"]), reverse=True)
    for name in names:  # they begin with the time
        said = logs.get_paginator("filter_log_events").paginate(logGroupName=place.log_group, logStreamNames=[name])
        events: list[Event] = [json.loads(event["message"]) for page in said for event in page["events"]]
        if any(event.get("RunsFailed") for event in events):
            continue
        if found := [event for event in events if event["Pipeline"] == (pipeline or event["Pipeline"])]:
            return found
    raise ServiceError(
        f"{dag_id} has no run that was well, by which to tell what one takes: `{make(f'run PIPELINE={dag_id}')}` first"
    )


def _seconds(events: Sequence[Event]) -> Iterator[tuple[Any, float]]:
    """Each kind of job of a run, and how long its jobs took; a tuning job costs what its training jobs cost."""
    for kind in jobs.KINDS:
        seconds = sum(event["seconds"] for event in events if event["event"] == "job" and event["kind"] == kind.member)
        if seconds and kind != jobs.TUNING:
            yield kind, seconds


def _metrics(events: Sequence[Event]) -> int:
    """How many metrics the events are."""
    directives = [directive for event in events for directive in event["_aws"]["CloudWatchMetrics"]]
    return sum(len(directive["Metrics"]) * len(directive["Dimensions"]) for directive in directives)


def _bytes(bucket: str) -> int:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return sum(item["Size"] for page in pages for item in page.get("Contents", []))


def _sum(lines: Sequence[Line]) -> float:
    return sum(line.month for line in lines)
