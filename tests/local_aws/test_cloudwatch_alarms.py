"""CloudWatch alarms, as boto3 sees them: they evaluate on what arrives, change state, and publish to SNS."""

import json
from typing import Any

import boto3
import pytest
from cloudwatch_requests import Queue, Topic, alarm_in, ended_period, expression_alarm, history, metric_alarm, put

KEEPS_ITS_STATE = {"TreatMissingData": "ignore"}  # until there is data


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

    items = history(cloudwatch, "told", 3)[:3]

    assert [(item["HistoryItemType"], item["HistorySummary"]) for item in items] == [
        ("ConfigurationUpdate", 'Alarm "told" created'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to OK"),
        ("Action", f"Successfully executed action {topic.arn}"),
    ]
    assert json.loads(items[1]["HistoryData"])["newState"]["stateValue"] == "OK"


def test_an_action_on_anything_but_a_topic_is_noted_as_not_carried_out(cloudwatch: Any) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:page"
    cloudwatch.put_metric_alarm(**metric_alarm("elsewhere", **KEEPS_ITS_STATE, OKActions=[function]))
    cloudwatch.set_alarm_state(AlarmName="elsewhere", StateValue="OK", StateReason="by hand")

    item = history(cloudwatch, "elsewhere", 3)[2]

    assert item["HistorySummary"].startswith(f"Failed to execute action {function}. Received error: ")
    assert "local AWS carries out actions on SNS topics only" in item["HistoryData"]


def test_an_alarm_set_by_hand_acts_and_is_put_right_at_its_next_evaluation(cloudwatch: Any, topic: Topic) -> None:
    cloudwatch.put_metric_alarm(**metric_alarm("by-hand", AlarmActions=[topic.arn]))
    put(cloudwatch, "by-hand", 1)
    alarm_in(cloudwatch, "by-hand", "OK")

    cloudwatch.set_alarm_state(AlarmName="by-hand", StateValue="ALARM", StateReason="to see the page")
    message = topic.messages()[0]
    put(cloudwatch, "by-hand", 2)

    assert (message["OldStateValue"], message["NewStateReason"]) == ("OK", "to see the page")
    assert alarm_in(cloudwatch, "by-hand", "OK")["StateReason"].startswith("Threshold Crossed: 1 out of the last 1")


def test_an_alarm_whose_actions_are_disabled_changes_state_only(cloudwatch: Any) -> None:
    topic = Topic()
    cloudwatch.put_metric_alarm(
        **metric_alarm("quiet", **KEEPS_ITS_STATE, OKActions=[topic.arn], AlarmActions=[topic.arn])
    )
    cloudwatch.disable_alarm_actions(AlarmNames=["quiet"])
    cloudwatch.set_alarm_state(AlarmName="quiet", StateValue="OK", StateReason="unheard")
    assert cloudwatch.describe_alarms(AlarmNames=["quiet"])["MetricAlarms"][0]["ActionsEnabled"] is False

    cloudwatch.enable_alarm_actions(AlarmNames=["quiet"])
    cloudwatch.set_alarm_state(AlarmName="quiet", StateValue="ALARM", StateReason="heard")

    assert [message["NewStateReason"] for message in topic.messages()] == ["heard"]


def test_data_before_the_alarm_and_only_with_its_unit_and_dimensions_counts(cloudwatch: Any) -> None:
    ours = [{"Name": "Endpoint", "Value": "ours"}]
    for own, unit, value in ((ours, "Seconds", 11), (ours, "Count", 1), ([], "Seconds", 1)):
        datum = {"MetricName": "narrow", "Dimensions": own, "Unit": unit, "Value": value, "Timestamp": ended_period()}
        cloudwatch.put_metric_data(Namespace="Tests", MetricData=[datum])

    cloudwatch.put_metric_alarm(**metric_alarm("narrow", Dimensions=ours, Unit="Seconds", Statistic="Minimum"))

    alarm_in(cloudwatch, "narrow", "ALARM")


def test_an_alarm_on_an_expression_evaluates_it(cloudwatch: Any, topic: Topic) -> None:
    cloudwatch.put_metric_alarm(**expression_alarm("rate", "100 * errors / requests", AlarmActions=[topic.arn]))
    for ago in (1, 2):
        put(cloudwatch, "rate-errors", 2, ago)
        put(cloudwatch, "rate-requests", 10, ago)

    alarm = alarm_in(cloudwatch, "rate", "ALARM")
    trigger = topic.messages()[0]["Trigger"]

    assert "[20.0 (" in alarm["StateReason"]
    assert [query["Id"] for query in trigger["Metrics"]] == ["rate", "errors", "requests"]
    assert "MetricName" not in alarm


def test_an_alarm_on_a_percentile_of_few_samples_can_ignore_it(cloudwatch: Any) -> None:
    percentile = {"ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": "ignore"}
    alarm = {name: value for name, value in metric_alarm("few").items() if name != "Statistic"}
    cloudwatch.put_metric_alarm(**alarm, **percentile)
    datum = {"MetricName": "few", "Timestamp": ended_period()}

    cloudwatch.put_metric_data(Namespace="Tests", MetricData=[{**datum, "Values": [1, 20], "Counts": [20, 20]}])
    cloudwatch.put_metric_alarm(**metric_alarm("evaluated", MetricName="few"))
    alarm_in(cloudwatch, "evaluated", "ALARM")
    assert cloudwatch.describe_alarms(AlarmNames=["few"])["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"

    cloudwatch.put_metric_data(Namespace="Tests", MetricData=[{**datum, "Values": [20], "Counts": [80]}])
    alarm_in(cloudwatch, "few", "ALARM")


def test_a_composite_alarm_follows_its_children_and_tells_which(cloudwatch: Any, topic: Topic) -> None:
    for child in ("cpu", "disk"):
        cloudwatch.put_metric_alarm(**metric_alarm(child))
    rule = "ALARM(cpu) AND NOT ALARM(disk)"
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule, AlarmActions=[topic.arn], OKActions=[topic.arn])
    created = alarm_in(cloudwatch, "both", "OK")
    assert created["StateReason"] == f"{created['AlarmArn']} was created and its alarm rule evaluates to OK"

    put(cloudwatch, "cpu", 12)
    alarm = alarm_in(cloudwatch, "both", "ALARM")
    messages = topic.messages(2)

    cpu = alarm_in(cloudwatch, "cpu", "ALARM")["AlarmArn"]
    assert alarm["StateReason"].startswith(f"{cpu} transitioned to ALARM at ")
    assert [message["NewStateValue"] for message in messages] == ["OK", "ALARM"]
    assert messages[1]["AlarmRule"] == rule
    assert [child["Arn"] for child in messages[1]["TriggeringChildren"]] == [cpu]
    assert "Trigger" not in messages[1]


def test_composite_alarms_follow_each_other(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**metric_alarm("root"))
    cloudwatch.put_composite_alarm(AlarmName="stem", AlarmRule="ALARM(root)")
    cloudwatch.put_composite_alarm(AlarmName="leaf", AlarmRule="ALARM(stem)")
    put(cloudwatch, "root", 12)
    alarm_in(cloudwatch, "leaf", "ALARM")


def test_a_suppressor_holds_the_actions_of_a_composite_alarm_back(cloudwatch: Any) -> None:
    topic = Topic()
    for name in ("failing", "deploying"):
        cloudwatch.put_metric_alarm(**metric_alarm(name, **KEEPS_ITS_STATE))
    cloudwatch.set_alarm_state(AlarmName="deploying", StateValue="ALARM", StateReason="a deployment")
    periods = {"ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 0}
    cloudwatch.put_composite_alarm(
        AlarmName="held", AlarmRule="ALARM(failing)", AlarmActions=[topic.arn], ActionsSuppressor="deploying", **periods
    )
    cloudwatch.set_alarm_state(AlarmName="failing", StateValue="ALARM", StateReason="it fails")
    alarm = alarm_in(cloudwatch, "held", "ALARM")
    assert alarm["ActionsSuppressedBy"] == "Alarm"

    cloudwatch.set_alarm_state(AlarmName="deploying", StateValue="OK", StateReason="deployed")

    assert topic.messages()[0]["NewStateValue"] == "ALARM"
    assert "ActionsSuppressedBy" not in alarm_in(cloudwatch, "held", "ALARM")


def test_eventbridge_hears_of_a_change_of_state(cloudwatch: Any) -> None:
    events, queue = boto3.client("events"), Queue()
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["heard"], "state": {"value": ["ALARM"]}}}
    events.put_rule(Name="heard", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="heard", Targets=[{"Id": "queue", "Arn": queue.arn}])

    cloudwatch.put_metric_alarm(**metric_alarm("heard"))
    put(cloudwatch, "heard", 12)
    event = queue.documents()[0]

    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [alarm_in(cloudwatch, "heard", "ALARM")["AlarmArn"]]
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "heard"


def test_an_expression_that_comes_to_no_time_series_is_an_evaluation_error(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**expression_alarm("unsound", "IF(SUM(errors) < 5, errors, 1)"))
    put(cloudwatch, "unsound-errors", 2)
    alarm_in(cloudwatch, "unsound", "OK")
    put(cloudwatch, "unsound-errors", 20)
    alarm = alarm_in(cloudwatch, "unsound", "INSUFFICIENT_DATA")
    assert alarm["EvaluationState"] == "EVALUATION_ERROR"
    assert "must be a time series" in alarm["StateReason"]
