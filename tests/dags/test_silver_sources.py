"""Pipelines that are made of other pipelines' silver, and the headers of raw files, on moto's mock."""

import dataclasses
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from moto import mock_aws
from test_backfill import run
from test_on_moto import PLATFORM

import airport_weather
import flight_delay
from silverline import bronze, contracts, silver, sources
from silverline.groups import bronze as planning
from silverline.pipeline import pipeline
from silverline.spec import PipelineSpec

SPEC = airport_weather.spec
FLIGHTS, WEATHER = SPEC.silver_sources
BOTH = dataclasses.replace(SPEC, monthly_sources=("flights",), reference_sources=("planes",))
JANUARY = "flights/year=2013/month=01/flights.csv"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (PLATFORM.bronze_bucket, PLATFORM.artifacts_bucket):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=PLATFORM.bronze_bucket, VersioningConfiguration={"Status": "Enabled"})
        boto3.client("glue").create_database(DatabaseInput={"Name": PLATFORM.silver_database})
        yield


def published(table: str, made_of: dict[str, str], at: datetime | None = None) -> None:
    """Lets silver have just these months of a table, each with the fingerprint of what it is made of, since then."""
    glue, storage = boto3.client("glue"), {"Location": f"s3://silver/{table}/"}
    name = {"DatabaseName": PLATFORM.silver_database}
    if table in [one["Name"] for one in glue.get_tables(**name)["TableList"]]:
        glue.delete_table(**name, Name=table)
    glue.create_table(
        **name,
        TableInput={
            "Name": table,
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": "month", "Type": "string"}],
        },
    )
    said = {silver.PUBLISHED_AT: (at or datetime.now(UTC)).isoformat()}
    for month, fingerprint in made_of.items():
        partition: Any = {"Values": [month], "StorageDescriptor": storage}
        partition["Parameters"] = {silver.FINGERPRINT: fingerprint, **said}
        glue.create_partition(**name, TableName=table, PartitionInput=partition)


def delivered(key: str, body: str | bytes = "as planned") -> None:
    boto3.client("s3").put_object(Bucket=PLATFORM.bronze_bucket, Key=key, Body=body)


def files(spec: PipelineSpec) -> list[bronze.File]:
    return bronze.files(PLATFORM, (*spec.monthly_sources, *spec.reference_sources))


def test_of_each_month_the_silver_tables_are_known_beside_the_raw_ones_by_what_they_are_made_of() -> None:
    delivered(JANUARY)
    published("scheduled_flights", {"2013-01": "f1", "2013-02": "f2"})
    published("weather", {"2013-02": "w2"})
    inventory = sources.inventory(PLATFORM, BOTH, files(BOTH))
    raw = inventory["2013-01"].pop("flights")
    assert inventory == {"2013-01": {FLIGHTS: "f1"}, "2013-02": {FLIGHTS: "f2", WEATHER: "w2"}} and len(raw) == 64
    assert sources.monthly(BOTH) == ("flights", FLIGHTS, WEATHER)


def test_a_pipeline_without_raw_files_is_known_by_its_silver_tables_alone() -> None:
    assert sources.inventory(PLATFORM, SPEC, files(SPEC)) == {}
    published("weather", {"2013-01": "w1"})
    assert sources.inventory(PLATFORM, SPEC, files(SPEC)) == {"2013-01": {WEATHER: "w1"}}


def test_the_manifest_keeps_what_each_silver_month_was_made_of_up_to_the_test_month() -> None:
    published("scheduled_flights", {"2013-01": "f1", "2013-02": "f2", "2013-03": "f3"})
    published("weather", {"2013-01": "w1"})
    delivered("planes/planes.csv")
    made = sources.manifest(PLATFORM, BOTH, files(BOTH), "2013-02")
    assert made["silver"] == {FLIGHTS: {"2013-01": "f1", "2013-02": "f2"}, WEATHER: {"2013-01": "w1"}}
    assert [file["key"] for file in made["files"]] == ["planes/planes.csv"]
    assert "silver" not in sources.manifest(PLATFORM, flight_delay.spec, [], "2013-02")


def test_silver_months_that_came_went_or_were_made_anew_since_the_plan_are_named_among_the_files() -> None:
    published("scheduled_flights", {"2013-01": "f1", "2013-02": "f2"})
    published("weather", {"2013-01": "w1", "2013-02": "w2"})
    delivered(JANUARY)
    delivered("planes/planes.csv")
    manifest = json.loads(json.dumps(sources.manifest(PLATFORM, BOTH, files(BOTH), "2013-03")))  # as it is kept
    months = {None, "2013-01", "2013-02", "2013-03"}
    assert sources.changed(PLATFORM, manifest, months) == []
    delivered(JANUARY, "replaced")
    published("scheduled_flights", {"2013-01": "another", "2013-02": "f2", "2013-03": "f3"})
    published("weather", {"2013-01": "w1"})
    assert sources.changed(PLATFORM, manifest, months) == [
        f"{FLIGHTS} of 2013-01",
        f"{FLIGHTS} of 2013-03",
        f"{WEATHER} of 2013-02",
        JANUARY,
    ]
    assert sources.changed(PLATFORM, manifest, {None, "2013-02"}) == [f"{WEATHER} of 2013-02"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (SPEC, {"any": [{"all": [FLIGHTS, WEATHER]}, "airport_weather.drift"]}),
        (flight_delay.spec, {"any": ["flight_delay.bronze", "flight_delay.drift"]}),
        (BOTH, {"any": ["airport_weather.bronze", {"all": [FLIGHTS, WEATHER]}, "airport_weather.drift"]}),
    ],
    ids=["silver", "bronze", "both"],
)
def test_new_silver_starts_a_run_when_all_of_it_is_new_and_raw_files_or_drift_by_themselves(
    spec: PipelineSpec, expected: dict[str, Any]
) -> None:
    dag = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(pipeline(spec, "docs")))))
    assert _names(dag.timetable.asset_condition.as_expression()) == expected


def _names(expression: Any) -> Any:
    """An expression of assets by their names, an any within an any as one."""
    if "asset" in expression:
        return expression["asset"]["name"]
    ((kind, members),) = expression.items()
    flat: list[Any] = []
    for named in map(_names, members):
        flat += named[kind] if isinstance(named, dict) and kind in named else [named]
    return {kind: flat}


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The task `bronze.plan` of airport_weather, for a test month."""
    monkeypatch.setattr(planning, "platform", lambda: PLATFORM)

    def planned(as_of: str | None = None) -> Any:
        context = {
            "dag_run": run(),
            "params": {"as_of": as_of, "test_months": 1},
            "ti": SimpleNamespace(get_dr_count=lambda dag_id, states: 1),
        }
        monkeypatch.setattr(planning, "get_current_context", lambda: context)
        return airport_weather.dag.get_task("bronze.plan").python_callable()

    return planned


def test_a_plan_of_silver_months_has_the_newest_that_all_tables_have_as_its_test(plan: Any) -> None:
    months = [f"2013-0{number}" for number in range(1, 6)]
    published("scheduled_flights", dict.fromkeys(months, "f"))
    published("weather", dict.fromkeys(months[:4], "w"))
    planned = plan()
    assert planned["as_of"] == "2013-04" and planned["compute"] == months[:4]
    assert planned["splits"]["train"] == ["2013-01", "2013-02"]


def test_a_plan_without_silver_says_which_tables_other_pipelines_are_to_publish(plan: Any) -> None:
    said = (
        "there is nothing yet of flight_delay.scheduled_flights, flight_delay.weather: .* let the pipelines run first"
    )
    with pytest.raises(AirflowFailException, match=said):
        plan()


def test_a_silver_month_that_is_lacking_is_named_by_its_pipeline_and_table(plan: Any) -> None:
    months = [f"2013-0{number}" for number in range(1, 5)]
    published("scheduled_flights", dict.fromkeys(months, "f"))
    published("weather", dict.fromkeys([*months[:1], *months[2:]], "w"))
    with pytest.raises(AirflowFailException, match="these back, .*: flight_delay.weather has nothing for 2013-02$"):
        plan()


@pytest.mark.parametrize("source", ["weather", "flight_delay.", "Flight Delay.weather", "a.b.c"])
def test_a_silver_source_is_named_by_its_pipeline_and_its_table(source: str) -> None:
    with pytest.raises(ValueError, match="airport_weather: silver source .* is no <pipeline>.<table>"):
        dataclasses.replace(SPEC, silver_sources=(source,))


@pytest.mark.parametrize("setting", ["approval", "split_by"])
def test_a_setting_that_is_none_of_its_choices_is_named(setting: str) -> None:
    with pytest.raises(ValueError, match=f"airport_weather: {setting} 'nobody' is none of "):
        dataclasses.replace(SPEC, **{setting: "nobody"})


HEADER = ",".join(contracts.header(contracts.read("flights")))
WITHOUT_YEAR = HEADER.removeprefix("year,")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (HEADER, None),
        (f"\ufeff{HEADER}\r", None),
        (HEADER.replace("year,month", '"year","month"'), None),
        (WITHOUT_YEAR, "lacks year"),
        (f"{HEADER},gate", "has gate, which is new"),
        (HEADER.replace("year", "jahr"), "lacks year and has jahr, which is new"),
        (f"{WITHOUT_YEAR},year", f"has its columns in another order: {WITHOUT_YEAR.replace(',', ', ')}, year"),
    ],
    ids=["sound", "as Excel writes it", "quoted", "lacking", "new", "renamed", "in another order"],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_first_line_of_a_raw_file_is_held_to_its_contract(line: str, wrong: str | None, ending: str) -> None:
    body = f"{line}\n2013,1,1\n".encode()
    delivered(JANUARY + ending, gzip.compress(body) if ending else body)
    found = bronze.broken_headers(PLATFORM, bronze.files(PLATFORM, ["flights"]))
    assert found == ([f"s3://bronze/{JANUARY}{ending} {wrong}"] if wrong else [])


def test_a_long_file_is_not_read_whole_for_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bronze, "HEADER_BYTES", 512)
    lines = f"{HEADER}\n" + "".join(f"{number * 7919},{number}\n" for number in range(10_000))
    delivered(JANUARY, lines)
    delivered(f"{JANUARY}.gz", gzip.compress(lines.encode()))
    assert bronze.broken_headers(PLATFORM, bronze.files(PLATFORM, ["flights"])) == []


def test_json_has_no_header() -> None:
    delivered("weather/year=2013/month=01/weather.jsonl", '{"origin": "JFK"}\n')
    assert bronze.broken_headers(PLATFORM, bronze.files(PLATFORM, ["weather"])) == []


def test_a_file_that_is_called_gz_and_is_none_is_named() -> None:
    delivered(f"{JANUARY}.gz", f"{HEADER}\n")
    found = bronze.broken_headers(PLATFORM, bronze.files(PLATFORM, ["flights"]))
    assert found == [f"s3://bronze/{JANUARY}.gz is no gzip file, as its name says"]
