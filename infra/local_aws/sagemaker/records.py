"""How batch transform cuts objects into requests, and puts what came of them beside what they were made of."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from local_aws.sagemaker.json_path import JsonPath, PathError, parse

Format = Literal["CSV", "JSON"]


class RecordError(Exception):
    """Input that can't be sent, or an answer that can't be joined to it; the text is what the job's log says."""


def lines(file: Iterable[bytes]) -> Iterator[bytes]:
    """The records of SplitType Line, without their line ends; a blank line is none."""
    for line in file:
        record = line.rstrip(b"\r\n")
        if record:
            yield record


def batches(records: Iterable[bytes], most_bytes: int, single: bool) -> Iterator[bytes]:
    """The request bodies that `records` make: one each where `single`, else as many to a body as there is room for."""
    batch: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > most_bytes:
            raise RecordError("Too much data for max payload size")
        if batch and (single or size + 1 + len(record) > most_bytes):
            yield b"\n".join(batch)
            batch, size = [], 0
        size += len(record) + (1 if batch else 0)
        batch.append(record)
    if batch:
        yield b"\n".join(batch)


def format_of(content_type: str) -> Format | None:
    """How a content type's records are read for filters and joins; None where they can't be."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "text/csv":
        return "CSV"
    return "JSON" if media_type in ("application/json", "application/jsonlines", "application/x-jsonlines") else None


class DataProcessing:
    """A request's DataProcessing: what of a record goes to the model, and what of both into the output."""

    def __init__(self, request: Mapping[str, str]) -> None:
        """PathError where a filter is no JSONPath."""
        self._input_filter: JsonPath = parse(request.get("InputFilter") or "$")
        self._output_filter: JsonPath = parse(request.get("OutputFilter") or "$")
        self._joins = request.get("JoinSource", "None") == "Input"

    def reads_output(self) -> bool:
        """Whether what the model answers is read, and not only stored."""
        return self._joins or not self._output_filter.is_root()

    def reads_input(self) -> bool:
        """Whether what S3 holds is read, and not only sent."""
        return self._joins or not self._input_filter.is_root()

    def filtered(self, body: bytes, content_type: str) -> bytes:
        """What of a request's `body` the model gets."""
        if self._input_filter.is_root():
            return body
        return _encode([_select(self._input_filter, record) for record in _decode(body, content_type)], content_type)

    def associated(self, body: bytes, content_type: str, answer: bytes, accept: str) -> bytes:
        """What of the model's `answer`, and of the unfiltered `body` it was given for, goes into the output."""
        if not self.reads_output():
            return answer
        found = _decode(answer, accept)
        if self._joins:
            records = _decode(body, content_type)
            if format_of(content_type) != format_of(accept):
                raise RecordError(f"Fail to join data: the input is {content_type} and the output {accept}")
            if len(records) != len(found):
                raise RecordError("Fail to join data: mismatched line count between the input and the output")
            found = [_joined(*pair) for pair in zip(records, found, strict=True)]
        output = _encode([_select(self._output_filter, record) for record in found], accept)
        return output + b"\n" if answer.endswith(b"\n") else output


def assembled(answer: bytes, with_line: bool) -> bytes:
    """What one answer adds to an object's output: with AssembleWith Line, it ends with a line end."""
    return answer.removesuffix(b"\n") + b"\n" if with_line else answer


def _joined(record: Any, output: Any) -> Any:
    """A CSV row with the output's columns after its own; a JSON object that has the output as SageMakerOutput."""
    if isinstance(record, _Row):
        return _Row(record + output)
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": output}
    return {"SageMakerInput": record, "SageMakerOutput": output}


class _Row(list[Any]):
    """A row of CSV, which a filter sees as an array."""


def _select(path: JsonPath, record: Any) -> Any:
    try:
        found = path.select(record)
    except PathError as error:
        raise RecordError(str(error)) from error
    if not isinstance(record, _Row):
        return found
    return _Row(found if isinstance(found, list) else [found])


def _decode(body: bytes, content_type: str) -> list[Any]:
    """The records of a body: rows of CSV; for JSON the one document that it is, or else one a line."""
    kind = format_of(content_type)
    if not kind:
        raise RecordError(f"Filters and joins read CSV and JSON (Lines), and not {content_type or 'an unnamed type'}")
    try:
        text = body.decode()
        if kind == "CSV":
            return [_Row(row) for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        try:
            return [json.loads(text)]
        except ValueError:
            return [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, csv.Error) as error:
        raise RecordError(f"Failed to parse {content_type}: {error}") from error


def _encode(records: list[Any], content_type: str) -> bytes:
    if format_of(content_type) == "CSV":
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(records)
        return text.getvalue().removesuffix("\n").encode()
    return "\n".join(json.dumps(record, separators=(",", ":")) for record in records).encode()
