"""What local AWS holds is there again when it is started again, and whole when it was killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloudwatch_requests import alarm_in, metric_alarm, put
from sagemaker_requests import eventually

INFRA = Path(__file__).parents[2] / "infra"


class Machine:
    """`python -m local_aws --state-dir` as a process that can be stopped, killed and started again."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.errors = state.with_name("errors.log")
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> "Machine":
        self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=subprocess.PIPE, text=True,
                                        stderr=self.errors.open("a"))  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        return self

    def command(self) -> list[str]:
        return [sys.executable, "-m", "local_aws", "--port", "0", "--state-dir", str(self.state)]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(INFRA)}

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", **keys)

    def end(self, how: signal.Signals) -> None:
        """End the server by a signal; by SIGKILL once a snapshot has what was done before."""
        assert self.process is not None
        if how == signal.SIGKILL:
            self.wait_for_snapshot()
        self.process.send_signal(how)
        self.process.wait(30)

    def wait_for_snapshot(self) -> None:
        """Return when what has been done so far is on disk: what is on disk has the mark that is set now."""
        mark = f"mark-{os.urandom(8).hex()}"
        self.client("ssm").put_parameter(Name="mark", Value=mark, Type="String", Overwrite=True)
        eventually(lambda: (self.state / "state").exists() and (self.state / "state").read_bytes(),
                   lambda content: content and mark.encode() in content)  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "state").start()
    yield made
    if made.process:
        made.process.kill()
        made.process.wait()


@pytest.fixture(params=["SIGTERM", "SIGKILL"])
def restart(machine: Machine, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Ends the server, one way or the other, and starts it again."""

    def end_and_start() -> None:
        machine.end(signal.Signals[request.param])
        machine.start()

    return end_and_start


def test_buckets_parameters_roles_and_databases_are_there_again(machine: Machine, restart: Callable[[], None]) -> None:
    machine.client("s3").create_bucket(Bucket="raw")
    machine.client("s3").put_object(Bucket="raw", Key="a", Body=b"content", Tagging="team=ml", Metadata={"x": "y"})
    machine.client("ssm").put_parameter(Name="/a", Value="value", Type="String")
    machine.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    machine.client("glue").create_database(DatabaseInput={"Name": "lake"})

    restart()

    found = machine.client("s3").get_object(Bucket="raw", Key="a")
    assert (found["Body"].read(), found["Metadata"], found["TagCount"]) == (b"content", {"x": "y"}, 1)
    assert machine.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "value"
    assert machine.client("iam").get_role(RoleName="role")["Role"]["RoleName"] == "role"
    assert machine.client("glue").get_database(Name="lake")["Database"]["Name"] == "lake"


def test_metrics_are_there_again_and_alarms_go_on(machine: Machine, restart: Callable[[], None]) -> None:
    cloudwatch = machine.client("cloudwatch")
    cloudwatch.put_metric_alarm(**metric_alarm("kept", TreatMissingData="ignore"))
    cloudwatch.put_composite_alarm(AlarmName="kept-composite", AlarmRule="ALARM(kept)")
    put(cloudwatch, "kept", 1)
    alarm_in(cloudwatch, "kept", "OK")

    restart()

    cloudwatch = machine.client("cloudwatch")
    history = cloudwatch.describe_alarm_history(AlarmName="kept")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in history] == ["StateUpdate", "ConfigurationUpdate"]
    assert cloudwatch.list_metrics(Namespace="Tests")["Metrics"][0]["MetricName"] == "kept"
    put(cloudwatch, "kept", 12)
    alarm_in(cloudwatch, "kept-composite", "ALARM")
