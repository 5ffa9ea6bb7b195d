"""The environment's dashboard, of the files that Terraform fills in, too."""

import json
from collections.abc import Iterable
from string import Template
from typing import Any

import boto3
import yaml

from laptop.settings import REGION, REPOSITORY

FOLDER = REPOSITORY / "infra" / "terraform" / "dashboard"


def body(environment: str, pipelines: Iterable[str], alarms: list[str]) -> dict[str, Any]:
    """What PutDashboard takes, before it is made a text; `alarms` are ARNs. KeyError where a file wants to have filled
    in what nobody knows.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
    values = {
        "environment": environment,
        "region": REGION,
        "prefix": f"silverline-{environment}",
        "namespace": f"Silverline/{environment}",
        "alarms": json.dumps(alarms),
    }
    widgets = _filled("platform.yaml", values)
    for pipeline in sorted(pipelines):
        widgets += _filled("pipeline.yaml", {**values, "pipeline": pipeline, "endpoint": pipeline.replace("_", "-")})
    return {"widgets": widgets}


def put(environment: str, pipelines: Iterable[str], alarms: list[str]) -> None:
    """Lay the dashboard `silverline-<environment>`, in the place of one that is there; `alarms` are names."""
    cloudwatch = boto3.client("cloudwatch")
    described = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
    arns = [alarm["AlarmArn"] for alarm in described]
    text = json.dumps(body(environment, pipelines, arns))
    cloudwatch.put_dashboard(DashboardName=f"silverline-{environment}", DashboardBody=text)


def _filled(name: str, values: dict[str, str]) -> list[Any]:
    widgets: list[Any] = yaml.safe_load(Template((FOLDER / name).read_text()).substitute(values))
    return widgets
