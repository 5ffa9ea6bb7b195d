"""A model whose splits have expired is made again from silver, or from the versions of its raw files."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import awswrangler as wr
import boto3
import pytest
import small_model
from sql_lake import AIRPORTS, Athena, raw_flight, raw_weather
from test_reproduce import again

from airport_weather import spec as airport_weather
from flight_delay import spec
from laptop import past_silver
from laptop.services import ServiceError
from silverline import bronze, lineage, registration, silver, splits, sql
from silverline.platform import Platform

MONTHS = ("2013-01", "2013-02", "2013-03")
CUTS = {name: (month, month) for name, month in zip(("train", "validation", "test"), MONTHS, strict=True)}


@pytest.fixture(scope="module")
def lake(model: str) -> Iterator[Athena]:
    """Three months of raw files, a flight and an observation each, and what there is besides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WR_ATHENA_QUERY_WAIT_POLLING_DELAY", "0.02")
        wr.config.reset("athena_query_wait_polling_delay")
        lake = Athena()
        versioning: Any = {"Status": "Enabled"}
        lake.s3.put_bucket_versioning(Bucket=lake.bronze_bucket, VersioningConfiguration=versioning)
        result: Any = {"OutputLocation": f"s3://{lake.silver_bucket}/results/"}
        enforced: Any = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": result}
        boto3.client("athena").create_work_group(Name="lake", Configuration=enforced)
        lake.given("bronze.airports", AIRPORTS)
        lake.given("bronze.airlines", [{"carrier": "B6", "name": "JetBlue"}])
        lake.given("bronze.planes", [{"tailnum": "N1", "year": 2003}])
        lake.given("bronze.weather", [raw_weather(f"{month}-05 14:00") for month in MONTHS])
        lake.given("bronze.flights", [raw_flight(f"{month}-05 16:00", (5, 25)) for month in MONTHS])
        yield lake
    wr.config.reset("athena_query_wait_polling_delay")


@pytest.fixture(scope="module")
def place(lake: Athena) -> Platform:
    """The platform with that lake."""
    buckets = {"bronze_bucket": lake.bronze_bucket, "silver_bucket": lake.silver_bucket}
    databases = {"bronze_database": lake.bronze, "silver_database": lake.silver}
    return replace(small_model.PLATFORM, athena_workgroup="lake", **buckets, **databases)


def compute(place: Platform, run: str) -> list[bronze.File]:
    """The files that silver is made of now."""
    files = bronze.files(place, (*spec.monthly_sources, *spec.reference_sources))
    past_silver.compute(place, spec, files, MONTHS[-1], sql.digest(spec.name), run)
    return files


@pytest.fixture(scope="module")
def version(place: Platform) -> str:
    """The version of a model that was trained on the splits of that lake, which have expired since."""
    files = compute(place, "first")
    unloaded = splits.unload(place, spec, CUTS, "first")
    assert unloaded["silver_runs"] == dict.fromkeys(MONTHS, "first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_model, "SPLITS", unloaded["prefix"])
        made = small_model.train("of-the-lake", data_version=unloaded["data_version"])
    plan = {
        "as_of": MONTHS[-1],
        "splits": CUTS,
        "bronze": lineage.store(place, spec.name, bronze.manifest(place, files, spec.reference_sources, MONTHS[-1])),
        "sql_digest": sql.digest(spec.name),
    }
    gated = small_model.gate(made, evaluation="of-the-lake")
    arn = registration.register(place, spec, plan, unloaded["silver_runs"], gated)
    wr.s3.delete_objects(unloaded["prefix"])
    return arn.rpartition("/")[2]


def places(place: Platform) -> list[tuple[str, str]]:
    """Where each month of each silver table lies, and of what it is made; the databases; the splits and runs."""
    glue = boto3.client("glue")
    tables = [table["Name"] for table in glue.get_tables(DatabaseName=place.silver_database)["TableList"]]
    partitions = [
        (partition["StorageDescriptor"]["Location"], partition.get("Parameters", {}).get(silver.FINGERPRINT, ""))
        for table in tables
        for partition in glue.get_partitions(DatabaseName=place.silver_database, TableName=table)["Partitions"]
    ]
    databases = [(database["Name"], "") for database in glue.get_databases()["DatabaseList"]]
    folder = f"s3://{place.silver_bucket}/{spec.name}/"
    return sorted(partitions + databases + [(name, "") for name in wr.s3.list_objects(folder)])


def verdicts(shown: str) -> set[str]:
    return {line.split()[-1] for line in shown.splitlines() if ".tar.gz: " in line}


def test_splits_that_have_expired_are_made_again_from_silver_and_deleted(place: Platform, version: str) -> None:
    before = places(place)
    code, shown = again(version, place)
    assert code == 0 and "made again from silver ..." in shown and verdicts(shown) == {"equal"}
    assert places(place) == before


def test_where_silver_has_moved_on_the_versions_of_bronzes_files_make_the_model_again(
    lake: Athena, place: Platform, version: str
) -> None:
    lake.given("bronze.flights", [raw_flight("2013-01-06 16:00", (50, 50))])
    compute(place, "second")
    before = places(place)
    code, shown = again(version, place)
    assert code == 0 and "made again from bronze's versions" in shown and verdicts(shown) == {"equal"}
    assert places(place) == before


def test_other_sql_than_the_models_is_not_run(place: Platform, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "digest", lambda pipeline: "0" * 64)
    with pytest.raises(ServiceError, match="isn't the SQL that made them: check out commit a{40}"):
        again(version, place)


def test_versions_of_raw_files_that_are_gone_are_named(lake: Athena, place: Platform, version: str) -> None:
    before = places(place)
    key = "flights/year=2013/month=01/data"
    versions = lake.s3.list_object_versions(Bucket=lake.bronze_bucket, Prefix=key)["Versions"]
    (old,) = [each["VersionId"] for each in versions if not each["IsLatest"]]
    lake.s3.delete_object(Bucket=lake.bronze_bucket, Key=key, VersionId=old)
    named = rf"1 raw files are gone .*: s3://{lake.bronze_bucket}/{key} \(version {old}\)"
    with pytest.raises(ServiceError, match=named):
        again(version, place)
    assert places(place) == before


def test_silver_that_is_made_of_other_pipelines_silver_is_not_made_again_from_bronze() -> None:
    sources = airport_weather.silver_sources
    manifest = {"bucket": "bronze", "files": [], "silver": dict.fromkeys(sources, {})}
    said = f"silver can't be made again: airport_weather is made of {', '.join(sources)}, and what these were made of"
    with pytest.raises(ServiceError, match=said):
        with past_silver.made_again(small_model.PLATFORM, airport_weather, manifest, MONTHS[-1], "digest", "run"):
            pytest.fail("it was made")
