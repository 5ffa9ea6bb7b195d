"""CloudWatch Logs, as boto3 sees it, where moto answers otherwise."""

import time
import uuid
from typing import Any

import boto3
import pytest
from cloudwatch_requests import alarm_in, ended_period, error, metric_alarm


class LogGroup:
    """A log group with one stream."""

    def __init__(self) -> None:
        self.logs: Any = boto3.client("logs")
        self.name = f"/tests/{uuid.uuid4().hex[:8]}"
        self.logs.create_log_group(logGroupName=self.name)
        self.logs.create_log_stream(logGroupName=self.name, logStreamName="s")

    def put(self, *messages: str, at: float | None = None) -> None:
        milliseconds = int((at or time.time()) * 1000)
        events = [{"timestamp": milliseconds, "message": message} for message in messages]
        self.logs.put_log_events(logGroupName=self.name, logStreamName="s", logEvents=events)

    def filter(self, name: str, pattern: str, **transformation: Any) -> None:
        metric = {"metricName": name, "metricNamespace": "Tests", "metricValue": "1", **transformation}
        self.logs.put_metric_filter(
            logGroupName=self.name, filterName=name, filterPattern=pattern, metricTransformations=[metric]
        )


@pytest.fixture
def group(local_aws: object) -> LogGroup:
    return LogGroup()


def test_an_alarm_on_a_metric_filter_goes_off(group: LogGroup) -> None:
    cloudwatch = boto3.client("cloudwatch")
    group.filter("latency", '{ $.level = "ERROR" }', metricValue="$.ms")
    cloudwatch.put_metric_alarm(**metric_alarm("latency"))

    group.put('{"level": "INFO", "ms": 90}', '{"level": "ERROR", "ms": 20}', at=ended_period().timestamp())

    assert "[20.0 (" in alarm_in(cloudwatch, "latency", "ALARM")["StateReason"]


def test_a_metric_filter_put_again_is_replaced_and_one_deleted_counts_no_more(group: LogGroup) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    group.filter("replaced", "ERROR")
    group.filter("replaced", "WARNING")
    group.put("ERROR", "WARNING", "WARNING")
    filters = group.logs.describe_metric_filters(logGroupName=group.name)["metricFilters"]
    assert [found["filterPattern"] for found in filters] == ["WARNING"]
    assert group.logs.describe_log_groups(logGroupNamePrefix=group.name)["logGroups"][0]["metricFilterCount"] == 1

    group.logs.delete_metric_filter(logGroupName=group.name, filterName="replaced")
    group.put("WARNING")

    now = time.time()
    points = cloudwatch.get_metric_statistics(
        Namespace="Tests", MetricName="replaced", Period=60, StartTime=now - 120, EndTime=now + 60, Statistics=["Sum"]
    )["Datapoints"]
    assert sum(point["Sum"] for point in points) == 2
    assert error(group.logs.delete_metric_filter, logGroupName=group.name, filterName="replaced") == (
        "ResourceNotFoundException",
        "The specified metric filter does not exist.",
    )


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"logGroupName": "/nobody"}, "ResourceNotFoundException", "The specified log group does not exist."),
        ({"filterPattern": "{ $.a }"}, "InvalidParameterException", "Invalid filter pattern: it ends too early"),
    ],
)
def test_a_metric_filter_that_cannot_be_is_refused(
    group: LogGroup, changes: dict[str, Any], code: str, text: str
) -> None:
    metric = {"metricName": "m", "metricNamespace": "Tests", "metricValue": "1"}
    request = {"logGroupName": group.name, "filterName": "f", "filterPattern": "", "metricTransformations": [metric]}
    refusal = error(group.logs.put_metric_filter, **request | changes)
    assert refusal[0] == code
    assert text in refusal[1]


def test_a_pattern_can_be_tried_on_messages(local_aws: object) -> None:
    logs: Any = boto3.client("logs")
    answer = logs.test_metric_filter(filterPattern="[code=4*, ...]", logEventMessages=["404 GET /", "200 GET /"])
    assert answer["matches"] == [
        {"eventNumber": 1, "eventMessage": "404 GET /", "extractedValues": {"$code": "404"}},
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("{ $.n > 1 }", ['{"n": 2}']), ("?first ?second", ["first", "second"]), ("-first", ['{"n": 2}', "second"])],
)
def test_log_events_are_filtered_by_any_pattern(group: LogGroup, pattern: str, found: list[str]) -> None:
    group.put('{"n": 2}', "first", "second")
    events = group.logs.filter_log_events(logGroupName=group.name, filterPattern=pattern)["events"]
    assert [event["message"] for event in events] == found


def test_events_of_several_streams_come_in_the_order_of_time(group: LogGroup) -> None:
    now = time.time()
    group.logs.create_log_stream(logGroupName=group.name, logStreamName="a-later-one")
    group.put("second", at=now)
    group.logs.put_log_events(
        logGroupName=group.name,
        logStreamName="a-later-one",
        logEvents=[{"timestamp": int(now * 1000) - 5, "message": "first"}],
    )
    events = group.logs.filter_log_events(logGroupName=group.name)["events"]
    assert [event["message"] for event in events] == ["first", "second"]


def test_events_are_those_of_the_streams_with_the_prefix(group: LogGroup) -> None:
    group.logs.create_log_stream(logGroupName=group.name, logStreamName="other")
    group.put("of s")
    found = {"s": ["of s"], "oth": [], "nothing": []}
    for prefix, messages in found.items():
        events = group.logs.filter_log_events(logGroupName=group.name, logStreamNamePrefix=prefix)["events"]
        assert [event["message"] for event in events] == messages


def test_a_subscription_gets_what_its_pattern_matches(group: LogGroup) -> None:
    other = LogGroup()
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{other.name}"
    group.logs.put_subscription_filter(
        logGroupName=group.name, filterName="f", filterPattern='{ $.level = "ERROR" }', destinationArn=arn
    )
    group.put('{"level": "INFO"}', '{"level": "ERROR"}')
    events = group.logs.filter_log_events(logGroupName=other.name)["events"]
    assert [event["message"] for event in events] == ['{"level": "ERROR"}']


def test_a_subscription_of_a_stream_that_delivers_by_http_is_refused_and_events_are_taken_as_before(
    group: LogGroup,
) -> None:
    bucket = {"BucketARN": "arn:aws:s3:::any", "RoleARN": "arn:aws:iam::123456789012:role/any"}
    destination = {"EndpointConfiguration": {"Url": "https://127.0.0.1"}, "S3Configuration": bucket}
    stream = boto3.client("firehose").create_delivery_stream(
        DeliveryStreamName=group.name.rpartition("/")[2], HttpEndpointDestinationConfiguration=destination
    )["DeliveryStreamARN"]
    subscription = {"filterName": "f", "filterPattern": "", "destinationArn": stream, "roleArn": bucket["RoleARN"]}
    code, message = error(group.logs.put_subscription_filter, logGroupName=group.name, **subscription)
    assert code == "NotImplementedException"
    assert message.startswith("PutSubscriptionFilter to a Firehose stream that does not deliver to S3")
    group.put("event")
    assert len(group.logs.filter_log_events(logGroupName=group.name)["events"]) == 1


def test_query_definitions_are_kept(local_aws: object) -> None:
    logs: Any = boto3.client("logs")
    name = f"kept-{uuid.uuid4().hex[:8]}"
    made = logs.put_query_definition(name=name, queryString="fields @message", logGroupNames=["/a"])[
        "queryDefinitionId"
    ]
    changed = logs.put_query_definition(name=name, queryString="limit 5", queryDefinitionId=made)
    kept = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert changed["queryDefinitionId"] == made
    assert [(found["queryDefinitionId"], found["queryString"]) for found in kept] == [(made, "limit 5")]

    assert logs.delete_query_definition(queryDefinitionId=made)["success"] is True
    assert error(logs.delete_query_definition, queryDefinitionId=made)[0] == "ResourceNotFoundException"


def test_an_operation_that_is_not_there_is_refused_by_name(local_aws: object) -> None:
    refusal = error(boto3.client("logs").list_log_anomaly_detectors)
    assert refusal[0] == "NotImplementedException"
    assert refusal[1].startswith("ListLogAnomalyDetectors is not implemented by local AWS")
