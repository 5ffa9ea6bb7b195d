"""EventBridge where moto does otherwise than AWS."""

import json
from typing import Any

import boto3
from cloudwatch_requests import Queue, Topic


def rule(name: str, *targets: str) -> Any:
    """EventBridge, with a rule of that name for events of that source."""
    events: Any = boto3.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": str(n), "Arn": arn} for n, arn in enumerate(targets)])
    return events


def entry(source: str, **detail: Any) -> dict[str, Any]:
    return {"Source": source, "DetailType": "test", "Detail": json.dumps(detail)}


def test_a_topic_gets_the_events_of_a_rule_whatever_its_other_targets(local_aws: object) -> None:
    topic = Topic()
    events = rule("to-a-topic", "arn:aws:lambda:us-east-1:123456789012:function:nobody", topic.arn)
    assert events.put_events(Entries=[entry("to-a-topic", n=1)])["FailedEntryCount"] == 0
    document = topic.queue.documents()[0]
    event = json.loads(document["Message"])
    assert (event["source"], event["account"], event["detail"]) == ("to-a-topic", "123456789012", {"n": 1})


def test_a_disabled_rule_sends_nothing(local_aws: object) -> None:
    queue = Queue()
    events = rule("disabled", queue.arn)
    events.disable_rule(Name="disabled")
    events.put_events(Entries=[entry("disabled", n=1)])
    events.enable_rule(Name="disabled")
    events.put_events(Entries=[entry("disabled", n=2)])
    assert [event["detail"] for event in queue.documents()] == [{"n": 2}]
