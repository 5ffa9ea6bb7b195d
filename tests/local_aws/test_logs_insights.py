"""Logs Insights' queries, of which moto carries out fields, sort and limit, and passes over the rest."""

import json
import time
from typing import Any

import boto3
import pytest
from cloudwatch_requests import error

from local_aws.logs.insights import NotHere, parse, row, run
from local_aws.logs.insights_filters import QueryError

MESSAGES = [
    {"level": "INFO", "ms": 5, "user": {"name": "ann"}},
    {"level": "ERROR", "ms": 20, "user": {"name": "bob"}},
    {"level": "ERROR", "ms": 100},
    "plain text ERROR",
]
ROWS = [
    row(
        {
            "timestamp": 60_000 * number,
            "message": message if isinstance(message, str) else json.dumps(message),
            "ingestionTime": 0,
            "eventId": number,
        },
        "s",
        "1:g",
    )
    for number, message in enumerate(MESSAGES)
]


def rows(query: str) -> list[list[str]]:
    """The values of each row of the result, without @ptr."""
    results, _ = run(parse(query), ROWS)
    return [[cell["value"] for cell in result if cell["field"] != "@ptr"] for result in results]


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ('level = "ERROR"', [1, 2]),
        ("level != 'ERROR'", [0, 3]),
        ("ms > 5", [1, 2]),
        ("ms <= 20 and level = 'ERROR'", [1]),
        ("ms > 50 or user.name = 'ann'", [0, 2]),
        ("not (ms > 50 or user.name = 'ann')", [1, 3]),
        ("@message like /ERR/", [1, 2, 3]),
        ("@message like /(?i)plain/", [3]),
        ("@message like 'plain'", [3]),
        ("@message not like 'plain'", [0, 1, 2]),
        ("@message =~ /text/", [3]),
        ("level in ['INFO', 'WARNING']", [0]),
        ("level not in ['INFO']", [1, 2, 3]),
        ("ispresent(user.name)", [0, 1]),
    ],
)
def test_a_filter_holds_for(filter_: str, numbers: list[int]) -> None:
    found = rows(f"fields @timestamp | filter {filter_} | sort @timestamp asc")
    assert found == [[f"1970-01-01 00:0{number}:00.000"] for number in numbers]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fields ms | limit 2", [[], ["100"]]),
        ("fields ms as took, user.name | sort ms desc | limit 2", [["100"], ["20", "bob"]]),
        ("fields user.name, level | sort user.name, level | limit 3", [[], ["ERROR"], ["ann", "INFO"]]),
        ("fields @message | filter ms = 20 | display level, ms", [["ERROR", "20"]]),
        ("# a comment\nfields level\n| sort ms asc, level\n| limit 2", [[], ["INFO"]]),
        ("stats count(*)", [["4"]]),
        ("stats count(*) as events, avg(ms), max(ms) by level | sort events desc, level", [
            ["ERROR", "2", "60", "100"], ["1"], ["INFO", "1", "5", "5"]
        ]),
        ("filter ispresent(ms) | stats sum(ms) by bin(2m)", [
            ["1970-01-01 00:00:00.000", "25"], ["1970-01-01 00:02:00.000", "100"]
        ]),
        ("stats count_distinct(level), min(ms)", [["2", "5"]]),
    ],
)  # fmt: skip
def test_a_query_results_in(query: str, found: list[list[str]]) -> None:
    assert rows(query) == found


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("select * from logs", "unexpected symbol found select"),
        ("fields", "unexpected end of the query"),
        ("fields @message filter a = 1", r"unexpected symbol found filter, where \| is expected"),
        ("filter level", "unexpected end of the query"),
        ("filter level like ERROR", "where a pattern is expected"),
        ("filter @message like /(/", "no regular expression"),
        ("limit many", "limit takes a number from 1 to 10000, not many"),
        ("filter " + "(" * 500, "nested more than 30 deep"),
    ],
)
def test_what_is_no_query_says_why(query: str, complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint):
        parse(query)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("parse @message '* text' as a", "parse"),
        ("fields strlen(@message)", r"strlen\(\)"),
        ("stats pct(ms, 90)", r"pct\(\)"),
        ("stats count(*) by datefloor(5m)", r"datefloor\(\) after by"),
    ],
)
def test_what_is_not_carried_out_is_named(query: str, what: str) -> None:
    with pytest.raises(NotHere, match=what):
        parse(query)


def test_a_query_is_run_over_log_groups(local_aws: object) -> None:
    logs: Any = boto3.client("logs")
    now = int(time.time())
    logs.create_log_group(logGroupName="/tests/insights")
    logs.create_log_stream(logGroupName="/tests/insights", logStreamName="s")
    events = [{"timestamp": now * 1000, "message": message} for message in ("ERROR a", "fine", "ERROR b")]
    logs.put_log_events(logGroupName="/tests/insights", logStreamName="s", logEvents=events)

    query = {"logGroupName": "/tests/insights", "startTime": now - 60, "endTime": now + 60}
    started = logs.start_query(
        **query, queryString="fields @message | filter @message like /ERROR/ | sort @message desc"
    )
    answer = logs.get_query_results(queryId=started["queryId"])

    assert answer["status"] == "Complete"
    assert [result[0]["value"] for result in answer["results"]] == ["ERROR b", "ERROR a"]
    assert answer["statistics"] == {"recordsMatched": 2.0, "recordsScanned": 3.0, "bytesScanned": 18.0}
    assert logs.describe_queries(logGroupName="/tests/insights")["queries"][0]["queryId"] == started["queryId"]
    assert error(logs.start_query, **query, queryString="selekt")[0] == "MalformedQueryException"
    assert error(logs.start_query, **query, queryString="dedup level") == (
        "NotImplementedException",
        "dedup in a query of Logs Insights is not implemented by local AWS; nothing has been done.",
    )
    assert error(logs.get_query_results, queryId="none")[0] == "ResourceNotFoundException"
