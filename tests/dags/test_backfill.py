"""Runs of a backfill: which there are, what starts them, and the month that each stands for."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pendulum
import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from moto import mock_aws
from test_on_moto import PLATFORM

from flight_delay import dag
from silverline import contracts, months
from silverline.groups import bronze
from silverline.runs import run_digest, run_slug
from silverline.schedule import asset_or_backfill


@pytest.fixture(scope="module")
def scheduled() -> Any:
    """The DAG as the scheduler has it."""
    return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def run(month: int | None = None, **fields: Any) -> Any:
    """A run as tasks see it: of a backfill where there is a month, else one that somebody started."""
    logical_date = month and pendulum.datetime(2013, month, 1, tz="UTC")
    known = {
        "run_type": "backfill" if month else "manual",
        "run_id": f"backfill__{logical_date}" if month else "manual__1",
        "logical_date": logical_date,
        "run_after": logical_date or pendulum.datetime(2026, 11, 29, tz="UTC"),
        "start_date": datetime(2026, 11, 29, tzinfo=UTC),
    }
    return SimpleNamespace(**known | fields)


def test_a_backfill_gets_a_run_for_each_month_both_ends_included_in_order(scheduled: Any) -> None:
    ends = pendulum.datetime(2013, 3, 1, tz="UTC"), pendulum.datetime(2013, 12, 1, tz="UTC")
    runs = [f"{info.logical_date:%Y-%m}" for info in scheduled.iter_dagrun_infos_between(*ends)]
    assert runs == months.between("2013-03", "2013-12")


def test_a_month_that_is_not_over_can_not_be_backfilled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pendulum, "now", lambda zone: pendulum.datetime(2013, 6, 30, 23, 59, 59, tz=zone))
    timetable = asset_or_backfill(Asset("files"), pendulum.datetime(2013, 3, 1)).timetable
    assert [f"{date:%Y-%m}" for date in timetable.event_dates] == ["2013-03", "2013-04", "2013-05"]


def test_the_clock_starts_no_run_neither_at_first_nor_after_a_backfill(scheduled: Any) -> None:
    (backfilled,) = scheduled.iter_dagrun_infos_between(*[pendulum.datetime(2013, 12, 1, tz="UTC")] * 2)
    assert scheduled.next_dagrun_info(last_automated_run_info=None) is None
    assert scheduled.next_dagrun_info(last_automated_run_info=backfilled) is None
    assets = [asset.name for _, asset in scheduled.timetable.asset_condition.iter_assets()]
    assert assets == ["flight_delay.bronze", "flight_delay.drift"]


def test_a_month_that_is_done_again_gives_its_jobs_other_names() -> None:
    again = run(5, start_date=datetime(2026, 11, 30, tzinfo=UTC))
    assert run_slug(run(5)) == run_slug(run(5)) != run_slug(again)
    assert run_digest(run(5)) != run_digest(again)
    assert run_slug(run()) == run_slug(run(start_date=None))


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The task `bronze.plan` on files of January to June, in a run, beside `others` of the DAG that go on."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(bronze, "platform", lambda: PLATFORM)

    def planned(dag_run: Any, as_of: str | None = None, others: int = 0) -> Any:
        context = {
            "dag_run": dag_run,
            "params": {"as_of": as_of, "test_months": 1},
            "ti": SimpleNamespace(get_dr_count=lambda dag_id, states: 1 + others),
        }
        monkeypatch.setattr(bronze, "get_current_context", lambda: context)
        return dag.get_task("bronze.plan").python_callable()

    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (PLATFORM.bronze_bucket, PLATFORM.artifacts_bucket):
            s3.create_bucket(Bucket=bucket)
        boto3.client("glue").create_database(DatabaseInput={"Name": PLATFORM.silver_database})
        keys = [f"{table}/year=2013/month={month:02}/file" for table in ("flights", "weather") for month in range(1, 7)]
        for key in keys + [f"{table}/file" for table in ("planes", "airports", "airlines")]:
            header = ",".join(contracts.header(contracts.read(key.partition("/")[0])))
            s3.put_object(Bucket=PLATFORM.bronze_bucket, Key=key, Body=header.encode())
        yield planned


def test_a_backfills_run_tests_its_month_and_trains_on_those_before(plan: Any) -> None:
    planned = plan(run(4))
    assert planned["as_of"] == "2013-04" and planned["compute"] == months.between("2013-01", "2013-04")
    assert planned["splits"] == {
        "train": ["2013-01", "2013-02"],
        "validation": ["2013-03", "2013-03"],
        "test": ["2013-04", "2013-04"],
    }


def test_other_runs_test_the_month_that_they_are_given_or_the_newest(plan: Any) -> None:
    assert plan(run(), as_of="2013-05")["as_of"] == "2013-05"
    assert plan(run())["as_of"] == "2013-06"


def test_a_month_of_a_backfill_that_bronze_lacks_fails_its_run(plan: Any) -> None:
    with pytest.raises(AirflowFailException, match="nothing for as_of=2013-07; there is 2013-01 to 2013-06"):
        plan(run(7))


def test_two_runs_at_once_are_refused_before_they_do_anything(plan: Any) -> None:
    with pytest.raises(AirflowFailException, match="a backfill with `--max-active-runs 1`"):
        plan(run(4), others=1)


def test_a_file_that_breaks_its_contract_fails_the_run_before_it_computes_anything(plan: Any) -> None:
    key = "flights/year=2013/month=02/file"
    boto3.client("s3").put_object(Bucket=PLATFORM.bronze_bucket, Key=key, Body=b"year,month\n2013,2\n")
    with pytest.raises(
        AirflowFailException, match=rf"files break their contract: s3://bronze/{key} lacks day, dep_time"
    ):
        plan(run())


@pytest.mark.parametrize(
    "folder",
    ["", "2013/", "year=2013/month=2/", "year=2013/month=13/", "new/year=2013/month=02/", "year=1899/month=12/"],
)
def test_a_file_that_athena_would_not_see_fails_the_run_and_is_told_its_place(plan: Any, folder: str) -> None:
    key = f"flights/{folder}late.csv"
    boto3.client("s3").put_object(Bucket=PLATFORM.bronze_bucket, Key=key, Body=b"year,month\n2013,2\n")
    with pytest.raises(AirflowFailException, match=rf"s3://bronze/{key}. Move them to <table>/year=yyyy/month=mm/"):
        plan(run())
