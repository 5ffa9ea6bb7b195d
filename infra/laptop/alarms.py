"""The alarms that take a new model back while it is rolled out, and those of what monitoring has found, as
infra/terraform/alarms.tf has them."""

from collections.abc import Mapping
from typing import Any

import boto3

# Local AWS counts every five seconds what SageMaker counts every minute, and its alarms may look every ten: a canary
# need not be watched for longer than they take.
PERIOD_SECONDS, CANARY_SECONDS = 10, 20
KINDS: dict[str, dict[str, Any]] = {
    "5xx": {"MetricName": "Invocation5XXErrors", "Statistic": "Sum", "Threshold": 1.0},
    "latency": {
        "MetricName": "ModelLatency",
        "ExtendedStatistic": "p99",
        "EvaluateLowSampleCountPercentile": "ignore",
        "Threshold": 1_000_000.0,
    },
}

CHECKS = ("bronze", "orphans", "silver", "endpoint", "traffic", "scores", "quality")


def canary_alarm(endpoint: str, kind: str) -> dict[str, Any]:
    """PutMetricAlarm without a name."""
    dimensions = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
    return {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Period": PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **KINDS[kind],
    }


def finding_alarm(environment: str, pipeline: str, check: str) -> dict[str, Any]:
    """PutMetricAlarm without a name: whether monitoring has found a check of the pipeline not well."""
    dimensions = {"Environment": environment, "Pipeline": pipeline, "Check": check}
    return {
        "Namespace": "Silverline",
        "MetricName": "Findings",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
    }


def create_or_update(prefix: str, endpoint: str) -> list[str]:
    """The names of the endpoint's canary alarms, which are there then."""
    return _put({f"{prefix}-{endpoint}-canary-{kind}": canary_alarm(endpoint, kind) for kind in KINDS})


def watch(prefix: str, environment: str, pipeline: str) -> list[str]:
    """The names of the alarms of what monitoring has found wrong with the pipeline, which are there then."""
    name = pipeline.replace("_", "-")
    return _put({f"{prefix}-{name}-{check}": finding_alarm(environment, pipeline, check) for check in CHECKS})


def _put(alarms: Mapping[str, dict[str, Any]]) -> list[str]:
    cloudwatch = boto3.client("cloudwatch")
    for name, alarm in alarms.items():
        cloudwatch.put_metric_alarm(AlarmName=name, **alarm)
    return list(alarms)
