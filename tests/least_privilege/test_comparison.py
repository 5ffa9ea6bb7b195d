"""Grants compared with recorded calls."""

import json

from least_privilege import calls, tables
from least_privilege.calls import Call
from least_privilege.comparison import compare
from least_privilege.grants import Grant

READ = Grant("jobs", "silver", "s3:GetObject", ("arn:aws:s3:::silver/*", "arn:aws:s3:::gold/*"))
RECORDED = {"time": "2026-01-01T00:00:00.000Z", "action": "s3:GetObject", "allowed": True}
LIST = Grant("jobs", "silver", "s3:ListBucket", ("arn:aws:s3:::silver",))


def test_what_no_call_used_is_named_whole_or_by_the_resource():
    found = compare([READ, LIST], [Call("jobs", "s3:GetObject", "arn:aws:s3:::silver/a/b", True)] * 2)
    assert found.used == {("jobs", "s3:GetObject"): 2}
    assert found.unused == [("jobs", "s3:ListBucket")]
    assert found.untouched == [("jobs", "s3:GetObject", "arn:aws:s3:::gold/*")]


def test_what_was_tried_and_refused_is_named_with_its_resource():
    found = compare([LIST], [Call("jobs", "s3:PutObject", "arn:aws:s3:::bronze/x", False)])
    assert found.refused == [("jobs", "s3:PutObject", "arn:aws:s3:::bronze/x")]


def test_another_roles_calls_use_nothing():
    assert compare([LIST], [Call("airflow", "s3:ListBucket", "arn:aws:s3:::silver", True)]).unused


def test_needless_is_what_neither_a_run_used_nor_aws_asks_for_nor_a_later_run_would_use():
    grants = [Grant("airflow", "p", action, ("*",)) for action in ("glue:GetPartition", "glue:UpdatePartition", "s3:x")]
    found = compare(grants, [])
    assert found.needless == [("airflow", "s3:x")]
    assert "| airflow | `glue:UpdatePartition` | every resource; waits for: a month's files changed |" in (
        tables.comparison(found)
    )


def test_of_a_recording_the_roles_calls_are_read_from_an_offset(tmp_path):
    path = tmp_path / "calls.jsonl"
    callers = ["arn:aws:iam::1:root", "arn:aws:sts::1:assumed-role/x-jobs/SageMaker", "arn:aws:sts::1:assumed-role/y/s"]
    lines = [
        json.dumps(RECORDED | {"caller": caller, "resource": f"arn:{number}"})
        for number, caller in enumerate([*callers, callers[1]])
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    first = len(lines[0]) + 1
    assert calls.read(path, {"jobs": "x-jobs"}) == [
        Call("jobs", "s3:GetObject", "arn:1", True),
        Call("jobs", "s3:GetObject", "arn:3", True),
    ]
    assert len(calls.read(path, {"jobs": "x-jobs"}, first + len(lines[1]) + 1)) == 1


def test_calls_during_a_removal_are_left_out(tmp_path):
    path = tmp_path / "calls.jsonl"
    times = [f"2026-01-01T00:00:0{second}.000Z" for second in range(5)]
    lines = [
        json.dumps(RECORDED | {"time": time, "caller": "arn:aws:sts::1:assumed-role/x/s", "resource": time})
        for time in times
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    read = calls.read(path, {"jobs": "x"}, leaving_out=[(times[1], times[2]), (times[4], None)])
    assert [call.resource for call in read] == [times[0], times[2], times[3]]
