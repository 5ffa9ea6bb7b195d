"""CloudWatch Logs' filter patterns, and what metric filters make of events."""

import json
from typing import Any

import pytest

from local_aws.logs.conditions import PatternError
from local_aws.logs.filter_patterns import parse
from local_aws.logs.metric_filters import metric_data

ERROR, WARNING = "[ERROR 400] BAD REQUEST", "[WARNING 1] slow: disk"


@pytest.mark.parametrize(
    ("pattern", "error", "warning"),
    [
        ("", True, True),
        ("ERROR", True, False),
        ("error", False, False),
        ("ERROR BAD", True, False),
        ("ERROR disk", False, False),
        ('"BAD REQUEST"', True, False),
        ("?ERROR ?WARNING", True, True),
        ("-ERROR", False, True),
        ("disk -ERROR", False, True),
        ("?nothing disk", False, True),  # optional terms count only where there are no others
        ("%ERROR [45]00%", True, False),
    ],
)
def test_terms_match(pattern: str, error: bool, warning: bool) -> None:
    assert [parse(pattern).match(message) is not None for message in (ERROR, WARNING)] == [error, warning]


EVENT = {
    "level": "ERROR",
    "latency": 120.5,
    "code": 404,
    "ok": False,
    "nothing": None,
    "user": {"name": "ann lee", "groups": ["admin", "ops"]},
    "with space": 1,
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.level = "ERROR" }', True),
        ("{ $.level = ERROR }", True),
        ('{ $.level != "ERROR" }', False),
        ('{ $.level = "ERR*" }', True),
        ("{ $.level = %^ERR% }", True),
        ("{ $.missing != 1 }", False),
        ("{ $.latency > 120 }", True),
        ("{ $.latency <= 1.2e2 }", False),
        ("{ $.code = 404 }", True),
        ("{ $.code = 4* }", True),
        ('{ $.level = "ERROR" && $.latency > 200 }', False),
        ('{ ($.level = "INFO" || $.code = 404) && $.latency > 100 }', True),
        ("{ $.ok IS FALSE }", True),
        ("{ $.nothing IS NULL }", True),
        ("{ $.missing NOT EXISTS }", True),
        ('{ $.user.name = "ann lee" }', True),
        ('{ $.user.groups[1] = "ops" }', True),
        ('{ $.user.groups[7] = "ops" }', False),
        ("{ $['with space'] = 1 }", True),
    ],
)
def test_conditions_on_json_match(pattern: str, matches: bool) -> None:
    assert (parse(pattern).match(json.dumps(EVENT)) is not None) is matches
    assert parse(pattern).match("no JSON") is None


ACCESS = '127.0.0.1 - frank [10/Oct/2026:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ip, id, user, timestamp, request, status_code, size]", True),
        ("[ip, id, user, timestamp, request, status_code]", False),
        ("[ip, user, ...]", True),
        ("[..., status_code=404, size]", True),
        ("[..., status_code=4*, size>1000]", True),
        ("[..., status_code=4*, size>2000]", False),
        ("[ip, id, user, timestamp, request=*.html*, status_code=200 || status_code=404, size]", True),
        ('[ip, id, user!="frank", ...]', False),
    ],
)
def test_conditions_on_space_delimited_fields_match(pattern: str, matches: bool) -> None:
    assert (parse(pattern).match(ACCESS) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("a:b", r"Invalid character\(s\) in term 'a:b'"),
        ('"open', "can't be read"),
        ("{ $.a = 1", "'}' is expected at the end"),
        ("{ $.a }", "ends too early"),
        ("{ $.a > text }", "is no number"),
        ("{ a = 1 }", "'a' is no selector"),
        ("{ " + "(" * 500 + " }", "nested more than 30 deep"),
        ("[a, ..., b, ...]", "can stand only once"),
        ("[a=1 || b=2]", "has to be about one field"),
        ("%(%", "no regular expression"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: str, complaint: str) -> None:
    with pytest.raises(PatternError, match=complaint):
        parse(pattern)


def data(pattern: str, *events: tuple[int, Any], filled: int = 0, **transformation: Any) -> list[tuple[Any, ...]]:
    """The second, value and dimensions of each datum made of events, given by second and message."""
    metric_filter = {
        "filterPattern": pattern,
        "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1", **transformation}],
    }
    given = [
        {"timestamp": second * 1000, "message": message if isinstance(message, str) else json.dumps(message)}
        for second, message in events
    ]
    made, _ = metric_data(metric_filter, given, filled)
    return [
        (datum["Timestamp"].timestamp(), datum["Value"], *[own["Value"] for own in datum.get("Dimensions", [])])
        for datum in made
    ]


def test_each_event_that_matches_makes_a_value() -> None:
    assert data("ERROR", (1, ERROR), (2, WARNING), (3, ERROR)) == [(1, 1.0), (3, 1.0)]


def test_a_value_can_be_taken_from_the_event() -> None:
    events = [(1, {"ms": 5}), (2, {"ms": "7"}), (3, {"ms": "slow"}), (4, {})]
    assert data("{ $.ms EXISTS }", *events, metricValue="$.ms") == [(1, 5.0), (2, 7.0)]
    assert data("[..., size]", (1, ACCESS), metricValue="$size") == [(1, 1534.0)]


def test_dimensions_are_taken_from_the_event_or_it_makes_no_value() -> None:
    events = [(1, {"ms": 5, "who": "a"}), (2, {"ms": 6})]
    assert data("{ $.ms > 0 }", *events, dimensions={"Who": "$.who"}) == [(1, 1.0, "a")]


def test_the_default_is_given_once_in_a_minute_without_matches() -> None:
    assert data("ERROR", (61, "fine"), (62, "fine"), defaultValue=0) == [(60, 0.0)]
    assert data("ERROR", (61, "fine"), defaultValue=0, filled=1) == []
    assert data("ERROR", (61, "fine"), (62, ERROR), defaultValue=0) == [(62, 1.0)]
    assert data("ERROR", (61, "fine")) == []
