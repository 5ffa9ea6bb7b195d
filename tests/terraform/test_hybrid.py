"""Airflow on this machine, everything else in an AWS account: a second local AWS, with the state in which Terraform has
left the first one.

What a user does is done with its commands (deploy, demo-data, airflow, reproduce), as an IAM user who may do what
docs/how-to/hybrid.md and docs/registry.md say and nothing else."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import boto3
import pytest
from terraform_cli import REGION, REPOSITORY, LocalAws

from airflow_services import state_in
from laptop import services
from laptop.airflow import Api
from laptop.settings import Settings
from ports import free_ports
from silverline import source

pytestmark = pytest.mark.timeout(1100)
ACCOUNT = "123456789012"
# What Athena (https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html) and S3 do there
# for whoever asks for a query, a copy or the end of a database, and Ctrl-C.
ONLY_ON_AWS = {
    *("glue:BatchGetPartition", "glue:DeleteTable", "glue:GetPartition", "glue:GetTables"),
    *("s3:AbortMultipartUpload", "s3:GetObjectVersionTagging", "sagemaker:StopTrainingJob"),
}


def block(page: str, holding: str) -> str:
    """The indented block of the page that holds this text, for the account of local AWS."""
    text = (REPOSITORY / "docs" / page).read_text()
    (found,) = [one for one in re.findall(r"(?:^ {4}.*\n|^\n)+", text, re.MULTILINE) if holding in one]
    return re.sub("^ {4}", "", found, flags=re.MULTILINE).replace("<account>", ACCOUNT)


def allowed(policy: str) -> set[str]:
    """Every action that the policy names."""
    actions = [statement["Action"] for statement in json.loads(policy)["Statement"]]
    return set(chain(*([each] if isinstance(each, str) else each for each in actions)))


@dataclass(frozen=True)
class User:
    """Whoever is logged in to that account."""

    aws: LocalAws
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The shell in which the make targets are called: no keys, but files with profiles."""
        ours = {"SILVERLINE_ENV": "dev", "SILVERLINE_STATE": str(self.home / "state"), "AWS_REGION": REGION}
        files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
        without = {name: value for name, value in self.aws.environment.items() if name not in self.aws.credentials}
        return without | ours | {name: str(self.home / file) for name, file in files.items()}

    def command(self, *arguments: str) -> str:
        """What one of our commands says, as its make target calls it."""
        whole = [sys.executable, "-m", *arguments]
        done = subprocess.run(whole, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def calls(self) -> list[str]:
        """Each action that the user, and not Airflow's role, has called."""
        calls = [json.loads(line) for line in self.aws.calls.read_text().splitlines()]
        return [call["action"] for call in calls if call["caller"].endswith(":user/engineer")]


@pytest.fixture(scope="module")
def user(as_applied: Path) -> Iterator[User]:
    """The user, whom an administrator has made with the page's policy; the profile of Airflow's role is the page's."""
    aws = LocalAws(as_applied)
    iam = aws.client("iam")
    iam.create_user(UserName="engineer")
    iam.put_user_policy(
        UserName="engineer", PolicyName="hybrid", PolicyDocument=block("how-to/hybrid.md", '"Statement"')
    )
    keys = iam.create_access_key(UserName="engineer")["AccessKey"]
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    credentials = "\n".join(["[default]", *(f"{name} = {keys[key]}" for key, name in names.items())])
    (as_applied / "credentials").write_text(credentials)
    (as_applied / "config").write_text(block("how-to/hybrid.md", "[profile silverline-dev-airflow]"))
    yield User(aws, as_applied)
    aws.stop()


@pytest.fixture
def airflow(user: User) -> Iterator[Api]:
    """`make airflow ENV=dev` as Airflow's role, which has said where it is; Ctrl-C leaves nothing running."""
    (port,) = free_ports(1)
    running = subprocess.Popen(
        [sys.executable, "-m", "laptop", "airflow", f"--airflow-port={port}"],
        env=user.environment | {"AWS_PROFILE": "silverline-dev-airflow"},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with state_in(user.home / "state" / "dev"):
        try:
            said = "".join(takewhile(lambda line: "Ctrl-C" not in line, running.stdout or []))
            assert f"starting Airflow for dev: arn:aws:sts::{ACCOUNT}:assumed-role/silverline-dev-airflow/" in said
            assert f"Airflow   http://127.0.0.1:{port}  (user admin, password " in said
            api = Api(Settings(0, port))
            api.wait_until_ready()
            yield api
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(180) == 0
        assert not services.any_alive()


def test_the_pipeline_runs_green_where_the_users_credentials_lead_to_and_its_endpoint_answers(
    airflow: Api, user: User
) -> None:
    assert "`make airflow ENV=dev`" in user.command("deploy", "--env", "dev")
    assert "27 files loaded" in user.command("laptop", "demo-data")
    airflow.wait_for_dag("flight_delay")
    run_id = airflow.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    deadline = time.monotonic() + 800
    while (state := airflow.run("flight_delay", run_id)["state"]) not in ("success", "failed"):
        assert time.monotonic() < deadline, airflow.task_instances("flight_delay", run_id)
        time.sleep(2)
    assert state == "success", airflow.task_instances("flight_delay", run_id)
    found = airflow.xcom("flight_delay", run_id, "train.find_source")
    assert found == f"s3://silverline-dev-artifacts-{ACCOUNT}/{source.key('flight_delay')}"
    report = airflow.xcom("flight_delay", run_id, "report")
    keys = dict(line.split(" = ") for line in (user.home / "credentials").read_text().splitlines()[1:])
    runtime = boto3.client("sagemaker-runtime", endpoint_url=user.aws.url, region_name=REGION, **keys)
    answer = runtime.invoke_endpoint(
        EndpointName=report["endpoint"],
        ContentType="application/json",
        Body=json.dumps(report["smoke_test"]["sample_request"]),
    )
    assert "probability" in answer["Body"].read().decode()


def test_a_second_time_there_is_nothing_to_bring_and_what_the_user_may_do_is_what_he_did(user: User) -> None:
    assert "nothing to do" in user.command("deploy", "--env", "dev")
    assert "0 files loaded, 27 were there" in user.command("laptop", "demo-data")
    assert set(user.calls) - {"sts:GetCallerIdentity"} == allowed(block("how-to/hybrid.md", '"Statement"'))


def test_a_model_is_made_again_from_bronzes_versions_by_who_may_do_what_the_page_on_the_registry_says(
    user: User,
) -> None:
    policy, before = block("registry.md", '"Statement"'), len(user.calls)
    user.aws.client("iam").put_user_policy(UserName="engineer", PolicyName="reproduce", PolicyDocument=policy)
    bucket = f"silverline-dev-silver-{ACCOUNT}"
    s3: Any = user.aws.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="flight_delay/splits/"):
        for item in page["Contents"]:
            s3.delete_object(Bucket=bucket, Key=item["Key"])
    user.aws.client("glue").delete_partition(
        DatabaseName="silverline_dev_silver", TableName="flight_features", PartitionValues=["2013-01"]
    )
    said = user.command("laptop", "reproduce", "1")
    assert "made again from bronze's versions" in said and "the same model, to the bit" in said, said
    assert allowed(policy) - set(user.calls[before:]) == ONLY_ON_AWS
