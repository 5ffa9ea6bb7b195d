"""A local AWS that judges calls and writes them down, with what the calls are about, and a user."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from judged import User, trust
from own_server import OwnServer


@pytest.fixture(scope="module")
def calls_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("calls") / "calls.jsonl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, calls_file: Any) -> Iterator[OwnServer]:
    with pytest.MonkeyPatch.context() as patch:
        options = ("--enforce-iam", "--record-calls", str(calls_file))
        own = OwnServer(tmp_path_factory.mktemp("local_aws") / "state", patch, *options)
        yield own
        own.end("SIGTERM")


@pytest.fixture(scope="module")
def platform(server: OwnServer) -> dict[str, str]:
    """What the calls are about, laid by the root user."""
    boto3.client("s3").create_bucket(Bucket="data")
    boto3.client("s3").put_object(Bucket="data", Key="silver/a", Body=b"content")
    boto3.client("glue").create_database(DatabaseInput={"Name": "db"})
    boto3.client("glue").create_table(DatabaseName="db", TableInput={"Name": "t", "StorageDescriptor": {"Columns": []}})
    boto3.client("athena").create_work_group(Name="wg")
    boto3.client("ssm").put_parameter(Name="/app/x", Value="1", Type="String")
    boto3.client("logs").create_log_group(logGroupName="/app")
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    boto3.client("kms").create_alias(AliasName="alias/app", TargetKeyId=key)
    boto3.client("sns").create_topic(Name="topic")
    boto3.client("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    boto3.client("iam").create_role(
        RoleName="jobs", Path="/app/", AssumeRolePolicyDocument=trust({"Service": "sagemaker.amazonaws.com"})
    )
    return {"key": key}


@pytest.fixture(scope="module")
def user(platform: dict[str, str]) -> User:
    return User("alice")
