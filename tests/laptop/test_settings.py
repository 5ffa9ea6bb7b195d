"""The environment of what runs on the laptop: never the user's own AWS account."""

import os
import stat
from pathlib import Path

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


def test_the_password_is_made_once_and_for_the_user_alone(tmp_path: Path) -> None:
    first = settings.airflow_secrets()
    assert settings.airflow_secrets() == first
    for name in ("secrets.json", "passwords.json"):
        path = tmp_path / "airflow" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert first["password"] in path.read_text()
