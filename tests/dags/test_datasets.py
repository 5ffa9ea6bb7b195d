"""What OpenLineage is told that tasks read and write."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from test_on_moto import PLATFORM

from flight_delay import spec
from silverline import datasets, sql
from silverline.operators import TrainingOperator, TuningOperator


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[str]]]:
    """What is recorded, as if somebody listened."""
    found: list[tuple[list[str], list[str]]] = []
    monkeypatch.setattr(datasets, "_wanted", lambda: True)
    monkeypatch.setattr(datasets, "record", lambda reads, writes: found.append((list(reads), list(writes))))
    monkeypatch.setattr(datasets, "_location", lambda database, table: f"s3://{database}/{table}/")
    return found


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("staging/checked_flights", {("test_bronze", "flights"), ("test_bronze", "airports")}),
        ("silver/quarantine", {("test_silver", "flights_1"), ("test_silver", "weather_1")}),
    ],
)
def test_the_tables_that_a_statement_reads_are_those_of_the_platform_in_it(name: str, tables: set[Any]) -> None:
    candidate = {f"checked_{table}": f"test_silver.{table}_1" for table in ("flights", "weather")}
    statement = sql.render(
        spec.name, name, bronze="test_bronze", silver="test_silver", candidate=candidate, months=["2013-01"]
    )
    assert set(datasets.tables_read(statement, PLATFORM)) == tables


def test_an_insert_reads_tables_and_writes_one(recorded: list[Any]) -> None:
    statement = "insert into staged\nselect extract(hour from a.b) from test_bronze.flights join test_silver.x on true"
    datasets.record_query(statement, "test_silver", PLATFORM)
    assert recorded == [(["s3://test_bronze/flights/", "s3://test_silver/x/"], ["s3://test_silver/staged/"])]


def test_an_unload_writes_a_prefix(recorded: list[Any]) -> None:
    statement = "unload (\nselect * from test_silver.x\n) to 's3://silver/splits/train/' with (format = 'PARQUET')"
    datasets.record_query(statement, "test_silver", PLATFORM)
    assert recorded == [(["s3://test_silver/x/"], ["s3://silver/splits/train/"])]


def test_other_statements_are_not_told_of(recorded: list[Any]) -> None:
    datasets.record_query("create external table y (a int) location 's3://silver/y/'", "test_silver", PLATFORM)
    assert recorded == []


def test_a_catalog_that_does_not_answer_fails_nothing(
    recorded: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def throttled(database: str, table: str) -> str:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetTable")

    monkeypatch.setattr(datasets, "_location", throttled)
    datasets.record_query("insert into staged select 1", "test_silver", PLATFORM)
    assert recorded == [] and "ThrottlingException" in capsys.readouterr().out


def test_addresses_and_arns_are_named_alike_however_they_are_written() -> None:
    names = [datasets.dataset(address) for address in ("s3://b/a/table/", "s3://b/a/table", PLATFORM.airflow_role_arn)]
    assert [(name.namespace, name.name) for name in names] == [
        ("s3://b", "a/table"),
        ("s3://b", "a/table"),
        ("arn:aws:iam::123456789012", "role/airflow"),
    ]


def test_a_jobs_datasets_are_named_like_those_of_queries() -> None:
    task = TrainingOperator(task_id="train", config={}, deferrable=True)
    source = {"S3DataSource": {"S3Uri": "s3://silver/splits/train/"}}
    task.serialized_training_data = {
        "InputDataConfig": [{"DataSource": source}],
        "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/job/output/model.tar.gz"},
    }
    told = task.get_openlineage_facets_on_complete(None)
    assert [(one.namespace, one.name) for one in told.inputs] == [("s3://silver", "splits/train")]
    assert [(one.namespace, one.name) for one in told.outputs] == [("s3://artifacts", "job/output/model.tar.gz")]
    assert TuningOperator(task_id="tune", config={}).get_openlineage_facets_on_complete(None) is None


@mock_aws
def test_without_a_transport_nobody_is_asked_or_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets, "_location", boto3.client)  # would fail
    datasets.record_query("insert into staged select 1", "test_silver", PLATFORM)
    datasets.record([json.dumps("no address")], [])
