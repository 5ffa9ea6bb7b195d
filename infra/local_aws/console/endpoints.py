"""SageMaker's endpoints, and a box to ask one."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from werkzeug import Request

from local_aws.console import captured, log_lines, metric_widgets
from local_aws.console.charts import Figure
from local_aws.console.clients import client, region
from local_aws.console.errors import Trouble, trouble_of
from local_aws.console.page import Page
from local_aws.console.ranges import TimeRange

FOLLOW_SECONDS = 10
LOOK_BACK = timedelta(hours=1)
CONTENT_TYPES = ("application/json", "application/jsonlines", "text/csv")
CHARTS = [
    ("Invocations and errors", "Sum", ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")),
    ("Latency, microseconds", "p99", ("ModelLatency", "OverheadLatency")),
]


@dataclass(frozen=True)
class Tried:
    """What came back from InvokeEndpoint, in how many seconds: an answer or a trouble."""

    seconds: float
    body: str = ""
    content_type: str = ""
    variant: str = ""
    status: int = 0
    trouble: Trouble | None = None


def all_endpoints(request: Request) -> Page:
    """The endpoints that there are."""
    return Page("endpoints.html", "Endpoints", {"endpoints": newest()})


def newest() -> list[dict[str, Any]]:
    """ListEndpoints' summaries, the newest first."""
    pages = client("sagemaker").get_paginator("list_endpoints").paginate(SortBy="CreationTime", SortOrder="Descending")
    return [endpoint for page in pages for endpoint in page["Endpoints"]]


def endpoint(request: Request, name: str) -> Page:
    """One endpoint: its variants, configuration, alarms and log; a POST asks it, and shows what it answers."""
    described = client("sagemaker").describe_endpoint(EndpointName=name)
    described.pop("ResponseMetadata")
    config, no_config = _config(described["EndpointConfigName"])
    if request.method == "POST":
        sample = captured.Sample(request.form.get("body", ""), request.form.get("content_type", ""))
        tried = _ask(name, sample.body, sample.content_type)
    else:
        sample, tried = captured.newest(name, config.get("DataCaptureConfig")), None
    values = {
        "name": name,
        "endpoint": described,
        "config": config,
        "no_config": no_config,
        "variants": _variants(described, config),
        "alarms": _alarms(name),
        "log": log_lines.end(f"/aws/sagemaker/Endpoints/{name}"),
        "charts": _charts(name, list(_variants(described, config))),
        "sample": sample,
        "content_types": CONTENT_TYPES,
        "tried": tried,
    }
    return Page("endpoint.html", name, values, refresh=FOLLOW_SECONDS)


def _config(name: str) -> tuple[dict[str, Any], Trouble | None]:
    """The endpoint's configuration; or why it can't be had: it may be deleted, and the endpoint goes on."""
    try:
        config = client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    except ClientError as error:
        return {}, trouble_of(error)
    return {member: value for member, value in config.items() if member != "ResponseMetadata"}, None


def _variants(endpoint: dict[str, Any], config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of each variant what the configuration says of it, and what is so now."""
    found: dict[str, dict[str, Any]] = {}
    for variant in [*config.get("ProductionVariants", []), *endpoint.get("ProductionVariants", [])]:
        found.setdefault(variant["VariantName"], {}).update(variant)
    return found


def _ask(name: str, body: str, content_type: str) -> Tried:
    """InvokeEndpoint's answer; a browser's form ends lines as CR LF, which nobody typed."""
    runtime, sent = client("sagemaker-runtime"), body.replace("\r\n", "\n").encode()
    began = time.monotonic()
    try:
        answer = runtime.invoke_endpoint(EndpointName=name, Body=sent, ContentType=content_type)
        told = answer["Body"].read().decode("utf-8", "backslashreplace")
    except (ClientError, BotoCoreError) as error:
        return Tried(time.monotonic() - began, trouble=trouble_of(error))
    return Tried(
        time.monotonic() - began,
        told,
        answer.get("ContentType", ""),
        answer.get("InvokedProductionVariant", ""),
        answer["ResponseMetadata"]["HTTPStatusCode"],
    )


def _alarms(name: str) -> list[tuple[str, dict[str, Any]]]:
    """The alarms on a metric of this endpoint, by name."""
    pages = client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    wanted = {"Name": "EndpointName", "Value": name}
    found = []
    for alarm in (alarm for page in pages for alarm in page["MetricAlarms"]):
        of_metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        if any(wanted in metric.get("Dimensions", []) for metric in [alarm, *of_metrics]):
            found.append((alarm["AlarmName"], alarm))
    return found


def _charts(name: str, variants: list[str]) -> list[tuple[str, Figure]]:
    """What CloudWatch has measured in the last hour, of each variant."""
    now = datetime.now(UTC)
    found = []
    for title, stat, metrics in CHARTS:
        entries = [
            ["AWS/SageMaker", metric, "EndpointName", name, "VariantName", variant]
            for variant in variants
            for metric in metrics
        ]
        properties = {"metrics": entries, "stat": stat, "period": 60}
        drawn = metric_widgets.drawn(properties, TimeRange(now - LOOK_BACK, now, "1h"), region())
        found.append((title, drawn.content))
    return found
