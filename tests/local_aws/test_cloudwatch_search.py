"""SEARCH in an expression finds metrics by namespace, dimensions, names and values, as AWS documents its syntax."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cloudwatch_requests import error

from local_aws.cloudwatch.metric_math import parse as parse_expression
from local_aws.cloudwatch.search import SearchError, labels, parse
from local_aws.cloudwatch.series import MathError

METRICS = {
    "count a": ("Shop/Web", "CustomCount1", (("Page", "a"),)),
    "count b": ("Shop/Web", "CustomCount1", (("Page", "b-2"),)),
    "delay a": ("Shop/Web", "delay", (("Page", "a"),)),
    "delay a eu": ("Shop/Web", "delay", (("Page", "a"), ("Region", "eu"))),
    "plain": ("Shop", "delay", ()),
}


def found(text: str) -> list[str]:
    matches = parse(text)
    return [name for name, key in METRICS.items() if matches(key)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{Shop/Web,Page}", ["count a", "count b", "delay a"]),  # these dimensions, and no others
        ('{"Shop/Web", "Region", Page}', ["delay a eu"]),
        ("{Shop}", ["plain"]),
        ('{Shop/Web,Page} MetricName="delay"', ["delay a"]),
        ('{Shop/Web,Page} MetricName="Delay"', []),  # in quotes it is the whole, as it is written
        ("{Shop/Web,Page} Delay", ["delay a"]),  # without, a word, large or small
        ("custom", ["count a", "count b"]),
        ("COUNT 1", ["count a", "count b"]),
        ("CustomCount1", ["count a", "count b"]),
        ("Custo", []),  # a whole part of a word
        ("b-2", ["count b"]),
        ("Page=2", ["count b"]),
        ("MetricName=a", []),
        ('Page="a" OR Page="b-2"', ["count a", "count b", "delay a", "delay a eu"]),
        ('Page=("a" OR "b-2") MetricName=Count', ["count a", "count b"]),
        ("delay NOT Region=eu", ["delay a", "plain"]),
        ("eu OR b AND custom", ["count b", "delay a eu"]),  # AND binds
        ("(eu OR b) AND custom", ["count b"]),
        ('Namespace="Shop"', ["plain"]),
        ("web", ["count a", "count b", "delay a", "delay a eu"]),
    ],
)
def test_a_metric_is_found_by_its_names_and_values(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "needs a schema in braces, a term, or both"),
        ("{}", "the schema in braces is a namespace"),
        ("{Shop,}", "the schema in braces is a namespace"),
        ("(a OR b", "a parenthesis isn't closed"),
        ("a)", r"'\)' is not expected there"),
        ("a OR", "a term is expected before 'the end'"),
        ("Page=", "a term is expected before 'the end'"),
        ("Page=(Region=eu)", "'Region=' stands within another designator"),
        ('Page="a', "can't be read"),
        ("...", "put it into double quotes"),
        ("a" * 1025, "at most 1024 characters"),
    ],
)
def test_what_is_no_search_says_why(text: str, complaint: str) -> None:
    with pytest.raises(SearchError, match=complaint):
        parse(text)


@pytest.mark.parametrize(
    "expression", ["SEARCH('{Shop}')", "SEARCH(m1, 'Sum')", "SEARCH('{Shop}', 'Most')", "SEARCH('{Shop}', 'Sum', m1)"]
)
def test_search_takes_a_text_and_a_statistic(expression: str) -> None:
    with pytest.raises(MathError, match=r"SEARCH|expected"):
        parse_expression(expression)


def test_what_is_found_is_told_apart_by_what_it_does_not_share() -> None:
    assert labels([METRICS["count a"], METRICS["count b"]]) == ["a", "b-2"]
    assert labels([METRICS["count a"], METRICS["delay a"]]) == ["CustomCount1", "delay"]
    assert labels([METRICS["plain"]]) == ["delay"]
    assert labels([]) == []


# Through the API

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def cloudwatch(local_aws: object) -> Any:
    return boto3.client("cloudwatch")


@pytest.fixture(scope="module")
def namespace(cloudwatch: Any) -> str:
    """Two features' drift in the first minute, and in the second one's."""
    name = f"Search{uuid.uuid4().hex[:8]}"
    data = [
        {
            "MetricName": "FeatureDrift",
            "Dimensions": [{"Name": "Feature", "Value": feature}],
            "Timestamp": START + timedelta(minutes=minute),
            "Value": value,
        }
        for feature, minute, value in (
            ("temperature", 0, 1.0),
            ("temperature", 0, 2.0),
            ("hour", 0, 4.0),
            ("hour", 1, 8.0),
        )
    ]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    return name


def data(cloudwatch: Any, expression: str, **query: Any) -> dict[str, list[float]]:
    """GetMetricData's values by label, in the order of time."""
    asked = {"Id": "e1", "Expression": expression, "Period": 60, **query}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[asked],
        StartTime=START,
        EndTime=START + timedelta(minutes=10),
        ScanBy="TimestampAscending",
    )
    return {result["Label"]: result["Values"] for result in answer["MetricDataResults"]}


def test_each_metric_that_is_found_is_a_time_series_with_a_label_of_its_own(cloudwatch: Any, namespace: str) -> None:
    search = f"SEARCH('{{{namespace},Feature}} MetricName=\"FeatureDrift\"', 'Maximum')"
    assert data(cloudwatch, search) == {"hour": [4.0, 8.0], "temperature": [2.0]}
    assert data(cloudwatch, search, Label="psi") == {"psi hour": [4.0, 8.0], "psi temperature": [2.0]}
    assert data(cloudwatch, search, Period=600) == {"hour": [8.0], "temperature": [2.0]}
    assert data(cloudwatch, search.replace(")", ", 600)")) == {"hour": [8.0], "temperature": [2.0]}


def test_what_is_found_can_be_computed_with(cloudwatch: Any, namespace: str) -> None:
    search = f"SEARCH('{{{namespace},Feature}}', 'Sum')"
    assert data(cloudwatch, f"SUM({search})", Label="all") == {"all": [7.0, 8.0]}
    assert list(data(cloudwatch, f"SORT({search}, MAX, DESC, 1)")) == ["hour"]


def test_where_nothing_is_found_there_is_no_time_series(cloudwatch: Any) -> None:
    assert data(cloudwatch, "SEARCH('{Nowhere,Page}', 'Sum')") == {}


def test_an_alarm_can_not_search(cloudwatch: Any) -> None:
    query = {"Id": "e1", "Expression": "SUM(SEARCH('{Shop}', 'Sum'))", "Period": 60}
    request = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1.0}
    refused = error(cloudwatch.put_metric_alarm, AlarmName="searches", Metrics=[query], **request)
    assert refused == ("ValidationError", "SEARCH is not supported in the metrics of an alarm.")
