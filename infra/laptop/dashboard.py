"""The environment's dashboard, of the files that Terraform fills in, too."""

import json
from collections.abc import Iterable
from string import Template
from typing import Any

import boto3
import yaml

from laptop import services, terraformed
from laptop.settings import LOCAL, REGION, REPOSITORY, Settings, make

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


def require(settings: Settings, environment: str) -> None:
    """Return where the dashboard is there; ServiceError, or Refused, with what to do where it or local AWS is not."""
    if environment != LOCAL:
        terraformed.document(settings)
    cloudwatch = boto3.client("cloudwatch")
    name = f"silverline-{environment}"
    if name not in [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]]:
        lays = f"`{make('run')}`" if environment == LOCAL else "Terraform, with the platform,"
        raise services.ServiceError(f"there is no dashboard {name} at {settings.aws_url}: {lays} lays it")


def _filled(name: str, values: dict[str, str]) -> list[Any]:
    widgets: list[Any] = yaml.safe_load(Template((FOLDER / name).read_text()).substitute(values))
    return widgets
