"""How an alarm's state follows from its data points: AWS's documented examples, without waiting for a clock."""

import json
from collections.abc import Sequence

import pytest

from local_aws.cloudwatch.evaluation import Datapoint, Rule, Verdict, evaluate, has_few_samples, last_boundary

NOW = 1_800_000_000.0
# How AWS's tables write a data point: breaching, not breaching, missing; oldest first.
POINTS = {"X": 12.0, "0": 1.0, "-": None}


def datapoints(row: str) -> list[Datapoint]:
    values = [POINTS[sign] for sign in row.split()]
    return [
        Datapoint(NOW - 60 * (len(values) - number), value, None if value is None else 1.0)
        for number, value in enumerate(values)
    ]


def verdict(row: str, needed: int, treat: str) -> Verdict:
    """What an alarm above 10 that is in the state "kept" comes to."""
    rule = Rule("GreaterThanThreshold", 10.0, 3, needed, treat)
    return evaluate(rule, datapoints(row), "kept", NOW, {"Period": 60, "Statistic": "Maximum"})


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
@pytest.mark.parametrize(
    ("needed", "row", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0 - X - X", "OK", "OK", "OK", "OK"),
        (3, "0 - - - -", "OK", "OK", "OK", "OK"),
        (3, "- - - - -", "INSUFFICIENT_DATA", "kept", "ALARM", "OK"),
        (3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (3, "- - X - -", "ALARM", "kept", "ALARM", "OK"),
        (3, "- - - - X", "INSUFFICIENT_DATA", "kept", "ALARM", "OK"),
        (3, "X - - - -", "ALARM", "kept", "ALARM", "OK"),
        (2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0 - X - -", "OK", "OK", "ALARM", "OK"),
        (2, "- - - - 0", "OK", "OK", "ALARM", "OK"),
        (2, "- - - X -", "ALARM", "kept", "ALARM", "OK"),
        (2, "- - - - X", "INSUFFICIENT_DATA", "kept", "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_in_the_tables_of_aws(
    needed: int, row: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    treated = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    assert {treat: verdict(row, needed, treat).state for treat in treated} == treated


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_each_comparison_holds_below_at_or_above_the_threshold(comparison: str, breaching: Sequence[bool]) -> None:
    rule = Rule(comparison, 10.0, 1, 1, "missing")
    assert [rule.breaches(value) for value in (9.0, 10.0, 11.0)] == breaching


@pytest.mark.parametrize(
    ("row", "needed", "treat", "reason"),
    [
        (
            "0 0 X 0 X",
            2,
            "missing",
            "Threshold Crossed: 2 out of the last 3 datapoints [12.0 (15/01/27 07:59:00), 12.0 (15/01/27 07:57:00)] "
            "were greater than the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            "X X X 0 X",
            3,
            "missing",
            "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (15/01/27 07:58:00)] was not greater than the "
            "threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        ("- - - - -", 3, "missing", "Insufficient Data: 3 datapoints were unknown."),
        (
            "- - - - -",
            3,
            "breaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[Breaching].",
        ),
        (
            "- - - - -",
            3,
            "notBreaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
            "[NonBreaching].",
        ),
    ],
)
def test_the_reason_says_which_datapoints_decided(row: str, needed: int, treat: str, reason: str) -> None:
    assert verdict(row, needed, treat).reason == reason


def test_the_reason_data_has_the_datapoints_evaluated() -> None:
    rule = Rule("GreaterThanThreshold", 10.0, 2, 2, "missing")
    data = json.loads(
        evaluate(rule, datapoints("- X X"), "OK", NOW, {"Period": 60, "Statistic": "Maximum"}).reason_data or ""
    )
    assert data == {
        "version": "1.0",
        "queryDate": "2027-01-15T08:00:00.000+0000",
        "startDate": "2027-01-15T07:58:00.000+0000",
        "period": 60,
        "statistic": "Maximum",
        "recentDatapoints": [12.0, 12.0],
        "threshold": 10.0,
        "evaluatedDatapoints": [
            {"timestamp": "2027-01-15T07:59:00.000+0000", "sampleCount": 1.0, "value": 12.0},
            {"timestamp": "2027-01-15T07:58:00.000+0000", "sampleCount": 1.0, "value": 12.0},
        ],
    }


@pytest.mark.parametrize(
    ("now", "period", "boundary"),
    [(125, 60, 120), (121, 60, 60), (179, 300, 120), (125, 10, 120), (132, 30, 130)],
)
def test_periods_end_on_the_minute_or_on_ten_seconds(now: float, period: int, boundary: float) -> None:
    assert last_boundary(now, period) == boundary


@pytest.mark.parametrize(("percentile", "count", "few"), [(0.99, 999, True), (0.99, 1001, False), (0.1, 99, True)])
def test_a_percentile_of_few_samples_means_nothing(percentile: float, count: float, few: bool) -> None:
    rule = Rule("GreaterThanThreshold", 10.0, 2, 2, "missing")
    points = [Datapoint(0.0, 1.0, 9999), *[Datapoint(0.0, 1.0, count / 2), Datapoint(0.0, None)] * 2]
    assert has_few_samples(rule, points, percentile) is few
