"""Metric math: operators and functions, by AWS's documentation."""

import pytest

from local_aws.cloudwatch import metric_math
from local_aws.cloudwatch.metric_math import NotHere
from local_aws.cloudwatch.series import MathError, Series, Surroundings

TIMES = [0.0, 60.0, 120.0, 180.0, 240.0]


def series(values: str, period: int | None = 60) -> Series:
    points = zip(TIMES, values.split(), strict=False)
    return Series({time: float(value) for time, value in points if value != "-"}, period=period)


def shown(value: Series) -> str:
    """The values at the five times, "-" where there is none."""
    return " ".join(f"{value.values[time]:g}" if time in value.values else "-" for time in TIMES)


def computed(expression: str, **metrics: str) -> list[str]:
    value = metric_math.evaluate(
        expression, Surroundings(TIMES, {name: series(text) for name, text in metrics.items()})
    )
    return [shown(one) for one in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("m1 + m2", "11 22 3 40 -"),  # a missing point counts as 0
        ("m1 - 1", "0 1 2 - -"),
        ("2 * m1 ^ 2", "2 8 18 - -"),
        ("m1 / m2", "0.1 0.1 - 0 -"),  # a division by 0 drops the point
        ("-m1", "-1 -2 -3 - -"),
        ("(m1 + 1) * 2", "4 6 8 - -"),
        ("100 - m1 * 2 - 1", "97 95 93 - -"),
        ("m1 >= 2", "0 1 1 - -"),
        ("m1 > 1 AND m2 > 15", "0 1 0 0 -"),
        ("m1 > 2 || m2 == 10", "1 0 1 0 -"),
        ("SUM([m1, m2])", "11 22 3 40 -"),
        ("AVG([m1, m2])", "5.5 11 1.5 20 -"),
        ("MAX(METRICS())", "10 20 3 40 -"),
        ("MIN([m1, m2])", "1 2 3 40 -"),
        ("STDDEV([m1, m2])", "4.5 9 0 0 -"),
        ("DATAPOINT_COUNT(METRICS())", "2 2 1 1 -"),
        ("m1 / SUM(m1)", "0.166667 0.333333 0.5 - -"),
        ("m1 - AVG(m1)", "-1 0 1 - -"),
        ("m1 * METRIC_COUNT(METRICS())", "2 4 6 - -"),
        ('SUM(METRICS("2"))', "10 20 - 40 -"),
        ("ABS(m1 - 2)", "1 0 1 - -"),
        ("CEIL(m1 / 2)", "1 1 2 - -"),
        ("FLOOR(m1 / 2)", "0 1 1 - -"),
        ("LOG10(m2)", "1 1.30103 - 1.60206 -"),
        ("LOG(m1 - 1)", "- 0 0.693147 - -"),
        ("FILL(m2, 7)", "10 20 7 40 7"),
        ("FILL(m2, REPEAT)", "10 20 20 40 40"),
        ("FILL(m2, LINEAR)", "10 20 30 40 -"),
        ("FILL(m2, m1)", "10 20 3 40 -"),
        ("FILL(m2, MIN(m1))", "10 20 1 40 1"),
        ("DIFF(m2)", "- 10 - 20 -"),
        ("DIFF_TIME(m2)", "- 60 - 120 -"),
        ("RATE(m2)", "- 0.166667 - 0.166667 -"),
        ("RUNNING_SUM(m1)", "1 3 6 - -"),
        ("m1 / PERIOD(m1)", "0.0166667 0.0333333 0.05 - -"),
        ("TIME_SERIES(MAX(m1))", "3 3 3 3 3"),
        ("MINUTE(m1)", "0 1 2 3 4"),
        ("IF(HOUR(m1) == 0, m1)", "1 2 3 0 0"),
        ("IF(m1 < 2, 10, 2)", "10 2 2 - -"),
        ("FIRST(SORT(METRICS(), AVG, DESC))", "10 20 - 40 -"),
        ("LAST([m1, m2])", "10 20 - 40 -"),
    ],
)
def test_an_expression_comes_to(expression: str, result: str) -> None:
    assert computed(expression, m1="1 2 3 - -", m2="10 20 - 40 -") == [result]


@pytest.mark.parametrize(  # AWS's own tables
    ("expression", "result"),
    [
        ("IF(metric1, metric2, metric3)", "30 0 20 - -"),
        ("IF(metric1, 5, metric3)", "5 5 20 - -"),
        ("IF(metric1, metric2, 5)", "30 0 5 5 -"),
        ("IF(1 < 2, metric2, metric3)", "30 - 0 0 30"),
    ],
)
def test_if_takes_a_missing_point_as_false_or_drops_it(expression: str, result: str) -> None:
    assert computed(expression, metric1="1 1 0 0 -", metric2="30 - 0 0 30", metric3="0 0 20 - 20") == [result]


@pytest.mark.parametrize(
    ("expression", "results"),
    [
        ("METRICS() * 100", ["100 200 300 - -", "400 - - - -"]),
        ("ABS(-[m1, m2])", ["1 2 3 - -", "4 - - - -"]),
        ("SORT(METRICS(), MAX, DESC)", ["4 - - - -", "1 2 3 - -"]),
        ("SORT(METRICS(), MAX, DESC, 1)", ["4 - - - -"]),
        ("SLICE(METRICS(), 1)", ["4 - - - -"]),
        ("REMOVE_EMPTY(IF(m1 > 5, m1))", None),
        ("REMOVE_EMPTY([IF(m1 > 5, m1), m2])", ["4 - - - -"]),
    ],
)
def test_an_array_of_time_series_stays_one(expression: str, results: list[str] | None) -> None:
    if results is None:
        with pytest.raises(MathError, match="REMOVE_EMPTY takes an array of time series"):
            computed(expression, m1="1 2 3 - -", m2="4 - - - -")
    else:
        assert computed(expression, m1="1 2 3 - -", m2="4 - - - -") == results


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("m1 +", "it ends too early"),
        ("m1 m1", "'m1' is not expected there"),
        ("m1 % 2", "'% 2' can't be read"),
        ("SUM(m1", "',' is expected before 'the end'"),
        ("MEDIAN(m1)", "there is no function MEDIAN"),
        ("m9 + 1", "there is no metric or expression with the id m9"),
        ("SUM(m1)", "must be a time series"),
        ("FILL(m1, DESC)", "FILL fills with"),
        ("IF(m1)", "IF takes two or three arguments and got 1"),
        ("PERIOD(m1 + 1)", "PERIOD takes a metric"),
        ('m1 + "text"', "unsupported operand"),
        ("(" * 1000 + "m1", "nested more than 30 deep"),
        ("-" * 1000 + "m1", "more than 200 operands"),
        ("+".join(["m1"] * 1000), "more than 200 operands"),
    ],
)
def test_what_is_no_expression_says_why(expression: str, complaint: str) -> None:
    with pytest.raises(MathError, match=complaint):
        computed(expression, m1="1 2 3 - -")


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("ANOMALY_DETECTION_BAND(m1, 2)", "ANOMALY_DETECTION_BAND"),
        ("m1 / SERVICE_QUOTA(m1)", "SERVICE_QUOTA"),
        ('SELECT AVG(m) FROM "Tests"', "SELECT"),
    ],
)
def test_functions_over_data_that_is_not_here_are_named(expression: str, name: str) -> None:
    with pytest.raises(NotHere, match=name):
        metric_math.parse(expression)


def test_expressions_are_evaluated_after_those_they_refer_to() -> None:
    assert metric_math.in_order({"e1": "e2 + 1", "e2": "m1 * e3", "e3": "m1"}) == ["e3", "e2", "e1"]
    with pytest.raises(MathError, match="refer to each other in a ring: e1, e2"):
        metric_math.in_order({"e1": "e2", "e2": "e1"})
