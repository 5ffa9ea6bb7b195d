"""Batch transform's pure parts: JSONPath, records, batches, filters and joins."""

import io
from typing import Any

import pytest

from local_aws.sagemaker.json_path import PathError, parse
from local_aws.sagemaker.records import DataProcessing, RecordError, assembled, batches, lines
from local_aws.sagemaker.transform import batch_variables

ROW = ["a", "b", "c", "d", "e", "f", "g"]
DOCUMENT = {"id": 7, "features": [1, 2, 3], "x": {"y z": {"deep": True}}, "SageMakerOutput": {"score": 0.5}}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", ROW, ROW),
        ("$[0]", ROW, "a"),
        ("$[-1]", ROW, "g"),
        ("$[1:]", ROW, ["b", "c", "d", "e", "f", "g"]),
        ("$[:2]", ROW, ["a", "b"]),
        ("$[-2:]", ROW, ["f", "g"]),
        ("$[0,1]", ROW, ["a", "b"]),
        ("$[0, 5:]", ROW, ["a", "f", "g"]),
        ("$[*]", ROW, ROW),
        ("$.features", DOCUMENT, [1, 2, 3]),
        ("$.features[0]", DOCUMENT, 1),
        ("$['SageMakerOutput']['score']", DOCUMENT, 0.5),
        ("$['SageMakerOutput'].score", DOCUMENT, 0.5),
        ("$.x['y z'].deep", DOCUMENT, True),
        ("$['id','SageMakerOutput']", DOCUMENT, {"id": 7, "SageMakerOutput": {"score": 0.5}}),
        ("$.x.['y z']", DOCUMENT, {"deep": True}),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$[*].a", [{"a": 1}, {"a": 2}], [1, 2]),
        ("$[*]['a','b']", [{"a": 1, "b": 2, "c": 3}], [{"a": 1, "b": 2}]),
    ],
)
def test_a_path_selects(path: str, value: Any, selected: Any) -> None:
    assert parse(path).select(value) == selected


@pytest.mark.parametrize(
    "path", ["", "features", "$[", "$[a]", "$['a", "$..a", "$[?(@.a)]", "$[0:2:1]", "$.", "$[]", "x$"]
)
def test_what_is_no_path_of_batch_transform_is_refused(path: str) -> None:
    with pytest.raises(PathError, match="is not a JSONPath of batch transform"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("$[7]", ROW, r"the index 7 is out of range: there are 7 values"),
        ("$[0,-8]", ROW, r"the index -8 is out of range"),
        ("$.nothing", DOCUMENT, r"'nothing' is not there"),
        ("$['id','nothing']", DOCUMENT, r"'nothing' is not there"),
        ("$.id.name", DOCUMENT, r"'name' is looked for in what is no object"),
        ("$.x[0]", DOCUMENT, r"a position is looked for in what is no array"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error(path: str, value: Any, why: str) -> None:
    with pytest.raises(PathError, match=why):
        parse(path).select(value)


def test_lines_are_records_without_their_line_ends() -> None:
    assert list(lines(io.BytesIO(b"1,2\r\n3,4\n\n5,6"))) == [b"1,2", b"3,4", b"5,6"]


@pytest.mark.parametrize(
    ("most", "single", "bodies"),
    [
        (100, False, [b"aa\nbb\ncc"]),
        (8, False, [b"aa\nbb\ncc"]),
        (7, False, [b"aa\nbb", b"cc"]),
        (2, False, [b"aa", b"bb", b"cc"]),
        (100, True, [b"aa", b"bb", b"cc"]),
    ],
)
def test_a_body_has_as_many_records_as_there_is_room_for(most: int, single: bool, bodies: list[bytes]) -> None:
    assert list(batches([b"aa", b"bb", b"cc"], most, single)) == bodies


def test_a_record_that_no_body_has_room_for() -> None:
    with pytest.raises(RecordError, match="Too much data for max payload size"):
        list(batches([b"aa", b"bbb"], 2, single=False))


@pytest.mark.parametrize(
    ("filter_", "content_type", "body", "sent"),
    [
        ("$", "text/csv", b'1, "a"\r\n', b'1, "a"\r\n'),
        ("$[1:]", "text/csv", b"id1,2,3\nid2,4,5", b"2,3\n4,5"),
        ("$[0]", "text/csv; charset=utf-8", b"1,2\n3,4", b"1\n3"),
        ("$[0,1]", "text/csv", b'1,"a, ""b""",3', b'1,"a, ""b"""'),
        ("$.features", "application/json", b'{\n "id": 1,\n "features": [1, 2]\n}', b"[1,2]"),
        ("$.a", "application/jsonlines", b'{"a": {"b": 1}}\n{"a": {"b": 2}}', b'{"b":1}\n{"b":2}'),
    ],
)
def test_the_input_filter_chooses_what_the_model_gets(
    filter_: str, content_type: str, body: bytes, sent: bytes
) -> None:
    assert DataProcessing({"InputFilter": filter_}).filtered(body, content_type) == sent


CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"


@pytest.mark.parametrize(
    ("filter_", "content_type", "body", "accept", "answer", "output"),
    [
        ("$", CSV, b"id1,2\nid2,3", CSV, b"0.1\n0.9\n", b"id1,2,0.1\nid2,3,0.9\n"),
        ("$[0,-1]", CSV, b"id1,2\nid2,3", CSV, b"0.1\n0.9", b"id1,0.1\nid2,0.9"),
        ("$[-1]", CSV, b"id1,2\nid2,3", CSV, b"0.1\n0.9\n", b"0.1\n0.9\n"),
        ("$", JSON, b'{"id": 1}', JSON, b'{"p": 2}', b'{"id":1,"SageMakerOutput":{"p":2}}'),
        ("$", JSON, b"[1, 2]", JSON, b"3", b'{"SageMakerInput":[1,2],"SageMakerOutput":3}'),
        ("$.SageMakerOutput", JSON, b'{"id": 1}', JSON, b'{"p": 2}', b'{"p":2}'),
        (
            "$['id','SageMakerOutput']",
            LINES,
            b'{"id": 1, "x": 2}\n{"id": 3, "x": 4}',
            LINES,
            b"[5]\n[6]\n",
            b'{"id":1,"SageMakerOutput":[5]}\n{"id":3,"SageMakerOutput":[6]}\n',
        ),
    ],
)
def test_input_and_answer_are_joined_and_filtered(
    filter_: str, content_type: str, body: bytes, accept: str, answer: bytes, output: bytes
) -> None:
    processing = DataProcessing({"JoinSource": "Input", "OutputFilter": filter_})
    assert processing.associated(body, content_type, answer, accept) == output


def test_without_a_join_the_output_filter_chooses_from_the_answer() -> None:
    processing = DataProcessing({"OutputFilter": "$.predictions[0]"})
    assert processing.associated(b"x", "image/png", b'{"predictions": [1, 2]}', JSON) == b"1"


@pytest.mark.parametrize(
    ("accept", "answer", "why"),
    [
        (CSV, b"0.1", "mismatched line count between the input and the output"),
        (JSON, b"[0.1, 0.9]", "Fail to join data: the input is text/csv and the output application/json"),
        (JSON, b"{", "Failed to parse application/json"),
        ("application/x-npy", b"\x93NUMPY", "and not application/x-npy"),
    ],
)
def test_what_cannot_be_joined_is_an_error(accept: str, answer: bytes, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        DataProcessing({"JoinSource": "Input"}).associated(b"1\n2", CSV, answer, accept)


@pytest.mark.parametrize(("answer", "with_line"), [(b"a", b"a\n"), (b"a\n", b"a\n"), (b"a\n\n", b"a\n\n")])
def test_assembled_with_line_an_answer_ends_with_a_line_end(answer: bytes, with_line: bytes) -> None:
    assert (assembled(answer, with_line=True), assembled(answer, with_line=False)) == (with_line, answer)


def test_the_container_is_told_what_the_request_set_and_no_more() -> None:
    assert batch_variables({}) == {"SAGEMAKER_BATCH": "true"}
    assert batch_variables({"BatchStrategy": "SingleRecord", "MaxPayloadInMB": 0, "MaxConcurrentTransforms": 4}) == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
    }
