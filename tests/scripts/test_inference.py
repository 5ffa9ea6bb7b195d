"""inference.py behind AWS's own transformer and worker: good requests, refused ones, and no training/serving skew."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts" / "flight_delay"
Invoke = Callable[..., Any]
Flight = dict[str, Any]


def _csv(rows: list[Flight]) -> str:
    lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def test_one_object_gets_one_object(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(flight)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json.keys() == {"probability", "is_late"}
    assert answer.json["is_late"] == (answer.json["probability"] >= 0.25)


def test_a_list_gets_predictions_in_its_order(invoke: Invoke, trained: Any) -> None:
    golden = trained.document("golden.json")
    answer = invoke(golden["request"][::-1])
    assert answer.json["predictions"] == golden["response"]["predictions"][::-1]


def test_a_list_of_one_is_still_a_list(invoke: Invoke, flight: Flight) -> None:
    assert invoke([flight]).json == {"predictions": [invoke(flight).json]}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_json_lines_and_csv_are_answered_as_json_is(invoke: Invoke, trained: Any, content_type: str) -> None:
    rows = trained.document("golden.json")["request"]
    expected = invoke(rows, content_type).json
    lines = "\n".join(json.dumps(row) for row in rows)
    assert invoke(lines, "application/jsonlines").json == expected
    assert invoke(_csv(rows), "text/csv").json == expected
    assert invoke(_csv(rows), "text/csv; charset=utf-8").json == expected
    assert invoke("\ufeff" + _csv(rows), "text/csv").json == expected  # as Excel writes it


def test_columns_may_come_in_any_order(invoke: Invoke, flight: Flight) -> None:
    assert invoke(dict(reversed(flight.items()))).json == invoke(flight).json


def test_an_optional_value_may_be_null_or_absent(invoke: Invoke, flight: Flight) -> None:
    with_null = invoke({**flight, "plane_age_years": None})
    absent = invoke({name: value for name, value in flight.items() if name != "plane_age_years"})
    assert with_null.status == absent.status == 200
    assert with_null.json == absent.json


def test_a_carrier_that_training_never_saw_is_answered(invoke: Invoke, flight: Flight) -> None:
    assert invoke({**flight, "carrier": "ZZ"}).status == 200


def test_answers_come_as_csv_where_that_is_accepted(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(flight, accept="text/csv")
    expected = invoke(flight).json
    assert answer.content_type == "text/csv"
    assert answer.body == f"probability,is_late\n{expected['probability']},{str(expected['is_late']).lower()}\n"


def test_answers_come_as_json_lines_where_that_is_accepted(invoke: Invoke, flight: Flight) -> None:
    answer = invoke([flight, flight], accept="application/jsonlines")
    assert [json.loads(line) for line in answer.body.splitlines()] == [invoke(flight).json] * 2


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/csv;q=0.5", "text/html, application/json"])
def test_the_first_form_that_it_has_is_taken(invoke: Invoke, flight: Flight, accept: str) -> None:
    assert invoke(flight, accept=accept).content_type == "application/json"


def _changed(**values: Any) -> Callable[[Flight], Any]:
    return lambda flight: {**flight, **values}


def _without(name: str) -> Callable[[Flight], Any]:
    return lambda flight: {key: value for key, value in flight.items() if key != name}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_without("distance_miles"), "Field 'distance_miles' is required."),
        (_changed(origin=None), "Field 'origin' is required."),
        (_changed(colour="red"), "Unknown field 'colour'."),
        (_changed(is_late=True), "Unknown field 'is_late'."),
        (_changed(distance_miles="far"), "Field 'distance_miles' must be a number, not \"far\"."),
        (_changed(distance_miles="100"), "Field 'distance_miles' must be a number, not \"100\"."),
        (_changed(distance_miles=True), "Field 'distance_miles' must be a number, not true."),
        (_changed(wind_gust_mph=float("nan")), "Field 'wind_gust_mph' must be a number, not NaN."),
        (_changed(wind_gust_mph=[1]), "Field 'wind_gust_mph' must be a number, not [1]."),
        (_changed(carrier=7), "Field 'carrier' must be a string, not 7."),
        (lambda flight: [flight, {**flight, "carrier": 7}], "Row 2: Field 'carrier' must be a string, not 7."),
        (lambda flight: [flight, 3], "Row 2: A record is an object with named fields, not 3."),
        (lambda flight: [], "The body is an empty list"),
        (lambda flight: "", "The body is empty"),
        (lambda flight: " \n", "The body is empty"),
        (lambda flight: '{"carrier": ', "The body is not JSON"),
        (lambda flight: "[" * 100_000, "The body is not JSON that can be read"),
        (lambda flight: f'{{"distance_miles": {"1" * 5001}}}', "The body is not JSON that can be read"),
        (lambda flight: '"AA"', "A record is an object with named fields"),
    ],
)
def test_json_that_is_refused_says_which_field(
    invoke: Invoke, flight: Flight, body: Callable[[Flight], Any], message: str
) -> None:
    answer = invoke(body(flight))
    assert answer.status == 400
    assert answer.json["error"].startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("carrier", "colour", 1), "Row 1: Unknown field 'colour'."),
        (lambda text: text.replace("carrier", "origin", 1), "The CSV's header names 'origin' more than once."),
        (lambda text: text.splitlines()[0], "The CSV needs a header with the fields' names and at least one row"),
        (lambda text: text.strip() + ",1\n", "Row 1 has 37 values, but the header names 36 columns."),
        (lambda text: text.replace("\n", "\r"), "The body is not CSV that can be read: new-line character seen"),
        (lambda text: f'{text}"{"A" * 131_073}"', "The body is not CSV that can be read: field larger than"),
    ],
)
def test_csv_that_is_refused_says_why(
    invoke: Invoke, flight: Flight, change: Callable[[str], str], message: str
) -> None:
    answer = invoke(change(_csv([flight])), "text/csv")
    assert answer.status == 400
    assert answer.json["error"].startswith(message)


def test_a_csv_value_that_is_no_number_is_named_with_its_row(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(_csv([flight, {**flight, "distance_miles": "NA"}]), "text/csv")
    assert answer.status == 400
    assert answer.json["error"] == "Row 2: Field 'distance_miles' must be a number, not \"NA\"."


def test_a_json_line_ends_where_the_line_ends_and_not_at_another_separator(invoke: Invoke, flight: Flight) -> None:
    lines = json.dumps({**flight, "carrier": "A\u2028\x85B"}, ensure_ascii=False) + "\r\n" + json.dumps(flight)
    answer = invoke(lines, "application/jsonlines")
    assert answer.status == 200, answer.body
    assert len(answer.json["predictions"]) == 2


def test_a_json_line_that_is_broken_is_named(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(json.dumps(flight) + "\n{", "application/jsonlines")
    assert answer.status == 400
    assert answer.json["error"].startswith("Line 2 is not JSON")


def test_a_content_type_it_does_not_read_is_refused(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(flight, "application/x-npy")
    assert answer.status == 415
    assert "'application/x-npy'" in answer.json["error"]


def test_an_answer_it_cannot_give_is_refused(invoke: Invoke, flight: Flight) -> None:
    answer = invoke(flight, accept="text/html")
    assert answer.status == 406
    assert "'text/html'" in answer.json["error"]


def test_requests_are_answered_as_training_scored_the_same_rows(
    invoke: Invoke, trained: Any, image_python: Path
) -> None:
    scores = (
        "import sys, json, joblib, split, train\n"
        "from pathlib import Path\n"
        "test = split.read_split('test', Path(sys.argv[1]), train.KEY, train.COLUMNS, label='is_late')\n"
        "model = joblib.load(Path(sys.argv[2], 'model.joblib'))\n"
        "rows = [dict(zip(train.COLUMNS, row)) for row in train.matrix(test.frame, train.COLUMNS).tolist()]\n"
        "print(json.dumps([rows, model.predict_proba(train.matrix(test.frame, train.COLUMNS))[:, 1].tolist()]))\n"
    )
    command = [image_python, "-c", scores, trained.model.parent / "channels" / "test", trained.model]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    rows, probabilities = json.loads(done.stdout)
    answered = [prediction["probability"] for prediction in invoke(rows).json["predictions"]]
    assert len(rows) == 400
    assert answered == probabilities
