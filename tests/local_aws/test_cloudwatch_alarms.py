"""CloudWatch alarms, as boto3 sees them: they evaluate on what arrives, change state, and publish to SNS."""

import json
from typing import Any

import boto3
import pytest
from cloudwatch_requests import Topic, alarm_in, history, metric_alarm, put


@pytest.fixture(scope="module")
def cloudwatch(local_aws: object) -> Any:
    return boto3.client("cloudwatch")


@pytest.fixture(scope="module")
def topic(local_aws: object) -> Topic:
    return Topic()


def test_a_value_above_the_threshold_sets_the_alarm_off_and_is_published(cloudwatch: Any, topic: Topic) -> None:
    cloudwatch.put_metric_alarm(**metric_alarm("above", AlarmActions=[topic.arn]))
    put(cloudwatch, "above", 12)

    alarm = alarm_in(cloudwatch, "above", "ALARM")
    message = topic.messages()[0]

    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [12.0 (")
    assert alarm["StateReason"].endswith(
        ")] was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [12.0]
    assert message["Subject"] == 'ALARM: "above" in US East (N. Virginia)'
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert message["NewStateReason"] == alarm["StateReason"]
    assert message["Trigger"]["MetricName"] == "above"


def test_history_tells_what_was_configured_entered_and_done(cloudwatch: Any, topic: Topic) -> None:
    cloudwatch.put_metric_alarm(**metric_alarm("told", OKActions=[topic.arn]))
    put(cloudwatch, "told", 1)
    alarm_in(cloudwatch, "told", "OK")
    topic.messages()

    items = history(cloudwatch, "told", 3)

    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("ConfigurationUpdate", 'Alarm "told" created'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to OK"),
        ("Action", f"Successfully executed action {topic.arn}"),
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateValue"] == "OK"


def test_an_action_on_anything_but_a_topic_is_noted_as_not_carried_out(cloudwatch: Any) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:page"
    cloudwatch.put_metric_alarm(**metric_alarm("elsewhere", OKActions=[function]))
    cloudwatch.set_alarm_state(AlarmName="elsewhere", StateValue="OK", StateReason="by hand")

    item = history(cloudwatch, "elsewhere", 3)[2]

    assert item["HistorySummary"].startswith(f"Failed to execute action {function}. Received error: ")
    assert "local AWS carries out actions on SNS topics only" in item["HistoryData"]
