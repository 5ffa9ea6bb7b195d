"""What SageMaker writes to CloudWatch for a container: its output, and the metrics found in it."""

import contextlib
import logging
import math
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.buffer import Buffer

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
LINES_PER_CALL = 1000
LONGEST_LINE = 200_000


class LogStream:
    """A CloudWatch Logs stream that gets lines soon after they are written; as on AWS, what the client's role may not
    write is lost, and nothing else fails."""

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self.group, self.stream = group, stream
        self._client = client
        try:
            self._create()
        except client.exceptions.ResourceAlreadyExistsException:
            pass
        except ClientError as error:
            logger.warning("log stream %s in %s was not made: %s", stream, group, error)
        self._buffer = Buffer(f"logs {stream}", self._send, FLUSH_SECONDS)

    def _create(self) -> None:
        """Make the stream, and where there is no such group, that too."""
        exceptions = self._client.exceptions
        try:
            self._client.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        except exceptions.ResourceNotFoundException:
            with contextlib.suppress(exceptions.ResourceAlreadyExistsException):  # another job has just made it
                self._client.create_log_group(logGroupName=self.group)
            self._client.create_log_stream(logGroupName=self.group, logStreamName=self.stream)

    def write(self, line: str) -> None:
        """Add one line; it is in CloudWatch within a second."""
        self._buffer.add({"timestamp": int(time.time() * 1000), "message": line[:LONGEST_LINE] or " "})

    def close(self) -> None:
        """Send what is left."""
        self._buffer.close()

    def _send(self, events: list[dict[str, Any]]) -> None:
        events.sort(key=lambda event: event["timestamp"])
        for start in range(0, len(events), LINES_PER_CALL):
            lines = events[start : start + LINES_PER_CALL]
            try:
                self._client.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=lines)
            except (ClientError, BotoCoreError) as error:  # as on AWS, a job goes on where its role may not write logs
                where = f"log stream {self.stream} in {self.group}"
                logger.warning("%d lines of %s were lost: %s", len(lines), where, error)


class Metrics:
    """The values that MetricDefinitions' regular expressions find in a job's output."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._found: list[dict[str, Any]] = []  # appended to by two threads at most, which needs no lock

    def read(self, line: str) -> None:
        """Note every metric that `line` holds; what is no finite number is left alone, as CloudWatch takes none."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line):
                try:
                    value = float(match.group(1) if pattern.groups else match.group())
                except ValueError:
                    continue
                if not math.isfinite(value):
                    continue
                self._found.append({"MetricName": name, "Value": value, "Timestamp": datetime.now(UTC)})

    def final(self) -> list[dict[str, Any]]:
        """DescribeTrainingJob's FinalMetricDataList: the last value of each metric."""
        return list({found["MetricName"]: found for found in list(self._found)}.values())

    def values(self, name: str) -> list[float]:
        """Every value of the metric so far, in order."""
        return [found["Value"] for found in list(self._found) if found["MetricName"] == name]

    def publish(self, client: Any, job_name: str) -> None:
        """Send every value to CloudWatch, as AWS does under /aws/sagemaker/TrainingJobs."""
        dimensions = [{"Name": "TrainingJobName", "Value": job_name}]
        data = [{**found, "Dimensions": dimensions} for found in self._found]
        for start in range(0, len(data), 500):
            send_metrics(client, "/aws/sagemaker/TrainingJobs", data[start : start + 500])


def send_metrics(client: Any, namespace: str, data: list[dict[str, Any]]) -> None:
    """Put values into CloudWatch; as on AWS, a job or an endpoint goes on where its role may not."""
    try:
        client.put_metric_data(Namespace=namespace, MetricData=data)
    except (ClientError, BotoCoreError) as error:
        logger.warning("%d values of metrics in %s were lost: %s", len(data), namespace, error)
