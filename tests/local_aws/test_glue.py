"""What moto's Glue says it runs is refused: nothing comes of it."""

from typing import Any

import boto3
import pytest
from cloudwatch_requests import error


@pytest.mark.parametrize(
    ("operation", "request_", "instead"),
    [
        ("start_crawler", {"Name": "c"}, "Make tables by Athena's CREATE EXTERNAL TABLE"),
        ("start_job_run", {"JobName": "j"}, "Transform data by Athena's queries"),
        ("start_trigger", {"Name": "t"}, "Transform data by Athena's queries"),
        ("start_workflow_run", {"Name": "w"}, "Transform data by Athena's queries"),
    ],
)
def test_what_glue_does_not_run_here_is_refused_by_name(
    local_aws: object, operation: str, request_: dict[str, Any], instead: str
) -> None:
    code, message = error(getattr(boto3.client("glue"), operation), **request_)
    assert code == "NotImplementedException"
    assert "is not implemented by local AWS; nothing has been done." in message
    assert instead in message
