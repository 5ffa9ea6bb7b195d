"""The environment of what runs on the laptop: never the user's own AWS account."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from laptop import settings
from laptop.settings import Settings


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STATE", tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_nothing_of_the_users_aws_settings_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    users = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    }
    os.environ.update(users)
    Settings(4566, 8080).enter()
    left = {name for name, value in users.items() if os.environ.get(name) == value}
    assert not left
    assert os.environ["AWS_CONFIG_FILE"] == os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert boto3.Session().client("s3").meta.endpoint_url == "http://127.0.0.1:4566"


def test_with_an_environment_of_terraforms_airflow_acts_as_its_role(local_aws: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = boto3.client("iam").create_role(RoleName="some-airflow", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    environment = Settings(int(local_aws.url.rpartition(":")[2]), 8080).role_environment(role)
    ask = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True)
    assert done.stdout.strip().endswith(":assumed-role/some-airflow/airflow"), done.stderr


def test_on_the_users_own_account_his_settings_stay_and_boto3_reads_his_region_too() -> None:
    users = {"AWS_PROFILE": "dev", "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "https://aws.example.com"}
    os.environ.update(users, AIRFLOW__CORE__EXECUTOR="CeleryExecutor")
    environment = Settings(4566, 8080).user_environment()
    assert environment.items() >= users.items()
    assert environment["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_whom_airflow_tells_of_its_metrics_and_traces_is_the_users_to_say() -> None:
    users = {"AIRFLOW__METRICS__OTEL_ON": "True", "AIRFLOW__TRACES__OTEL_ON": "True", "OTEL_SERVICE_NAME": "mine"}
    os.environ.update(users)
    assert Settings(4566, 8080).environment().items() >= users.items()
    assert Settings(4566, 8080).user_environment().items() >= users.items()


def test_airflow_finds_its_variables_under_the_name_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENT", "dev")
    backend = json.loads(Settings(4566, 8080).environment()["AIRFLOW__SECRETS__BACKEND_KWARGS"])
    assert backend["variables_prefix"] == "/silverline/dev"


def test_the_password_is_made_once_and_for_the_user_alone(tmp_path: Path) -> None:
    first = settings.airflow_secrets()
    assert settings.airflow_secrets() == first
    for name in ("secrets.json", "passwords.json"):
        path = tmp_path / "airflow" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert first["password"] in path.read_text()
