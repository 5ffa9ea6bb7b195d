"""What SageMaker counts of a variant's invocations, for CloudWatch's AWS/SageMaker namespace."""

import threading
import time
from typing import Any

from local_aws.sagemaker.logs import send_metrics

NAMESPACE = "AWS/SageMaker"
FLUSH_SECONDS = 10.0


class Invocations:
    """Counts a variant's answers, and sends the counts to CloudWatch every few seconds while there are any."""

    def __init__(self, client: Any, endpoint_name: str, variant_name: str) -> None:
        self._client = client
        self._dimensions = [
            {"Name": "EndpointName", "Value": endpoint_name},
            {"Name": "VariantName", "Value": variant_name},
        ]
        self._answers: list[tuple[int, float]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._flush_regularly, name=f"metrics {variant_name}", daemon=True)
        self._thread.start()

    def count(self, status: int, started: float) -> None:
        """Count the answer, with HTTP `status` (0: there was none), to a request sent at monotonic time `started`."""
        microseconds = (time.monotonic() - started) * 1e6
        with self._lock:
            self._answers.append((status, microseconds))

    def close(self) -> None:
        """Send what is left."""
        self._closing.set()
        self._thread.join()

    def _flush_regularly(self) -> None:
        last = False
        while not last:
            last = self._closing.wait(FLUSH_SECONDS)
            with self._lock:
                answers, self._answers = self._answers, []
            if answers:
                send_metrics(self._client, NAMESPACE, self._summary(answers))

    def _summary(self, answers: list[tuple[int, float]]) -> list[dict[str, Any]]:
        """One StatisticSet for each metric, as AWS has them: counts are sums of ones and noughts."""
        client_errors = [float(400 <= status < 500) for status, _ in answers]
        server_errors = [float(status >= 500 or not status) for status, _ in answers]
        values = {
            "Invocations": ([1.0] * len(answers), "None"),
            "Invocation4XXErrors": (client_errors, "None"),
            "Invocation5XXErrors": (server_errors, "None"),
            "ModelLatency": ([microseconds for _, microseconds in answers], "Microseconds"),
        }
        return [
            {
                "MetricName": name,
                "Dimensions": self._dimensions,
                "Unit": unit,
                "StatisticValues": {
                    "SampleCount": len(found),
                    "Sum": sum(found),
                    "Minimum": min(found),
                    "Maximum": max(found),
                },
            }
            for name, (found, unit) in values.items()
        ]
