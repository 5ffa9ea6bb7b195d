"""Serves the flight_delay model: what a flight's features say of its chance to come in more than 15 minutes late.

Requests: application/json (one object or a list), application/jsonlines, text/csv with a header.
Answers: one object for one object, else {"predictions": [...]}; by Accept also application/jsonlines or text/csv.
A request that can't be answered gets a 4xx whose body is {"error": "..."}. AWS's serving stack turns every exception
of a handler into a 500, but passes on a Response that output_fn returns: refusals travel through the handlers as one.
"""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from werkzeug.wrappers import Response


class Model(NamedTuple):
    """The fitted Pipeline, what it takes, one column of its array for each entry, in this order, and the probability
    from which it warns."""

    pipeline: Any
    columns: dict[str, dict[str, Any]]
    threshold: float


class Records(NamedTuple):
    """A decoded request; `are_text` where every value came as text, `is_single` where one object was sent."""

    rows: list[Any]
    are_text: bool
    is_single: bool


class Predictions(NamedTuple):
    """One probability for each record, and the one from which a flight is said to be late."""

    probabilities: list[float]
    threshold: float
    is_single: bool


def model_fn(model_dir: str) -> Model:
    """The model that train.py saved in `model_dir`."""
    metadata = json.loads(Path(model_dir, "metadata.json").read_text())
    pipeline = joblib.load(Path(model_dir, "model.joblib"))
    return Model(pipeline, {column["name"]: column for column in metadata["columns"]}, metadata["threshold"])


def input_fn(request_body: str | bytes, content_type: str) -> Records | Response:
    """The request's records, or the Response that refuses it."""
    try:
        return _decode(request_body, content_type.split(";")[0].strip().lower())
    except _Refused as refused:
        return refused.response


def predict_fn(records: Records | Response, model: Model) -> Predictions | Response:
    """The records' probabilities, or the Response that refuses them."""
    if isinstance(records, Response):
        return records
    try:
        values = [_values(row, number, records, model.columns) for number, row in enumerate(records.rows, start=1)]
    except _Refused as refused:
        return refused.response
    late = model.pipeline.predict_proba(np.array(values, dtype=object))[:, 1]
    return Predictions(late.tolist(), model.threshold, records.is_single)


def output_fn(predictions: Predictions | Response, accept: str) -> Response:
    """The answer in the first form of `accept` that this model has."""
    if isinstance(predictions, Response):
        return predictions
    answers = [{"probability": p, "is_late": p >= predictions.threshold} for p in predictions.probabilities]
    for choice in accept.split(","):
        match choice.split(";")[0].strip().lower():
            case "application/json" | "application/*" | "*/*" | "":
                body = answers[0] if predictions.is_single else {"predictions": answers}
                return Response(json.dumps(body), mimetype="application/json")
            case "application/jsonlines":
                lines = "".join(json.dumps(answer) + "\n" for answer in answers)
                return Response(lines, mimetype="application/jsonlines")
            case "text/csv":
                lines = "".join(f"{answer['probability']!r},{str(answer['is_late']).lower()}\n" for answer in answers)
                return Response("probability,is_late\n" + lines, mimetype="text/csv")
    message = f"Accept '{accept}' is not supported: use application/json, application/jsonlines or text/csv."
    return _Refused(message, status=406).response


class _Refused(Exception):
    """A request that can't be answered, with the Response that says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.response = Response(json.dumps({"error": message}), status=status, mimetype="application/json")


def _decode(body: str | bytes, content_type: str) -> Records:
    if content_type not in ("application/json", "application/jsonlines", "text/csv"):
        message = f"Content type '{content_type}' is not supported: send application/json, application/jsonlines"
        raise _Refused(f"{message} or text/csv.", status=415)
    try:
        text = (body if isinstance(body, str) else body.decode("utf-8")).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _Refused(f"The body is not UTF-8: {error}.") from error
    if not text.strip():
        raise _Refused("The body is empty: send at least one flight.")
    if content_type == "text/csv":
        return _decode_csv(text)
    if content_type == "application/jsonlines":
        lines = enumerate(text.split("\n"), start=1)  # splitlines() cuts at U+2028 too, which JSON has in its strings
        rows = [_decode_json(line, f"Line {number}") for number, line in lines if line.strip()]
        return Records(rows, are_text=False, is_single=False)
    data = _decode_json(text, "The body")
    if isinstance(data, list):
        if not data:
            raise _Refused("The body is an empty list: send at least one flight.")
        return Records(data, are_text=False, is_single=False)
    return Records([data], are_text=False, is_single=True)


def _decode_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and 100,000 brackets
        raise _Refused(f"{what} is not JSON that can be read: {error}.") from error


def _decode_csv(text: str) -> Records:
    try:
        lines = [line for line in csv.reader(io.StringIO(text)) if line]
    except csv.Error as error:  # a value of more than 131,072 letters, a carriage return alone
        raise _Refused(f"The body is not CSV that can be read: {error}.") from error
    header, rows = lines[0], lines[1:]
    if not rows:
        raise _Refused("The CSV needs a header with the fields' names and at least one row: it has one line.")
    if len(set(header)) < len(header):
        repeated = next(name for name in header if header.count(name) > 1)
        raise _Refused(f"The CSV's header names '{repeated}' more than once.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise _Refused(f"Row {number} has {len(row)} values, but the header names {len(header)} columns.")
    return Records([dict(zip(header, row, strict=True)) for row in rows], are_text=True, is_single=False)


def _values(row: Any, number: int, records: Records, columns: dict[str, dict[str, Any]]) -> list[Any]:
    """The row's values in the Pipeline's order; an optional one that is missing is None, which the Pipeline imputes."""
    where = "" if records.is_single else f"Row {number}: "
    if not isinstance(row, dict):
        raise _Refused(f"{where}A flight is an object with named fields, not {json.dumps(row)[:40]}.")
    for name in row:
        if name not in columns:
            raise _Refused(f"{where}Unknown field '{name}'.")
    values = []
    for name, column in columns.items():
        value = row.get(name)
        if value is None or (records.are_text and value == ""):
            if column["required"]:
                raise _Refused(f"{where}Field '{name}' is required.")
            values.append(None)
        elif column["type"] == "string":
            if not isinstance(value, str):
                raise _Refused(f"{where}Field '{name}' must be a string, not {json.dumps(value)[:40]}.")
            values.append(value)
        else:
            values.append(_number(value, name, where, records.are_text))
    return values


def _number(value: Any, name: str, where: str, is_text: bool) -> float:
    if is_text or (isinstance(value, int | float) and not isinstance(value, bool)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise _Refused(f"{where}Field '{name}' must be a number, not {json.dumps(value)[:40]}.")
