"""From silver's airport-days to gold's segments: requests out, answers in, audited and summed up."""

from typing import Any

import pytest
from sql_lake import Athena
from test_airport_days import a_day, lists_of_the_script
from test_gold import SCORED, Lines, given_records


@pytest.fixture
def requests(athena: Athena) -> Lines:
    """Requests for two days in January; February's day is nobody's business."""
    athena.pipeline = "airport_weather"
    athena.given("silver.airport_days", [a_day(5), a_day(6, origin="LGA"), {**a_day(5), "month": "2013-02"}])
    return sorted(athena.unload("gold/requests.sql", months=["2013-01"]), key=str)


def answered(requests: Lines) -> Lines:
    """What batch transform makes of requests."""
    return [
        {
            "record_key": request["record_key"],
            "SageMakerOutput": {"segment": number, "name": ("wet", "dry")[number % 2], "distance": 0.5 * number},
        }
        for number, request in enumerate(requests)
    ]


def score(athena: Athena, answers: Lines, *months: str) -> None:
    """Gold's table, of these answers."""
    table = given_records(athena, "answers", answers)
    athena.create("gold/airport_weather_segments.sql", months=months or ("2013-01",), answers=table, **SCORED)


def broken(athena: Athena, requests: Lines, answers: Lines, *months: str) -> dict[str, str]:
    """The checks of the audit that these answers to these requests break, with their details."""
    score(athena, answers, *months)
    months, asked = months or ("2013-01",), given_records(athena, "requests", requests)
    rows = athena.rows("audit/gold/segments.sql", months=months, requests=asked)
    assert len(rows) == 4 * len(months) and {row["month"] for row in rows} == set(months)
    return {row["check_name"].partition(": ")[2]: row["detail"] for row in rows if not row["is_ok"]}


def test_a_request_has_the_days_key_and_just_the_features_that_make_segments(requests: Lines) -> None:
    lists = lists_of_the_script()
    assert [request["record_key"] for request in requests] == [
        {"origin": "JFK", "flight_date": "2013-01-05", "month": "2013-01"},
        {"origin": "LGA", "flight_date": "2013-01-06", "month": "2013-01"},
    ]
    for request in requests:
        assert set(request["features"]) == {*lists["SKEWED"], *lists["EVEN"]}
        assert set(request["record_key"]) == {*lists["KEY"], "month"}
    assert requests[0]["features"]["departure_delay_minutes"] == 9.0


def test_an_answer_becomes_a_row_with_its_day_its_model_and_its_job(athena: Athena, requests: Lines) -> None:
    table = given_records(athena, "answers", answered(requests)[1:])
    (row,) = athena.rows("gold/airport_weather_segments.sql", months=["2013-01"], answers=table, **SCORED)
    assert (row["origin"], str(row["flight_date"]), row["month"]) == ("LGA", "2013-01-06", "2013-01")
    assert (row["segment"], row["segment_name"], row["distance"]) == (1, "dry", 0.5)
    assert (row["model"], row["transform_job"]) == (SCORED["model"], "j")
    assert str(row["scored_at"]) == "2013-02-01 04:05:06"


def test_the_audit_of_sound_answers_finds_every_check_kept(athena: Athena, requests: Lines) -> None:
    assert broken(athena, requests, answered(requests)) == {}


def test_a_month_that_somebody_wrote_requests_of_is_the_one_that_was_said(athena: Athena, requests: Lines) -> None:
    del requests[0]["record_key"]["month"]  # which nobody who writes requests has to know
    assert broken(athena, requests[:1], answered(requests[:1]), "2013-03") == {}


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ((0, 1, 2), {}),
        ((0, 1), {"there are some": "0 rows", "one for each request": "1 requests without an answer, 0 answers that "}),
        ((0, 2), {"one for each request": "1 requests without an answer, 0 answers that "}),
        ((0, 1, 1, 2), {"keys are unique": "1 keys (origin, flight_date) repeat"}),
    ],
    ids=["sound", "none of February", "one lost", "one twice"],
)
def test_months_that_were_scored_at_once_are_audited_each_for_itself(
    athena: Athena, requests: Lines, kept: tuple[int, ...], found: dict[str, str]
) -> None:
    requests = [*requests, *athena.unload("gold/requests.sql", months=["2013-02"])]
    answers = answered(requests)
    wrong = broken(athena, requests, [answers[place] for place in kept], "2013-01", "2013-02")
    assert wrong.keys() == found.keys() and all(wrong[check].startswith(said) for check, said in found.items())


def test_a_made_up_key_is_found(athena: Athena, requests: Lines) -> None:
    first, second = answered(requests)
    stray = {**second, "record_key": {**second["record_key"], "origin": "EWR"}}
    assert broken(athena, requests, [first, stray]) == {
        "one for each request": "1 requests without an answer, 1 answers that nobody asked for"
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"segment": None, "name": "wet", "distance": 1.0},
        {"segment": -1, "name": "wet", "distance": 1.0},
        {"segment": 1, "distance": 1.0},
        {"segment": 1, "name": "wet"},
        {"segment": 1, "name": "wet", "distance": -0.5},
        {},
    ],
    ids=str,
)
def test_an_answer_that_is_no_segment_is_found(athena: Athena, requests: Lines, answer: dict[str, Any]) -> None:
    first, second = answered(requests)
    found = broken(athena, requests, [first, {**second, "SageMakerOutput": answer}])
    assert found == {"answers make sense": "1 rows lack a segment, its name, or a distance of 0 or more"}


def test_a_months_segments_are_summed_up_the_largest_first(athena: Athena, requests: Lines) -> None:
    february = athena.unload("gold/requests.sql", months=["2013-02"])
    third = {**requests[0], "record_key": {**requests[0]["record_key"], "origin": "EWR"}}
    score(athena, answered([*requests, third, *february]), "2013-01", "2013-02")
    assert athena.rows("gold/summary.sql", gold=athena.silver, months=["2013-01", "2013-02"]) == [
        {"month": "2013-01", "row_count": 3, "segments": "wet 2, dry 1"},
        {"month": "2013-02", "row_count": 1, "segments": "dry 1"},
    ]
