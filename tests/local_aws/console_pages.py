"""What the tests of local AWS' pages share: pages as a browser gets them, and dashboards to look at."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import boto3
import requests

INVOCATIONS = ["AWS/SageMaker", "Invocations", "EndpointName", "e", "VariantName", "AllTraffic"]


class Pages:
    """The pages of the local AWS at `url`, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, expected: int = 200, **arguments: str) -> str:
        """The HTML of a page that answers with that status."""
        answer = requests.get(self.url + path, params=arguments, timeout=60)
        assert answer.status_code == expected, answer.text
        return answer.text

    def post(self, path: str, origin: str | None = None, **form: str) -> requests.Response:
        """The answer to a form, sent as by one of the pages themselves, or from elsewhere."""
        headers = {"Origin": self.url if origin is None else origin}
        return requests.post(self.url + path, form, headers=headers, timeout=60, allow_redirects=False)


def shown(html: str) -> str:
    """What is to be read on a page, a space for each tag, as the browser decodes it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def figures(html: str) -> list[dict[str, Any]]:
    """The figures that a page has plotly draw."""
    return [json.loads(unescape(text)) for text in re.findall(r'data-figure="([^"]*)"', html)]


def put_metric(namespace: str, name: str, values: list[float], minutes: int = 5, **dimensions: str) -> None:
    """A value in each of the last whole periods of so many minutes, oldest first."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    first = now - timedelta(minutes=now.minute % minutes) - timedelta(minutes=minutes * len(values))
    data = [
        {
            "MetricName": name,
            "Value": value,
            "Timestamp": first + timedelta(minutes=minutes * number),
            "Dimensions": [{"Name": dimension, "Value": of} for dimension, of in dimensions.items()],
        }
        for number, value in enumerate(values)
    ]
    cloudwatch: Any = boto3.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def put_dashboard(*widgets: Any, **members: Any) -> str:
    """The name of a new dashboard with these widgets."""
    name = f"dashboard-{uuid.uuid4().hex[:8]}"
    put_body(name, json.dumps({"widgets": widgets, **members}))
    return name


def put_body(name: str, body: str) -> None:
    """A dashboard whose body may be anything."""
    boto3.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)


def metric(*metrics: Any, **properties: Any) -> dict[str, Any]:
    """A metric widget."""
    return {"type": "metric", "width": 12, "height": 6, "properties": {"metrics": list(metrics), **properties}}
