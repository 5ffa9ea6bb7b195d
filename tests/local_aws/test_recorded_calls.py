"""The file that --record-calls writes."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from own_server import OwnServer

from local_aws.authorization.principals import root
from local_aws.authorization.recorder import Recorder


def test_lines_are_whole_and_in_order_whoever_writes_at_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "calls")
    with ThreadPoolExecutor(8) as pool:
        for number in range(400):
            pool.submit(recorder.write, root("1"), "s3:GetObject", f"arn:aws:s3:::b/{number}", True, "x" * 500)
    recorder.close()
    lines = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert {line["resource"] for line in lines} == {f"arn:aws:s3:::b/{number}" for number in range(400)}
    times = [line["time"] for line in lines]
    assert times == sorted(times)


def test_calls_are_recorded_without_being_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = OwnServer(tmp_path / "state", monkeypatch, "--record-calls", str(tmp_path / "calls"))
    nobodys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
    boto3.client("ssm", **nobodys).put_parameter(Name="/a", Value="1", Type="String")
    own.end("SIGTERM")
    [line] = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert (line["caller"], line["action"], line["resource"], line["allowed"]) == (
        "arn:aws:iam::123456789012:root",
        "ssm:PutParameter",
        "arn:aws:ssm:us-east-1:123456789012:parameter/a",
        True,
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = OwnServer(tmp_path / "state", monkeypatch, "--record-calls", str(tmp_path / "no" / "calls"))
    assert own.process.wait(20) == 1
    assert own.errors() == [f"{tmp_path}/no/calls: {os.strerror(2)}"]
