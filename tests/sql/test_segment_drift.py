"""Predictions that are names of segments: what was answered and what a batch has scored, by local Athena."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from sql_lake import Athena
from test_airport_days import a_day
from test_drift import MODEL, NOW, capture
from test_gold import SCORED, given_records

from airport_weather import spec
from silverline import evaluation, health, traffic
from silverline.health import Look
from silverline.platform import Platform

COLUMNS = [{"name": name, "type": "number", "required": True} for name in ("wind_speed_mph", "cancelled_share")]
NAMES = ["calm and dry", "the captain's"]
PREDICTIONS = {"categories": NAMES, "counts": [60, 40, 0]}
SERVED = MODEL._replace(package="arn:package/7", since=NOW - timedelta(days=1))


@pytest.fixture
def place(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform whose silver has ten days of January, and whose model puts a day into one of two segments."""
    athena.pipeline = spec.name
    athena.given("silver.airport_days", [a_day(number, wind_speed_mph=float(number)) for number in range(1, 11)])
    monkeypatch.setattr(evaluation, "read_outputs", lambda _: {"metadata": {"columns": COLUMNS}})
    monkeypatch.setattr(evaluation, "read", lambda _: {"predictions": PREDICTIONS})
    monkeypatch.setattr(traffic, "served", lambda *_: SERVED)
    names = {field.name: "" for field in dataclasses.fields(Platform)}
    databases = {"silver_database": athena.silver, "gold_database": athena.silver}
    return Platform(**{**names, **databases, "gold_bucket": athena.silver_bucket, "athena_workgroup": "primary"})


def score(athena: Athena, names: dict[str, list[str | None]], model: str = SERVED.package) -> None:
    """Gold's table holds what a batch has scored: of each month (2013-01) the segments of its days, by that model."""
    answers = [
        {
            "record_key": {"origin": "JFK", "flight_date": f"{month}-{day:02}", "month": month},
            "SageMakerOutput": {"segment": 0, "name": name, "distance": 1.0},
        }
        for month, found in names.items()
        for day, name in enumerate(found, start=1)
    ]
    by = {**SCORED, "model": model}
    months = [*names, "none"]  # of one month the requests may be somebody's
    table = given_records(athena, "answers", answers)
    athena.create("gold/airport_weather_segments.sql", months=months, answers=table, **by)


def scored(place: Platform, model: traffic.Served = SERVED) -> dict[str, Any] | None:
    return traffic.scored(place, spec, traffic.profile(place, spec, model), model)


def test_the_profile_has_a_category_for_each_segment_of_the_evaluation(place: Platform) -> None:
    *features, prediction = traffic.profile(place, spec, SERVED)["bins"]
    assert prediction == {"name": "prediction", **PREDICTIONS, "missing": 0}
    assert [(one["name"], sum(one["counts"])) for one in features] == [("wind_speed_mph", 10), ("cancelled_share", 10)]


def test_of_the_newest_scored_month_each_segment_is_counted_and_what_is_none(athena: Athena, place: Platform) -> None:
    score(athena, {"2013-01": NAMES[:1] * 3, "2013-02": [*NAMES, NAMES[1], "windy", None]})
    assert scored(place) == {"name": "prediction", "categories": NAMES, "counts": [1, 2, 1], "missing": 1}


def test_what_another_model_has_scored_says_nothing_of_this_one(athena: Athena, place: Platform) -> None:
    score(athena, {"2013-01": [NAMES[0]]}, model="arn:package/6")
    found = scored(place)
    assert found is not None and (found["counts"], found["missing"]) == ([0, 0, 0], 0)


def test_before_the_first_batch_and_where_none_is_watched_there_are_no_scores(place: Platform) -> None:
    assert scored(place) is None
    unwatched = dataclasses.replace(spec, watch=dataclasses.replace(spec.watch, scored=None))
    assert traffic.scored(place, unwatched, traffic.profile(place, spec, SERVED), SERVED) is None


@pytest.mark.parametrize(
    ("calm", "captains", "is_well"), [(18, 12, True), (2, 28, False), (12, 8, None)], ids=["alike", "far", "few"]
)
def test_monitoring_says_whether_a_month_that_was_scored_lies_where_the_test_lay(
    athena: Athena, place: Platform, calm: int, captains: int, is_well: bool | None
) -> None:
    score(athena, {"2013-01": NAMES[:1] * calm + NAMES[1:] * captains})
    watched = dataclasses.replace(spec, watch=dataclasses.replace(spec.watch, least_records=30))
    look = Look(place, watched, NOW - timedelta(hours=1), NOW, {}.__getitem__)
    found = health.look_at_scores(look)
    assert found.is_well is is_well and found.values["ScoredRecords"] == calm + captains
    assert is_well is None or (found.values["ScoredDrift"] > 0.5) is not is_well


def asked(name: Any, wind: float = 3.0) -> dict[str, Any]:
    answer = {"segment": 0, "name": name, "distance": 0.5}
    return {"request": {"wind_speed_mph": wind, "cancelled_share": 0.0}, "answer": answer}


def test_answers_that_are_texts_are_counted_by_what_they_say_alone_or_in_a_list(
    athena: Athena, place: Platform
) -> None:
    both = [asked(NAMES[0]), asked(NAMES[1], wind=70.0)]
    several = {
        "request": [line["request"] for line in both],
        "answer": {"predictions": [line["answer"] for line in both]},
    }
    nameless = {"request": both[0]["request"], "answer": {"segment": 0}}
    capture(athena, *both, several, asked("windy"), nameless, asked("0.5"), pipeline=spec)
    profile, table = traffic.profile(place, spec, SERVED), traffic.create_or_update_table(place, spec)
    found = traffic.counts(place, spec, profile, table, NOW - timedelta(hours=2), NOW + timedelta(minutes=1))
    by_name = {one["name"]: one for one in found}
    assert (by_name["prediction"]["counts"], by_name["prediction"]["missing"]) == ([2, 2, 2], 1)
    assert sum(by_name["wind_speed_mph"]["counts"]) == 7 and by_name["wind_speed_mph"]["counts"][-1] == 2


def test_traffic_like_training_is_near_and_other_segments_are_far(athena: Athena, place: Platform) -> None:
    profile, table = traffic.profile(place, spec, SERVED), traffic.create_or_update_table(place, spec)

    def distance() -> float:
        found = traffic.counts(place, spec, profile, table, NOW - timedelta(hours=2), NOW + timedelta(minutes=1))
        return traffic.distances(profile["bins"], found)[traffic.PREDICTION].psi

    capture(athena, *(asked(NAMES[number % 5 > 2]) for number in range(20)), pipeline=spec)
    assert distance() < 0.01
    capture(athena, *(asked(NAMES[1]) for _ in range(80)), pipeline=spec)
    assert distance() > 0.5
