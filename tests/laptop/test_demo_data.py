"""The demo data: complete, idempotent, and never over something else."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from laptop import demo_data

BUCKET = "bronze"


@pytest.fixture
def bronze(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield


def keys() -> list[str]:
    return [item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_every_flight_and_every_weather_reading_of_2013_is_there() -> None:
    files = dict(demo_data.files())
    lines = {name: [k for k in files if k.startswith(f"{name}/")] for name in ("flights", "weather")}
    assert len(lines["flights"]) == len(lines["weather"]) == 12
    assert sum(files[key].count(b"\n") - 1 for key in lines["flights"]) == 336_776
    assert sum(files[key].count(b"\n") for key in lines["weather"]) == 26_115


def test_a_missing_reading_is_null_and_a_number_a_number() -> None:
    weather = dict(demo_data.files([1]))["weather/year=2013/month=01/weather.jsonl"]
    reading = json.loads(weather.split(b"\n")[0])
    assert reading["temp"] == 39.02 and reading["wind_gust"] is None and reading["origin"] == "EWR"


def test_loading_twice_uploads_nothing_the_second_time(bronze: None) -> None:
    assert demo_data.load(BUCKET, [1]) == {"uploaded": 5, "found": 0}
    assert demo_data.load(BUCKET, [1]) == {"uploaded": 0, "found": 5}


def test_a_file_that_was_deleted_comes_back(bronze: None) -> None:
    demo_data.load(BUCKET, [1])
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="flights/year=2013/month=01/flights.csv")
    assert demo_data.load(BUCKET, [1])["uploaded"] == 1
    assert "flights/year=2013/month=01/flights.csv" in keys()


def test_an_object_with_another_content_is_named_and_left_and_nothing_is_uploaded(bronze: None) -> None:
    key = "weather/year=2013/month=01/weather.jsonl"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"mine")
    with pytest.raises(demo_data.BronzeConflict, match=f"s3://{BUCKET}/{key}"):
        demo_data.load(BUCKET, [1])
    assert keys() == [key]
    assert boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"mine"
