"""What an endpoint is asked beside what its model has learned from, counted by local Athena."""

import dataclasses
import json
import math
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sql_lake import Athena

from flight_delay import spec
from silverline import evaluation, traffic
from silverline.platform import Platform
from silverline.spec import PipelineSpec
from silverline.traffic import Served

COLUMNS = [
    {"name": "carrier", "type": "string", "required": True, "categories": ["AA", "O'B"]},
    {"name": "distance_miles", "type": "number", "required": True},
    {"name": "temperature_fahrenheit", "type": "number", "required": False},
]
PREDICTIONS = {"edges": [0.4], "counts": [30, 10]}
NOW = datetime.now(UTC)
MODEL = Served("arn/7", "s3://artifacts/model.tar.gz", "s3://artifacts/evaluation/", ["2013-01"], NOW)


@pytest.fixture
def place(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform whose silver has twenty rows of January, a half of them without a temperature, and a row of February;
    its model knows three columns."""
    rows = [
        {
            **{"month": "2013-01", "carrier": ("AA", "O'B")[number % 2], "distance_miles": 100.0 * number},
            "temperature_fahrenheit": 50.0 if number < 10 else None,
        }
        for number in range(20)
    ]
    athena.given("silver.flight_features", [*rows, {**rows[0], "month": "2013-02", "carrier": "XX"}])
    monkeypatch.setattr(evaluation, "read_outputs", lambda _: {"metadata": {"columns": COLUMNS}})
    monkeypatch.setattr(evaluation, "read", lambda _: {"predictions": PREDICTIONS})
    names = {field.name: "" for field in dataclasses.fields(Platform)}
    return Platform(
        **{
            **names,
            **{"silver_database": athena.silver, "gold_database": athena.silver, "gold_bucket": athena.silver_bucket},
            "athena_workgroup": "primary",
        }
    )


def capture(
    athena: Athena, *lines: dict[str, Any], at: datetime = NOW, pipeline: PipelineSpec = spec, **metadata: Any
) -> None:
    """Keep requests and answers as SageMaker does; a line's request and answer are JSON, or what they are."""
    text = ""
    for line in lines:
        sides = {
            f"endpoint{side}": {
                **{"observedContentType": "application/json", "mode": side.upper()},
                "data": value if isinstance(value, str) else json.dumps(value),
                "encoding": line.get("encoding", "JSON"),
            }
            for side, value in (("Input", line["request"]), ("Output", line["answer"]))
        }
        event = {"eventId": "e", "inferenceTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", **metadata}
        text += json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}) + "\n"
    folder = f"{pipeline.name}/captured/{pipeline.aws_name}/AllTraffic/{at:%Y/%m/%d/%H}"
    key = f"{folder}/{at:%M-%S}-{uuid.uuid4()}.jsonl"
    athena.s3.put_object(Bucket=athena.silver_bucket, Key=key, Body=text.encode())


def one(carrier: str, miles: Any, probability: float, **more: Any) -> dict[str, Any]:
    record = {"carrier": carrier, "distance_miles": miles, "temperature_fahrenheit": 50.0, **more}
    return {"request": record, "answer": {"probability": probability, "is_late": False}}


def counted(place: Platform, since: datetime = NOW - timedelta(hours=2)) -> dict[str, dict[str, Any]]:
    table = traffic.create_or_update_table(place, spec)
    profile = traffic.profile(place, spec, MODEL)
    found = traffic.counts(place, spec, profile, table, since, NOW + timedelta(minutes=1))
    return {bin["name"]: bin for bin in found}


def test_the_profile_has_the_rows_that_the_model_was_trained_on_in_deciles_and_categories(place: Platform) -> None:
    bins = {bin["name"]: bin for bin in traffic.profile(place, spec, MODEL)["bins"]}
    assert (bins["carrier"]["counts"], bins["carrier"]["missing"]) == ([10, 10, 0], 0)
    assert sum(bins["distance_miles"]["counts"]) == 20 and len(bins["distance_miles"]["counts"]) == 10
    assert all(1 <= count <= 3 for count in bins["distance_miles"]["counts"])
    assert bins["temperature_fahrenheit"] == {
        **{"name": "temperature_fahrenheit", "edges": [50.0]},
        **{"counts": [0, 10], "missing": 10},
    }
    assert bins["prediction"] == {"name": "prediction", "edges": [0.4], "counts": [30, 10], "missing": 0}


def test_a_profile_is_made_once(athena: Athena, place: Platform) -> None:
    first = traffic.profile(place, spec, MODEL)
    athena.s3.delete_objects(
        Bucket=athena.silver_bucket,
        Delete={
            "Objects": [
                {"Key": item["Key"]}
                for item in athena.s3.list_objects_v2(Bucket=athena.silver_bucket)["Contents"]
                if "profiles" not in item["Key"]
            ]
        },
    )
    assert traffic.profile(place, spec, MODEL) == first


def test_records_are_counted_whether_asked_for_alone_or_in_a_list(athena: Athena, place: Platform) -> None:
    both = [one("AA", 0, 0.1), one("O'B", 5000, 0.5)]
    several = {
        "request": [line["request"] for line in both],
        "answer": {"predictions": [line["answer"] for line in both]},
    }
    capture(athena, *both, several)
    found = counted(place)
    assert found["carrier"]["counts"] == [2, 2, 0]
    assert found["prediction"]["counts"] == [2, 2]
    assert found["distance_miles"]["counts"] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_missing_values_unseen_categories_and_what_is_no_number_are_told_apart(athena: Athena, place: Platform) -> None:
    capture(athena, one("ZZ", "far", 0.1, temperature_fahrenheit=None), one("AA", 1, 0.1))
    found = counted(place)
    assert found["carrier"]["counts"] == [1, 0, 1]
    assert found["distance_miles"]["missing"] == found["temperature_fahrenheit"]["missing"] == 1


def test_a_feature_missing_throughout_training_and_predictions_in_one_bin_are_counted_in_that_bin(
    athena: Athena, place: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "read", lambda _: {"predictions": {"edges": [], "counts": [30]}})
    february = {"month": "2013-02", "carrier": "AA", "distance_miles": 1.0, "temperature_fahrenheit": None}
    january = {**february, "month": "2013-01", "temperature_fahrenheit": 50.0}
    athena.given("silver.flight_features", [february, january])
    trained = MODEL._replace(package="arn/8", trained_on=["2013-02"])
    profile = traffic.profile(place, spec, trained)
    bins = {bin["name"]: bin for bin in profile["bins"]}
    assert bins["temperature_fahrenheit"] == {
        **{"name": "temperature_fahrenheit", "edges": []},
        **{"counts": [0], "missing": 1},
    }
    assert (bins["prediction"]["edges"], bins["prediction"]["counts"]) == ([], [30])

    capture(athena, one("AA", 1, 0.9), one("AA", 1, 0.1, temperature_fahrenheit=None))
    table = traffic.create_or_update_table(place, spec)
    found = traffic.counts(place, spec, profile, table, NOW - timedelta(hours=2), NOW + timedelta(minutes=1))
    asked = {bin["name"]: (bin["counts"], bin["missing"]) for bin in found}
    assert asked["temperature_fahrenheit"] == ([1], 1) and asked["prediction"] == ([2], 0)


def test_smoke_tests_old_traffic_and_what_is_no_json_are_not_counted(athena: Athena, place: Platform) -> None:
    capture(athena, one("AA", 1, 0.1), customAttributes=["smoke-test"])
    capture(athena, one("AA", 1, 0.1), at=NOW - timedelta(hours=5))
    capture(athena, {"request": "Zm9v", "answer": "YmFy", "encoding": "BASE64"})
    capture(
        athena,
        {"request": '\ufeff{"carrier": "AA"}', "answer": '{"probability": 0.1}'},
        {"request": "1,2", "answer": ""},
    )
    assert counted(place)["carrier"]["counts"] == [0, 0, 0]
    capture(athena, one("AA", 1, 0.1), customAttributes=["somebody"])
    assert counted(place)["carrier"]["counts"] == [1, 0, 0]


def test_traffic_like_training_is_near_and_other_traffic_far(athena: Athena, place: Platform) -> None:
    profile = traffic.profile(place, spec, MODEL)
    capture(
        athena,
        *(
            one(("AA", "O'B")[number % 2], 100 * number, 0.1 if number % 4 else 0.9,
                temperature_fahrenheit=50.0 if number < 10 else None)
            for number in range(20)
        ),
    )  # fmt: skip
    near = traffic.distances(profile["bins"], list(counted(place).values()))
    assert all(distance.psi < 0.01 and distance.jensen_shannon < 0.01 for distance in near.values())

    capture(athena, *(one("ZZ", 10_000, 0.9) for _ in range(180)), at=NOW - timedelta(seconds=5))
    far = traffic.distances(profile["bins"], list(counted(place).values()))
    assert all(distance.psi > 0.25 for distance in far.values())
    assert far["carrier"].unseen_percent == pytest.approx(90.0)
    assert far["temperature_fahrenheit"].missing_percent == pytest.approx(5.0)


def flight_id(number: int) -> str:
    return f"2013-01-05T16:00|AA|{number}|JFK"


@pytest.fixture
def outcomes(athena: Athena, place: Platform) -> Platform:
    """Of flights 1 to 4 it is known how they came in: the odd ones late."""
    flights = [
        {
            **{"month": "2013-01", "carrier": "AA", "flight_number": number, "origin": "JFK"},
            **{"scheduled_departure_at": datetime(2013, 1, 5, 16), "is_late": number % 2 == 1},
        }
        for number in range(1, 5)
    ]
    athena.given("silver.flight_features", flights)
    return place


def quality(place: Platform) -> Any:
    table = traffic.create_or_update_table(place, spec)
    return traffic.live_quality(place, spec, table, NOW - timedelta(hours=2), NOW + timedelta(minutes=1))


def test_answers_are_judged_by_what_came_as_scikit_learn_judges_them(athena: Athena, outcomes: Platform) -> None:
    answers = {1: 0.8, 2: 0.2, 3: 0.4, 4: 0.4}
    for number, probability in answers.items():
        capture(athena, one("AA", 1, probability), inferenceId=flight_id(number))
    capture(athena, one("AA", 1, 0.9), inferenceId="a flight that nobody knows")
    found = quality(outcomes)
    assert found["row_count"] == 4
    assert found["roc_auc"] == pytest.approx(0.875)  # of four pairs three are in order, and one is half
    assert found["log_loss"] == pytest.approx(-sum(map(math.log, (0.8, 0.8, 0.4, 0.6))) / 4)
    assert found["base_log_loss"] == pytest.approx(math.log(2))
    assert found["calibration_error"] == pytest.approx((0.2 + 0.2 + abs(0.8 - 1)) / 4)


def test_of_a_question_asked_twice_the_last_answer_counts(athena: Athena, outcomes: Platform) -> None:
    capture(athena, one("AA", 1, 0.1), inferenceId=flight_id(1), at=NOW - timedelta(minutes=30))
    capture(athena, one("AA", 1, 0.7), inferenceId=flight_id(1))
    found = quality(outcomes)
    assert found["log_loss"] == pytest.approx(-math.log(0.7))
    assert found["base_log_loss"] is None  # one flight is all alike


def test_without_an_outcome_there_is_nothing_to_say(athena: Athena, outcomes: Platform) -> None:
    capture(athena, one("AA", 1, 0.1))
    assert quality(outcomes)["row_count"] == 0
