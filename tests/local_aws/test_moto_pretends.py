"""What moto's Glue and SSM say they run is refused: nothing comes of it."""

from typing import Any

import boto3
import pytest
from cloudwatch_requests import error


@pytest.mark.parametrize(
    ("service", "operation", "request_", "instead"),
    [
        ("glue", "start_crawler", {"Name": "c"}, "Make tables by Athena's CREATE EXTERNAL TABLE"),
        ("glue", "start_job_run", {"JobName": "j"}, "Transform data by Athena's queries"),
        ("glue", "start_trigger", {"Name": "t"}, "Transform data by Athena's queries"),
        ("glue", "start_workflow_run", {"Name": "w"}, "Transform data by Athena's queries"),
        ("ssm", "send_command", {"DocumentName": "AWS-RunShellScript"}, "Run programs in jobs of SageMaker's"),
    ],
)
def test_what_is_not_run_here_is_refused_by_name(
    local_aws: object, service: str, operation: str, request_: dict[str, Any], instead: str
) -> None:
    code, message = error(getattr(boto3.client(service), operation), **request_)
    assert code == "NotImplementedException"
    assert "is not implemented by local AWS; nothing has been done." in message
    assert instead in message
