"""What a job's processes use of this machine, as CloudWatch has it of SageMaker's instances."""

import contextlib
import time
from datetime import UTC, datetime
from typing import Any

import psutil

from local_aws.sagemaker.logs import send_metrics

SAMPLE_SECONDS = 0.5
PUBLISH_SECONDS = 60.0  # as often as AWS does


class Usage:
    """CPUUtilization (100 for each core that is busy) and MemoryUtilization of a container's processes."""

    def __init__(self, client: Any, namespace: str, host: str) -> None:
        self._client, self._namespace, self._host = client, namespace, host
        self._published = self._sampled = time.monotonic()
        self._cpu_seconds = 0.0
        self._samples: list[tuple[float, float]] = []

    def sample(self, pid: int) -> None:
        """Look at `pid` and the processes below it, unless that has just been done; the means of a minute go to
        CloudWatch."""
        now = time.monotonic()
        elapsed = now - self._sampled
        if self._samples and elapsed < SAMPLE_SECONDS:  # the first look is at once: some jobs are that short
            return
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            first = psutil.Process(pid)
            family = [first, *first.children(recursive=True)]
            cpu_seconds = memory = 0.0
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    cpu_seconds += times.user + times.system + times.children_user + times.children_system
                    memory += process.memory_percent()
            self._samples.append((100 * max(0.0, cpu_seconds - self._cpu_seconds) / elapsed, memory))
            self._cpu_seconds = cpu_seconds
        self._sampled = now
        if now - self._published >= PUBLISH_SECONDS:
            self.publish()

    def publish(self) -> None:
        """Put the means of what has been seen since the last time into CloudWatch."""
        self._published = time.monotonic()
        if not self._samples:
            return
        means = (sum(values) / len(self._samples) for values in zip(*self._samples, strict=True))
        data = [
            {
                "MetricName": name,
                "Value": mean,
                "Unit": "Percent",
                "Timestamp": datetime.now(UTC),
                "Dimensions": [{"Name": "Host", "Value": self._host}],
            }
            for name, mean in zip(("CPUUtilization", "MemoryUtilization"), means, strict=True)
        ]
        self._samples.clear()
        send_metrics(self._client, self._namespace, data)
