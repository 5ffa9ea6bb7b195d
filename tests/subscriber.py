"""A subscriber to the topic on which the platform speaks."""

import json
from typing import Any

import boto3


class Subscriber:
    """A queue that gets what is published to the topic."""

    def __init__(self, topic: str, name: str) -> None:
        self._sqs: Any = boto3.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def messages(self) -> dict[str, str]:
        """Text by subject of what has come since the last look; AssertionError where a subject came twice."""
        found: dict[str, str] = {}
        while got := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                body = json.loads(message["Body"])
                assert body["Subject"] not in found, f"{body['Subject']} came twice"
                found[body["Subject"]] = body["Message"]
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found
