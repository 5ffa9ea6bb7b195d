"""What an endpoint is sent and answers: records in JSON, JSON Lines or CSV, and the words in which one is refused.

AWS's serving stack turns every exception of a handler into a 500, but passes on a Response that output_fn returns:
refusals travel through the handlers as one.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from werkzeug.wrappers import Response


class Records(NamedTuple):
    """A decoded request; `are_text` where every value came as text, `is_single` where one object was sent."""

    rows: list[Any]
    are_text: bool
    is_single: bool


class Refused(Exception):
    """A request that can't be answered, with the Response that says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.response = Response(json.dumps({"error": message}), status=status, mimetype="application/json")


class Predictions(NamedTuple):
    """The answers to a request, in its order."""

    answers: list[dict[str, Any]]
    is_single: bool


def input_fn(request_body: str | bytes, content_type: str) -> Records | Response:
    """The request's records, or the Response that refuses it."""
    try:
        return decode(request_body, content_type)
    except Refused as refused:
        return refused.response


def output_fn(predictions: Predictions | Response, accept: str) -> Response:
    """The answer in the first form of `accept` that there is."""
    if isinstance(predictions, Response):
        return predictions
    try:
        return encode(predictions.answers, predictions.is_single, accept)
    except Refused as refused:
        return refused.response


def decode(body: str | bytes, content_type: str) -> Records:
    """The records of a request: application/json (one object or a list), application/jsonlines, text/csv with a header.

    Refused where there is none, or it is none of these.
    """
    kind = content_type.split(";")[0].strip().lower()
    if kind not in ("application/json", "application/jsonlines", "text/csv"):
        message = f"Content type '{kind}' is not supported: send application/json, application/jsonlines or text/csv."
        raise Refused(message, status=415)
    try:
        text = (body if isinstance(body, str) else body.decode("utf-8")).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refused(f"The body is not UTF-8: {error}.") from error
    if not text.strip():
        raise Refused("The body is empty: send at least one record.")
    if kind == "text/csv":
        return _decode_csv(text)
    if kind == "application/jsonlines":
        lines = enumerate(text.split("\n"), start=1)  # splitlines() cuts at U+2028 too, which JSON has in its strings
        rows = [_decode_json(line, f"Line {number}") for number, line in lines if line.strip()]
        return Records(rows, are_text=False, is_single=False)
    data = _decode_json(text, "The body")
    if isinstance(data, list):
        if not data:
            raise Refused("The body is an empty list: send at least one record.")
        return Records(data, are_text=False, is_single=False)
    return Records([data], are_text=False, is_single=True)


def values(records: Records, columns: Mapping[str, Mapping[str, Any]]) -> list[list[Any]]:
    """Of each record the values of `columns`, in their order; an optional one that is missing is None.

    Refused where one is missing that is `required`, isn't of its `type` (string or number), is less than its `minimum`
    or more than its `maximum`, or is none of them.
    """
    return [_values(row, number, records, columns) for number, row in enumerate(records.rows, start=1)]


def encode(answers: Sequence[Mapping[str, Any]], is_single: bool, accept: str) -> Response:
    """The answers in the first form of `accept` that there is: JSON (one object for one, else {"predictions": [...]}),
    JSON Lines, or CSV with a header; Refused where there is none."""
    for choice in accept.split(","):
        match choice.split(";")[0].strip().lower():
            case "application/json" | "application/*" | "*/*" | "":
                body = answers[0] if is_single else {"predictions": list(answers)}
                return Response(json.dumps(body), mimetype="application/json")
            case "application/jsonlines":
                lines = "".join(json.dumps(answer) + "\n" for answer in answers)
                return Response(lines, mimetype="application/jsonlines")
            case "text/csv":
                return Response(_csv(answers), mimetype="text/csv")
    message = f"Accept '{accept}' is not supported: use application/json, application/jsonlines or text/csv."
    raise Refused(message, status=406)


def _decode_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and 100,000 brackets
        raise Refused(f"{what} is not JSON that can be read: {error}.") from error


def _decode_csv(text: str) -> Records:
    try:
        lines = [line for line in csv.reader(io.StringIO(text)) if line]
    except csv.Error as error:  # a value of more than 131,072 letters, a carriage return alone
        raise Refused(f"The body is not CSV that can be read: {error}.") from error
    header, rows = lines[0], lines[1:]
    if not rows:
        raise Refused("The CSV needs a header with the fields' names and at least one row: it has one line.")
    if len(set(header)) < len(header):
        repeated = next(name for name in header if header.count(name) > 1)
        raise Refused(f"The CSV's header names '{repeated}' more than once.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise Refused(f"Row {number} has {len(row)} values, but the header names {len(header)} columns.")
    return Records([dict(zip(header, row, strict=True)) for row in rows], are_text=True, is_single=False)


def _values(row: Any, number: int, records: Records, columns: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    where = "" if records.is_single else f"Row {number}: "
    if not isinstance(row, dict):
        raise Refused(f"{where}A record is an object with named fields, not {json.dumps(row)[:40]}.")
    for name in row:
        if name not in columns:
            raise Refused(f"{where}Unknown field '{name}'.")
    found = []
    for name, column in columns.items():
        value = row.get(name)
        if value is None or (records.are_text and value == ""):
            if column["required"]:
                raise Refused(f"{where}Field '{name}' is required.")
            found.append(None)
        elif column["type"] == "string":
            if not isinstance(value, str):
                raise Refused(f"{where}Field '{name}' must be a string, not {json.dumps(value)[:40]}.")
            found.append(value)
        else:
            found.append(_number(value, column, where, records.are_text))
    return found


def _number(value: Any, column: Mapping[str, Any], where: str, is_text: bool) -> float:
    name, minimum, maximum = column["name"], column.get("minimum", -math.inf), column.get("maximum", math.inf)
    if is_text or (isinstance(value, int | float) and not isinstance(value, bool)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if number < minimum:
            raise Refused(f"{where}Field '{name}' must be {minimum:g} or more, not {json.dumps(value)[:40]}.")
        if number > maximum:
            raise Refused(f"{where}Field '{name}' must be {maximum:g} or less, not {json.dumps(value)[:40]}.")
        if math.isfinite(number):
            return number
    raise Refused(f"{where}Field '{name}' must be a number, not {json.dumps(value)[:40]}.")


def _csv(answers: Sequence[Mapping[str, Any]]) -> str:
    """Texts as they are, all else as JSON writes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answers[0])
    writer.writerows([v if isinstance(v, str) else json.dumps(v) for v in answer.values()] for answer in answers)
    return text.getvalue()
