"""What CloudWatch answers about alarms, and what it refuses."""

import urllib.parse
from typing import Any

import boto3
import pytest
from cloudwatch_requests import error, expression_alarm, metric_alarm

from raw_requests import post

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
TOPIC = "arn:aws:sns:us-east-1:123456789012:nobody"


@pytest.fixture(scope="module")
def cloudwatch(local_aws: object) -> Any:
    return boto3.client("cloudwatch")


@pytest.fixture(scope="module")
def described(cloudwatch: Any) -> Any:
    """Two metric alarms, one in ALARM with an action, and a composite alarm of them."""
    cloudwatch.put_metric_alarm(**metric_alarm("described-a", TreatMissingData="ignore", AlarmActions=[TOPIC]))
    cloudwatch.put_metric_alarm(**metric_alarm("described-b", Dimensions=[{"Name": "Endpoint", "Value": "ours"}]))
    cloudwatch.put_composite_alarm(AlarmName="described-c", AlarmRule="ALARM(described-a) AND OK(described-b)")
    cloudwatch.set_alarm_state(AlarmName="described-a", StateValue="ALARM", StateReason="for the test")
    return cloudwatch


BOTH = ["MetricAlarm", "CompositeAlarm"]


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({"AlarmNames": ["described-a", "described-c", "nobody"]}, ["described-a"]),
        ({"AlarmNamePrefix": "described"}, ["described-a", "described-b"]),
        ({"AlarmNamePrefix": "described", "AlarmTypes": BOTH}, ["described-a", "described-b", "described-c"]),
        ({"AlarmNamePrefix": "described", "AlarmTypes": ["CompositeAlarm"]}, ["described-c"]),
        ({"AlarmNamePrefix": "described", "StateValue": "ALARM"}, ["described-a"]),
        ({"AlarmNamePrefix": "described", "ActionPrefix": TOPIC[:-3]}, ["described-a"]),
        ({"ChildrenOfAlarmName": "described-c"}, ["described-a", "described-b"]),
        ({"ParentsOfAlarmName": "described-b"}, ["described-c"]),
    ],
)
def test_describe_alarms_filters(described: Any, request_: dict[str, Any], names: list[str]) -> None:
    answer = described.describe_alarms(**request_)
    assert [alarm["AlarmName"] for alarm in [*answer["MetricAlarms"], *answer["CompositeAlarms"]]] == names


def test_describe_alarms_comes_in_pages(described: Any) -> None:
    pages = described.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix="described", AlarmTypes=BOTH, PaginationConfig={"PageSize": 2}
    )
    assert [(len(page["MetricAlarms"]), len(page["CompositeAlarms"])) for page in pages] == [(2, 0), (0, 1)]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"Dimensions": [{"Name": "Endpoint", "Value": "ours"}]}, ["described-b"]),
        ({"Dimensions": [{"Name": "Endpoint", "Value": "ours"}], "Statistic": "Maximum"}, ["described-b"]),
        ({"Dimensions": [{"Name": "Endpoint", "Value": "ours"}], "Period": 60}, []),
    ],
)
def test_alarms_of_a_metric_are_those_of_just_its_dimensions(
    described: Any, changes: dict[str, Any], names: list[str]
) -> None:
    answer = described.describe_alarms_for_metric(Namespace="Tests", MetricName="described-b", **changes)
    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == names


def test_a_new_alarm_is_unchecked_and_described_as_it_was_put(cloudwatch: Any) -> None:
    request = metric_alarm("new", AlarmDescription="for us", DatapointsToAlarm=1, TreatMissingData="ignore")
    cloudwatch.put_metric_alarm(**request)
    alarm = cloudwatch.describe_alarms(AlarmNames=["new"])["MetricAlarms"][0]
    assert request.items() <= alarm.items()
    assert alarm["AlarmArn"] == f"{ARN}new"
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert (alarm["ActionsEnabled"], alarm["AlarmActions"], alarm["Dimensions"]) == (True, [], [])


def test_putting_an_alarm_again_replaces_its_settings_and_keeps_its_state(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**metric_alarm("again", TreatMissingData="ignore", AlarmDescription="first"))
    cloudwatch.set_alarm_state(AlarmName="again", StateValue="OK", StateReason="for the test")
    cloudwatch.put_metric_alarm(**metric_alarm("again", TreatMissingData="ignore", Threshold=5.0))
    alarm = cloudwatch.describe_alarms(AlarmNames=["again"])["MetricAlarms"][0]
    assert (alarm["Threshold"], alarm["StateValue"]) == (5.0, "OK")
    assert "AlarmDescription" not in alarm


def test_a_deleted_alarm_leaves_its_history_and_no_tags(cloudwatch: Any) -> None:
    request = metric_alarm("gone", Tags=[{"Key": "team", "Value": "ours"}])
    cloudwatch.put_metric_alarm(**request)
    assert cloudwatch.list_tags_for_resource(ResourceARN=f"{ARN}gone")["Tags"] == request["Tags"]
    cloudwatch.delete_alarms(AlarmNames=["gone", "never-was"])

    history = cloudwatch.describe_alarm_history(AlarmName="gone")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == ['Alarm "gone" deleted', 'Alarm "gone" created']
    assert cloudwatch.describe_alarms(AlarmNames=["gone"])["MetricAlarms"] == []
    assert error(cloudwatch.list_tags_for_resource, ResourceARN=f"{ARN}gone")[0] == "ResourceNotFoundException"


def test_what_a_composite_alarm_depends_on_cannot_be_deleted(described: Any) -> None:
    refusal = error(described.delete_alarms, AlarmNames=["described-a", "described-b"])
    assert refusal == (
        "ValidationError",
        "Cannot delete described-a,described-b as there are composite alarm(s) depending on them.",
    )


def test_composite_alarms_in_a_ring_are_kept_and_not_evaluated(cloudwatch: Any) -> None:
    cloudwatch.put_composite_alarm(AlarmName="ring-a", AlarmRule="FALSE")
    cloudwatch.put_composite_alarm(AlarmName="ring-b", AlarmRule="NOT ALARM(ring-a)")
    cloudwatch.put_composite_alarm(AlarmName="ring-a", AlarmRule="ALARM(ring-b)")
    before = cloudwatch.describe_alarms(AlarmNamePrefix="ring", AlarmTypes=BOTH)["CompositeAlarms"]
    cloudwatch.set_alarm_state(AlarmName="ring-b", StateValue="OK", StateReason="for the test")
    after = cloudwatch.describe_alarms(AlarmNamePrefix="ring", AlarmTypes=BOTH)["CompositeAlarms"]
    assert [alarm["StateValue"] for alarm in before] == ["OK", "ALARM"]
    assert [alarm["StateValue"] for alarm in after] == ["OK", "OK"]


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"Threshold": None}, "MissingParameter", "The parameter Threshold is required."),
        ({"MetricName": None}, "MissingParameter", "The parameter MetricName is required."),
        ({"Statistic": None}, "InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic"),
        ({"ExtendedStatistic": "p99"}, "InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": "Median"}, "ValidationError", "Member must satisfy enum value set: [SampleCount, Average"),
        (
            {"Statistic": None, "ExtendedStatistic": "p101"},
            "InvalidParameterValue",
            "The value p101 for parameter ExtendedStatistic is not supported.",
        ),
        ({"Period": 45}, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60"),
        (
            {"Period": 300, "EvaluationPeriods": 289},
            "ValidationError",
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        ),
        ({"DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm must be less than or equal to"),
        ({"TreatMissingData": "guess"}, "ValidationError", "Option guess is not supported. Supported options"),
        ({"AlarmActions": ["topic"]}, "ValidationError", "Invalid arn syntax: topic"),
        ({"AlarmActions": [TOPIC] * 6}, "ValidationError", "Member must have length less than or equal to 5"),
        ({"ThresholdMetricId": "band"}, "NotImplementedException", "An anomaly detection alarm is not implemented"),
        (
            {"ComparisonOperator": "LessThanLowerThreshold"},
            "NotImplementedException",
            "is not implemented by local AWS; nothing has been done. Use a static Threshold.",
        ),
    ],
)
def test_a_metric_alarm_that_cannot_be_is_refused(
    cloudwatch: Any, changes: dict[str, Any], code: str, text: str
) -> None:
    request = {name: value for name, value in metric_alarm("refused", **changes).items() if value is not None}
    refusal = error(cloudwatch.put_metric_alarm, **request)
    assert refusal[0] == code
    assert text in refusal[1]
    assert cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("expression", "code", "text"),
    [
        ("errors +", "ValidationError", "Error in expression 'rate': it ends too early"),
        ("errors / nobody", "ValidationError", "Error in expression 'rate': there is no metric or expression with"),
        ("SUM(errors)", "ValidationError", "must be a time series"),
        ("METRICS()", "ValidationError", "an alarm watches one time series, not an array"),
        ("ANOMALY_DETECTION_BAND(errors)", "NotImplementedException", "ANOMALY_DETECTION_BAND in an expression"),
        ('SELECT AVG(errors) FROM "Tests"', "NotImplementedException", "SELECT in an expression is not implemented"),
    ],
)
def test_an_expression_that_cannot_be_watched_is_refused(
    cloudwatch: Any, expression: str, code: str, text: str
) -> None:
    refusal = error(cloudwatch.put_metric_alarm, **expression_alarm("refused", expression))
    assert refusal[0] == code
    assert text in refusal[1]


def test_an_alarm_on_metrics_needs_one_that_returns_data_and_one_period(cloudwatch: Any) -> None:
    alarm = expression_alarm("refused", "errors / requests")
    alarm["Metrics"][1]["ReturnData"] = True
    assert error(cloudwatch.put_metric_alarm, **alarm) == (
        "ValidationError",
        "Exactly one element of the metrics list should return data.",
    )
    alarm = expression_alarm("refused", "errors / requests")
    alarm["Metrics"][1]["MetricStat"]["Period"] = 60
    assert "must have the same Period" in error(cloudwatch.put_metric_alarm, **alarm)[1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"AlarmRule": "ALARM(described-a"}, "The AlarmRule is invalid: ')' is expected before 'the end'"),
        (
            {"AlarmRule": "ALARM(nobody) OR OK(described-a)"},
            "Could not save the composite alarm as alarms [nobody] in the alarm rule do not exist",
        ),
        ({"AlarmRule": f"ALARM({ARN.replace('east', 'west')}described-a)"}, "in the alarm rule do not exist"),
        ({"ActionsSuppressor": "described-a"}, "must be specified together"),
        ({"AlarmName": "described-a"}, "The alarm described-a is not a CompositeAlarm."),
    ],
)
def test_a_composite_alarm_that_cannot_be_is_refused(described: Any, changes: dict[str, Any], text: str) -> None:
    request = {"AlarmName": "refused", "AlarmRule": "TRUE", **changes}
    refusal = error(described.put_composite_alarm, **request)
    assert refusal[0] == "ValidationError"
    assert text in refusal[1]


def test_requests_of_the_query_protocol_are_answered_in_it(described: Any, local_aws: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def asked(**request: str) -> str:
        body = urllib.parse.urlencode({"Version": "2010-08-01", **request}).encode()
        return post(local_aws.url, "monitoring", form, body)[1].decode()

    answer = asked(Action="DescribeAlarms", **{"AlarmNames.member.1": "described-a"})
    assert "<AlarmName>described-a</AlarmName>" in answer
    refusal = asked(Action="PutMetricAlarm", AlarmName="refused")
    assert "<Code>MissingParameter</Code><Message>The parameter ComparisonOperator is required.</Message>" in refusal


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("set_alarm_state", {"AlarmName": "nobody", "StateValue": "OK", "StateReason": "none"}, "ResourceNotFound"),
        ("describe_alarms", {"NextToken": "nothing"}, "InvalidNextToken"),
        ("describe_alarms", {"ChildrenOfAlarmName": "a", "AlarmNamePrefix": "a"}, "ValidationError"),
        ("tag_resource", {"ResourceARN": f"{ARN}nobody", "Tags": []}, "ResourceNotFoundException"),
        (
            "put_insight_rule",
            {"RuleName": "top", "RuleDefinition": "{}", "RuleState": "ENABLED"},
            "NotImplementedException",
        ),
        ("put_anomaly_detector", {}, "NotImplementedException"),
    ],
)
def test_what_there_is_not_is_refused(cloudwatch: Any, operation: str, request_: dict[str, Any], code: str) -> None:
    assert error(getattr(cloudwatch, operation), **request_)[0] == code
