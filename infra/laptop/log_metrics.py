"""The metrics that are counted in logs, as infra/terraform/logs.tf has them: the dashboard shows them."""

from collections.abc import Iterable
from typing import Any

import boto3

PATTERN = '"Traceback (most recent call last)"'


def filters(environment: str, pipelines: Iterable[str]) -> list[dict[str, Any]]:
    """PutMetricFilter requests: exceptions that nobody caught, in the logs of jobs and of each pipeline's endpoint."""
    groups = {kind.lower(): f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing", "Transform")}
    names = [pipeline.replace("_", "-") for pipeline in pipelines]
    groups |= {f"endpoint-{name}": f"/aws/sagemaker/Endpoints/{name}" for name in names}
    return [
        {
            "filterName": f"silverline-{environment}-{key}-errors",
            "logGroupName": group,
            "filterPattern": PATTERN,
            "metricTransformations": [
                {
                    "metricNamespace": f"Silverline/{environment}",
                    "metricName": f"{key}-errors",
                    "metricValue": "1",
                    "defaultValue": 0.0,
                    "unit": "Count",
                }
            ],
        }
        for key, group in groups.items()
    ]


def create_or_update(environment: str, pipelines: Iterable[str]) -> None:
    """Let CloudWatch Logs count them, in log groups that are there then."""
    logs: Any = boto3.client("logs")
    for request in filters(environment, pipelines):
        create_log_group(logs, request["logGroupName"])
        logs.put_metric_filter(**request)


def create_log_group(logs: Any, name: str) -> str:
    """The group's name, which is there then."""
    try:
        logs.create_log_group(logGroupName=name)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass  # SageMaker has made it, or an earlier start
    return name
