"""From silver's features to gold's predictions: requests out, answers in, audited."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from sql_lake import Athena, flight, weather

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts" / "flight_delay"
SCORED = {"model": "arn:aws:sagemaker:us-east-1:1:model-package/m/1", "job": "j", "scored_at": "2013-02-01 04:05:06"}
Lines = list[dict[str, Any]]


@pytest.fixture
def requests(athena: Athena) -> Lines:
    """Requests for two flights in January, one of which will be late; February's flight is nobody's business."""
    athena.given("bronze.planes", [{"tailnum": "N1", "year": 2003}])
    flights = [flight(), flight(flight_number=2, delays=(5, 25)), flight("2013-02-05 16:00")]
    athena.given_flights(flights)
    athena.given("silver.weather", [weather()])
    athena.create("silver/flight_features.sql", months=["2013-01", "2013-02"])
    return athena.unload("gold/requests.sql", months=["2013-01"])


def answered(requests: Lines) -> Lines:
    """What batch transform makes of requests."""
    answers = [{"probability": 0.25 * number, "is_late": number > 1} for number, _ in enumerate(requests, start=1)]
    return [
        {"record_key": request["record_key"], "SageMakerOutput": answer}
        for request, answer in zip(requests, answers, strict=True)
    ]


def given_records(athena: Athena, name: str, lines: Lines) -> str:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    athena.s3.put_object(Bucket=athena.silver_bucket, Key=f"{name}/data.out", Body=text.encode())
    table = f"{athena.silver}.{name}"
    athena.execute("gold/records.sql", table=table, location=f"s3://{athena.silver_bucket}/{name}/")
    return table


def broken(athena: Athena, requests: Lines, answers: Lines, *months: str) -> dict[str, str]:
    """The checks of the audit that these answers to these requests break, with their details."""
    tables = {"requests": given_records(athena, "requests", requests)}
    tables["answers"] = given_records(athena, "answers", answers)
    months = months or ("2013-01",)
    athena.create("gold/flight_delay_predictions.sql", months=months, **tables, **SCORED)
    rows = athena.rows("audit/gold/predictions.sql", months=months, **tables)
    assert len(rows) == 6 * len(months) and {row["month"] for row in rows} == set(months)
    return {row["check_name"].partition(": ")[2]: row["detail"] for row in rows if not row["is_ok"]}


def test_a_request_has_the_flights_key_and_just_the_columns_that_the_model_was_trained_on(requests: Lines) -> None:
    lists = {
        node.targets[0].id: ast.literal_eval(node.value)
        for script in ("train.py", "split.py")
        for node in ast.parse((SCRIPTS / script).read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List)
    }
    assert [request["record_key"] for request in sorted(requests, key=str)] == [
        {"carrier": "B6", "flight_number": number, "origin": "JFK", "scheduled_departure_at": "2013-01-05 16:00:00"}
        | {"month": "2013-01"}
        for number in (1, 2)
    ]
    for request in requests:
        assert list(request["features"]) == [*lists["STRINGS"], *lists["REQUIRED_NUMBERS"], *lists["OPTIONAL_NUMBERS"]]
        assert set(request["record_key"]) == {*lists["KEY"], "month"}


def test_an_answer_becomes_a_row_with_its_key_its_model_and_its_job(athena: Athena, requests: Lines) -> None:
    table = given_records(athena, "answers", answered(requests)[:1])
    (row,) = athena.rows("gold/flight_delay_predictions.sql", months=["2013-01"], answers=table, **SCORED)
    assert row["flight_number"] == requests[0]["record_key"]["flight_number"]
    assert (row["late_probability"], row["is_predicted_late"], row["month"]) == (0.25, False, "2013-01")
    assert (row["model"], row["transform_job"]) == (SCORED["model"], "j")
    assert str(row["scheduled_departure_at"]) == "2013-01-05 16:00:00"
    assert str(row["scored_at"]) == "2013-02-01 04:05:06"


def test_the_audit_of_sound_answers_finds_every_check_kept(athena: Athena, requests: Lines) -> None:
    assert broken(athena, requests, answered(requests)) == {}


def test_a_month_that_silver_lacks_is_held_to_its_requests_alone(athena: Athena, requests: Lines) -> None:
    del requests[0]["record_key"]["month"]  # which nobody who writes requests has to know
    assert broken(athena, requests[:1], answered(requests[:1]), "2013-03") == {}


NONE_OF_FEBRUARY = {
    "one row per request": "0 rows for 1 requests",
    "one row per row of flight_features": "0 rows for 1 of the month",
    "none lost, none made up": "1 requests have no answer, 0 answers have no request",
}


@pytest.mark.parametrize(("answer_count", "found"), [(3, {}), (2, NONE_OF_FEBRUARY)], ids=["sound", "one lost"])
def test_months_that_were_scored_at_once_are_audited_each_for_itself(
    athena: Athena, requests: Lines, answer_count: int, found: dict[str, str]
) -> None:
    requests = [*requests, *athena.unload("gold/requests.sql", months=["2013-02"])]
    assert broken(athena, requests, answered(requests)[:answer_count], "2013-01", "2013-02") == found


def test_a_lost_answer_is_found(athena: Athena, requests: Lines) -> None:
    assert broken(athena, requests, answered(requests)[:1]) == {
        "one row per request": "1 rows for 2 requests",
        "one row per row of flight_features": "1 rows for 2 of the month",
        "none lost, none made up": "1 requests have no answer, 0 answers have no request",
    }


def test_requests_of_another_state_of_the_month_are_found(athena: Athena, requests: Lines) -> None:
    found = broken(athena, requests[:1], answered(requests[:1]))
    assert found == {"one row per row of flight_features": "1 rows for 2 of the month"}


def test_a_made_up_key_is_found(athena: Athena, requests: Lines) -> None:
    first, second = answered(requests)
    stray = {**second, "record_key": {**second["record_key"], "flight_number": 99}}
    assert broken(athena, requests, [first, stray]) == {
        "none lost, none made up": "1 requests have no answer, 1 answers have no request"
    }


def test_a_repeated_key_is_found(athena: Athena, requests: Lines) -> None:
    first, second = answered(requests)
    assert broken(athena, requests, [first, second, second]).keys() == {
        "one row per request",
        "one row per row of flight_features",
        "keys are filled and unique",
    }


def test_warnings_that_no_threshold_explains_are_found(athena: Athena, requests: Lines) -> None:
    first, second = answered(requests)
    unwarned = {**second, "SageMakerOutput": {"probability": 0.5, "is_late": False}}
    warned = {**first, "SageMakerOutput": {"probability": 0.25, "is_late": True}}
    assert broken(athena, requests, [warned, unwarned]).keys() == {"warnings begin at one threshold"}


@pytest.mark.parametrize(
    "answer",
    [
        {"probability": 1.5, "is_late": True},
        {"probability": -0.1, "is_late": False},
        {"probability": None, "is_late": False},
        {"probability": 0.5},
        {},
    ],
    ids=str,
)
def test_an_answer_that_is_no_probability_is_found(athena: Athena, requests: Lines, answer: dict[str, Any]) -> None:
    first, second = answered(requests)
    found = broken(athena, requests, [first, {**second, "SageMakerOutput": answer}])
    assert found == {"probabilities are from 0 to 1": "1 rows have no probability from 0 to 1, or no answer"}
