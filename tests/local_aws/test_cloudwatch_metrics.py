"""Metrics are read as they were put; each of these answers is another on moto, which the fixes in metrics.py and
queries.py are for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cloudwatch_requests import error

from local_aws.cloudwatch.queries import aligned
from local_aws.cloudwatch.statistics import Sample, UnknownStatistic, statistic

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def cloudwatch(local_aws: object) -> Any:
    return boto3.client("cloudwatch")


def put(cloudwatch: Any, name: str, seconds: float = 0, **datum: Any) -> None:
    """Put a datum at so many seconds after START."""
    at = START + timedelta(seconds=seconds)
    cloudwatch.put_metric_data(Namespace="Read", MetricData=[{"MetricName": name, "Timestamp": at, **datum}])


def statistics(cloudwatch: Any, name: str, *wanted: str, minutes: int = 10, **changes: Any) -> list[dict[str, Any]]:
    """GetMetricStatistics' data points over so many minutes from START, in the order of time."""
    request = {"Period": 60, "StartTime": START, "EndTime": START + timedelta(minutes=minutes), **changes}
    if wanted:
        request["Statistics"] = list(wanted)
    points = cloudwatch.get_metric_statistics(Namespace="Read", MetricName=name, **request)["Datapoints"]
    return sorted(points, key=lambda point: point["Timestamp"])


def query(name: str, stat: str = "Sum", id_: str = "m1", period: int = 60, **changes: Any) -> dict[str, Any]:
    metric = {"Namespace": "Read", "MetricName": name}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **changes}


def data(cloudwatch: Any, *queries: dict[str, Any], minutes: int = 10, **changes: Any) -> dict[str, list[float]]:
    """GetMetricData's values by id, in the order of time."""
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=START,
        EndTime=START + timedelta(minutes=minutes),
        ScanBy="TimestampAscending",
        **changes,
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def test_periods_begin_with_the_range_and_not_with_the_first_value(cloudwatch: Any) -> None:
    put(cloudwatch, "begins", 50, Value=1.0)
    put(cloudwatch, "begins", 70, Value=2.0)
    points = statistics(cloudwatch, "begins", "Sum")
    assert [(point["Timestamp"], point["Sum"]) for point in points] == [
        (START, 1.0),
        (START + timedelta(minutes=1), 2.0),
    ]


def test_only_the_metric_with_exactly_the_dimensions_is_read(cloudwatch: Any) -> None:
    ours = [{"Name": "Endpoint", "Value": "ours"}]
    for number, own in enumerate(([], ours, [*ours, {"Name": "Variant", "Value": "a"}]), start=1):
        put(cloudwatch, "exact", Value=float(number), Dimensions=own)
    assert [point["Sum"] for point in statistics(cloudwatch, "exact", "Sum")] == [1.0]
    assert [point["Sum"] for point in statistics(cloudwatch, "exact", "Sum", Dimensions=ours)] == [2.0]
    assert data(cloudwatch, query("exact")) == {"m1": [1.0]}


def test_values_of_different_units_are_different_data_points(cloudwatch: Any) -> None:
    put(cloudwatch, "units", Value=1.0, Unit="Seconds")
    put(cloudwatch, "units", Value=2.0)
    assert [(point["Unit"], point["Sum"]) for point in statistics(cloudwatch, "units", "Sum")] == [
        ("None", 2.0),
        ("Seconds", 1.0),
    ]
    assert [point["Sum"] for point in statistics(cloudwatch, "units", "Sum", Unit="Seconds")] == [1.0]
    assert statistics(cloudwatch, "units", "Sum", Unit="Bytes") == []


def test_values_with_counts_and_statistic_sets_add_up(cloudwatch: Any) -> None:
    put(cloudwatch, "sets", Values=[1.0, 5.0], Counts=[3.0, 0.5])
    put(cloudwatch, "sets", StatisticValues={"SampleCount": 2, "Sum": 20, "Minimum": 8, "Maximum": 12})
    point = statistics(cloudwatch, "sets", "SampleCount", "Sum", "Minimum", "Maximum", "Average")[0]
    wanted = {"SampleCount": 5.5, "Sum": 25.5, "Minimum": 1.0, "Maximum": 12.0, "Average": 25.5 / 5.5}
    assert {name: point[name] for name in wanted} == pytest.approx(wanted)


def test_percentiles_are_computed_where_the_values_are_known(cloudwatch: Any) -> None:
    put(cloudwatch, "percentiles", Values=[float(value) for value in range(1, 101)])
    point = statistics(cloudwatch, "percentiles", ExtendedStatistics=["p50", "p99", "tm90"])[0]
    assert point["ExtendedStatistics"] == pytest.approx({"p50": 50.5, "p99": 99.01, "tm90": 45.5})
    assert data(cloudwatch, query("percentiles", "p90")) == {"m1": [pytest.approx(90.1)]}

    put(cloudwatch, "hidden", StatisticValues={"SampleCount": 2, "Sum": 20, "Minimum": 8, "Maximum": 12})
    assert statistics(cloudwatch, "hidden", ExtendedStatistics=["p50"]) == []


def test_metric_data_computes_expressions(cloudwatch: Any) -> None:
    for minute, (errors, requests) in enumerate([(1, 10), (0, 0), (3, 10)]):
        put(cloudwatch, "errors", 60 * minute, Value=float(errors))
        put(cloudwatch, "requests", 60 * minute, Value=float(requests))
    queries = [
        {"Id": "rate", "Expression": "FILL(quotient, 0) * 100"},
        {"Id": "quotient", "Expression": "errors / requests", "ReturnData": False},
        query("errors", id_="errors", ReturnData=False),
        query("requests", id_="requests"),
    ]
    assert data(cloudwatch, *queries, minutes=3) == {"rate": pytest.approx([10, 0, 30]), "requests": [10, 0, 10]}


def test_metric_data_comes_newest_first_and_in_pages(cloudwatch: Any) -> None:
    for minute in range(5):
        put(cloudwatch, "paged", 60 * minute, Value=float(minute))
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[query("paged"), query("paged", "Maximum", "m2")],
        StartTime=START,
        EndTime=START + timedelta(minutes=5),
        PaginationConfig={"PageSize": 4},
    )
    seen = [
        (result["Id"], result["Values"], result["StatusCode"]) for page in pages for result in page["MetricDataResults"]
    ]
    assert seen == [
        ("m1", [4, 3, 2, 1], "PartialData"),
        ("m1", [0], "Complete"),
        ("m2", [4, 3, 2], "PartialData"),
        ("m2", [1, 0], "Complete"),
    ]


def test_metrics_are_listed_once_by_name_dimensions_and_activity(cloudwatch: Any) -> None:
    variants = [{"Name": "Variant", "Value": value} for value in ("a", "b")]
    for variant in variants:
        put(cloudwatch, "listed", Value=1.0, Dimensions=[variant])
        put(cloudwatch, "listed", -86400, Value=1.0, Dimensions=[variant])
    put(cloudwatch, "old", -86400, Value=1.0)

    def listed(**filters: Any) -> list[Any]:
        metrics = cloudwatch.list_metrics(Namespace="Read", **filters)["Metrics"]
        return [metric["Dimensions"] for metric in metrics]

    assert listed(MetricName="listed") == [[variant] for variant in variants]
    assert listed(MetricName="listed", Dimensions=[{"Name": "Variant"}]) == [[variant] for variant in variants]
    assert listed(MetricName="listed", Dimensions=[variants[1]]) == [[variants[1]]]
    assert (listed(MetricName="old"), listed(MetricName="old", RecentlyActive="PT3H")) == ([[]], [])


@pytest.mark.parametrize(
    ("datum", "code", "text"),
    [
        ({}, "MissingParameter", "The parameter MetricData.member.1.Value is required."),
        (
            {"Value": 1.0, "Values": [1.0]},
            "InvalidParameterCombination",
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you "
            "have specified both.",
        ),
        (
            {"Values": [1.0], "Counts": [1.0, 2.0]},
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        (
            {"Value": 1.0, "Timestamp": START - timedelta(days=15)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
        ),
        (
            {"Value": 1.0, "Timestamp": START + timedelta(hours=4)},
            "InvalidParameterValue",
            "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.",
        ),
        (
            {"Value": 1e200},
            "InvalidParameterValue",
            "The value 1e+200 for parameter MetricData.member.1.Value is invalid.",
        ),
    ],
)
def test_what_is_no_value_is_refused(cloudwatch: Any, datum: dict[str, Any], code: str, text: str) -> None:
    refusal = error(cloudwatch.put_metric_data, Namespace="Read", MetricData=[{"MetricName": "refused", **datum}])
    assert refusal == (code, text)


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"Period": 45}, "InvalidParameterValue", "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60"),
        ({"ExtendedStatistics": ["q9"]}, "InvalidParameterValue", "The value q9 for parameter ExtendedStatistics"),
        (
            {"EndTime": START},
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"EndTime": START + timedelta(minutes=1441)},
            "InvalidParameterCombination",
            "You have requested up to 1,441 datapoints, which exceeds the limit of 1,440. You may reduce the "
            "datapoints requested by increasing Period, or decreasing the time range.",
        ),
    ],
)
def test_statistics_that_cannot_be_are_refused(cloudwatch: Any, changes: dict[str, Any], code: str, text: str) -> None:
    request = {
        "StartTime": START,
        "EndTime": START + timedelta(minutes=1),
        "Period": 60,
        "Statistics": ["Sum"],
        **changes,
    }
    refusal = error(cloudwatch.get_metric_statistics, Namespace="Read", MetricName="refused", **request)
    assert refusal[0] == code
    assert text in refusal[1]


@pytest.mark.parametrize(
    ("queries", "text"),
    [
        ([query("a"), query("b")], "The value m1 for parameter MetricDataQueries.member.2.Id is invalid"),
        ([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}], "refer to each other in a ring: e1, e2"),
        ([{"Id": "e1"}], "Exactly one of MetricDataQueries.member.1.MetricStat and"),
        ([query("a"), {"Id": "e1", "Expression": "MEDIAN(m1)"}], "there is no function MEDIAN"),
    ],
)
def test_queries_that_cannot_be_are_refused(cloudwatch: Any, queries: list[dict[str, Any]], text: str) -> None:
    refusal = error(
        cloudwatch.get_metric_data, MetricDataQueries=queries, StartTime=START, EndTime=START + timedelta(minutes=1)
    )
    assert refusal[0] == "ValidationError"
    assert text in refusal[1]


TEN = [Sample(0.0, "None", float(value), float(value), float(value), 1.0) for value in range(1, 11)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SampleCount", 10),
        ("Average", 5.5),
        ("p0", 1),
        ("p50", 5.5),
        ("p100", 10),
        ("tm80", 4.5),
        ("TM(20%:80%)", 5.5),
        ("TM(2:8)", 5.5),  # without the lower bound, with the upper
        ("IQM", 5.5),
        ("tc80", 8),
        ("ts80", 36),
        ("TS(:3)", 6),
        ("wm80", (36 + 2 * 8.2) / 10),
        ("WM(2:8)", (2 * 2 + 33 + 2 * 8) / 10),
        ("pr3", 30),
        ("PR(2:8)", 60),
    ],
)
def test_a_statistic_of_one_to_ten_is(name: str, value: float) -> None:
    assert statistic(name).of(TEN) == pytest.approx(value)


@pytest.mark.parametrize(
    "name", ["Median", "p", "p101", "q90", "TM(:)", "TM(10%:90)", "TM(90%:10%)", "PR(1%:2%)", "sum"]
)
def test_what_is_no_statistic_is_unknown(name: str) -> None:
    with pytest.raises(UnknownStatistic):
        statistic(name)


@pytest.mark.parametrize(
    ("age_days", "period", "step"), [(0, 60, 60), (0, 300, 60), (0, 30, 30), (20, 60, 300), (100, 60, 3600)]
)
def test_a_range_begins_on_a_round_time_the_rounder_the_older(age_days: int, period: int, step: int) -> None:
    now = 1_800_000_000.0 + age_days * 86400
    assert aligned(1_800_003_599.0 - 7200, period, now) == (1_800_003_599.0 - 7200) // step * step
