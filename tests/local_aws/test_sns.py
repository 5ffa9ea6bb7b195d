"""SNS where moto does otherwise than AWS."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cloudwatch_requests import Topic, alarm_in, metric_alarm, put
from sagemaker_requests import eventually


@pytest.fixture
def received() -> Iterator[tuple[str, list[Any]]]:
    """The URL of an HTTP endpoint, and the documents it has got."""
    documents: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            documents.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", documents
    server.shutdown()
    server.server_close()


def test_a_subscriber_that_is_not_there_keeps_the_message_from_nobody(
    local_aws: object, received: tuple[str, list[Any]]
) -> None:
    sns: Any = boto3.client("sns")
    topic = sns.create_topic(Name="one-is-not-there")["TopicArn"]
    for endpoint in ("http://127.0.0.1:1/", received[0]):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    assert sns.publish(TopicArn=topic, Message="hello")["MessageId"]
    assert [document["Message"] for document in received[1]] == ["hello"]


def test_an_http_endpoint_hears_of_an_alarm(local_aws: object, received: tuple[str, list[Any]]) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    topic = Topic()
    boto3.client("sns").subscribe(TopicArn=topic.arn, Protocol="http", Endpoint=received[0])
    cloudwatch.put_metric_alarm(**metric_alarm("posted", AlarmActions=[topic.arn]))
    put(cloudwatch, "posted", 12)
    alarm_in(cloudwatch, "posted", "ALARM")
    documents = eventually(lambda: received[1], lambda found: found)
    assert json.loads(documents[0]["Message"])["AlarmName"] == "posted"
