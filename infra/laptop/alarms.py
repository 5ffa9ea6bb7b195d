"""The alarms that take a new model back while it is rolled out, as infra/terraform/alarms.tf has them."""

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


def create_or_update(prefix: str, endpoint: str) -> list[str]:
    """The names of the endpoint's alarms, which are there then."""
    names = {f"{prefix}-{endpoint}-canary-{kind}": kind for kind in KINDS}
    for name, kind in names.items():
        boto3.client("cloudwatch").put_metric_alarm(AlarmName=name, **canary_alarm(endpoint, kind))
    return list(names)
