"""Requests and looks that the CloudWatch tests share."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from sagemaker_requests import eventually

PERIOD = 10  # the shortest of an alarm's


class Queue:
    """An SQS queue whose messages are JSON documents."""

    def __init__(self) -> None:
        self.name = f"queue-{uuid.uuid4().hex[:8]}"
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{self.name}"
        self.sqs: Any = boto3.client("sqs")
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]

    def documents(self, count: int = 1) -> list[dict[str, Any]]:
        """The next `count` documents."""
        found: list[dict[str, Any]] = []

        def look() -> int:
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return len(found)

        eventually(look, lambda seen: seen >= count)
        return found


class Topic:
    """An SNS topic with an SQS queue that shows what was published to it."""

    def __init__(self) -> None:
        self.queue = Queue()
        sns: Any = boto3.client("sns")
        self.arn: str = sns.create_topic(Name=self.queue.name)["TopicArn"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=self.queue.arn)

    def messages(self, count: int = 1) -> list[dict[str, Any]]:
        """The next `count` messages, each CloudWatch's document with the notification's Subject."""
        return [
            {**json.loads(envelope["Message"]), "Subject": envelope["Subject"]}
            for envelope in self.queue.documents(count)
        ]


def metric_alarm(name: str, **changes: Any) -> dict[str, Any]:
    """A PutMetricAlarm request on the metric `name` of namespace Tests: above 10 in one period of ten seconds."""
    return {
        "AlarmName": name,
        "Namespace": "Tests",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": PERIOD,
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }


def ended_period(ago: int = 1) -> datetime:
    """A time in the `ago`th of the ten-second periods that have ended."""
    return datetime.now(UTC) - timedelta(seconds=PERIOD * ago + 3)


def put(cloudwatch: Any, name: str, value: float, ago: int = 1) -> None:
    """Put a value into the metric `name` of namespace Tests, in a period that has ended."""
    datum = {"MetricName": name, "Value": value, "Timestamp": ended_period(ago)}
    cloudwatch.put_metric_data(Namespace="Tests", MetricData=[datum])


def alarm_in(cloudwatch: Any, name: str, state: str) -> dict[str, Any]:
    """The alarm, metric or composite, once it is in the state."""
    kinds = ["MetricAlarm", "CompositeAlarm"]

    def look() -> dict[str, Any]:
        answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
        return dict([*answer["MetricAlarms"], *answer["CompositeAlarms"]][0])

    return dict(eventually(look, lambda alarm: alarm["StateValue"] == state))


def history(cloudwatch: Any, name: str, count: int) -> list[dict[str, Any]]:
    """The items of an alarm's history, oldest first, once there are `count`."""
    request = {"AlarmName": name, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "ScanBy": "TimestampAscending"}
    return list(
        eventually(
            lambda: cloudwatch.describe_alarm_history(**request)["AlarmHistoryItems"],
            lambda items: len(items) >= count,
        )
    )


def error(call: Any, **request: Any) -> tuple[str, str]:
    """The code and the message of the refusal that a client's method gets."""
    try:
        answer = call(**request)
    except Exception as refusal:
        response = getattr(refusal, "response", None)
        assert response, repr(refusal)
        return response["Error"]["Code"], response["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")


def expression_alarm(name: str, expression: str, **changes: Any) -> dict[str, Any]:
    """A PutMetricAlarm request above 10 on an expression over the metrics NAME-errors and NAME-requests."""
    metrics = [
        {
            "Id": metric,
            "MetricStat": {
                "Metric": {"Namespace": "Tests", "MetricName": f"{name}-{metric}"},
                "Period": PERIOD,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for metric in ("errors", "requests")
    ]
    return {
        "AlarmName": name,
        "Metrics": [{"Id": "rate", "Expression": expression}, *metrics],
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }
