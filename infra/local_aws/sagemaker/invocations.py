"""What SageMaker counts of a variant's invocations, for CloudWatch's AWS/SageMaker namespace."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any

from local_aws.sagemaker.buffer import Buffer
from local_aws.sagemaker.logs import send_metrics

NAMESPACE = "AWS/SageMaker"
FLUSH_SECONDS = 5.0
MOST_VALUES = 50  # of one metric in one flush


@dataclass(frozen=True)
class Invocation:
    """An invocation's status (0: the container gave none), what its model took, and what everything else took."""

    status: int
    model_seconds: float
    overhead_seconds: float


class Invocations:
    """Counts a variant's answers, and sends the counts to CloudWatch every few seconds while there are any."""

    def __init__(
        self,
        client: Any,
        endpoint_name: str,
        variant_name: str,
        instance_count: Callable[[], int],
    ) -> None:
        self._client = client
        self._instance_count = instance_count
        self._dimensions = [
            {"Name": "EndpointName", "Value": endpoint_name},
            {"Name": "VariantName", "Value": variant_name},
        ]
        self._buffer = Buffer[Invocation](f"metrics {variant_name}", self._send, FLUSH_SECONDS)

    def count(self, invocation: Invocation) -> None:
        """Count one answer."""
        self._buffer.add(invocation)

    def close(self) -> None:
        """Send what is left."""
        self._buffer.close()

    def _send(self, invocations: list[Invocation]) -> None:
        send_metrics(self._client, NAMESPACE, self._summary(invocations))

    def _summary(self, invocations: list[Invocation]) -> list[dict[str, Any]]:
        """The values of each metric, of which AWS knows percentiles too: counts are sums of ones and noughts."""
        count = len(invocations)
        statuses = [invocation.status for invocation in invocations]
        values = {
            "Invocations": ([1.0] * count, "None"),
            "InvocationsPerInstance": ([1 / max(self._instance_count(), 1)] * count, "None"),
            "Invocation4XXErrors": ([float(400 <= status < 500) for status in statuses], "None"),
            "Invocation5XXErrors": ([float(status >= 500 or not status) for status in statuses], "None"),
            "InvocationModelErrors": ([float(not 200 <= status < 300) for status in statuses], "None"),
            "ModelLatency": ([invocation.model_seconds * 1e6 for invocation in invocations], "Microseconds"),
            "OverheadLatency": ([invocation.overhead_seconds * 1e6 for invocation in invocations], "Microseconds"),
        }
        return [
            {"MetricName": name, "Dimensions": self._dimensions, "Unit": unit, **condense(found)}
            for name, (found, unit) in values.items()
        ]


def condense(values: Sequence[float]) -> dict[str, list[float]]:
    """Values and Counts of a MetricDatum, few however many the values are: least, greatest, sum and number stay what
    they are, percentiles nearly so."""
    counted = Counter(values)
    if len(counted) <= MOST_VALUES:
        return {"Values": list(counted), "Counts": [float(count) for count in counted.values()]}
    least, *between, greatest = sorted(values)
    ends = [len(between) * number // (MOST_VALUES - 2) for number in range(MOST_VALUES - 1)]
    groups = [[least], *(between[start:end] for start, end in pairwise(ends)), [greatest]]
    return {"Values": [fmean(group) for group in groups], "Counts": [float(len(group)) for group in groups]}
