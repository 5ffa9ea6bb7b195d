"""A run after new rows came in, one beside it, and the batches that follow."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import awswrangler as wr
import boto3
import pytest
from machine import Airflow, Laptop
from published import FLIGHTS_IN_THREE_MONTHS, MONTHS, counts, locations, platform, predictions

from laptop import summary

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(59)]  # begins with what test_flight_delay.py has begun with
SILVER = ("scheduled_flights", "flights", "weather", "quarantine", "flight_features")
BROKEN = """\
year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,3,1,yes,no,maybe,,,,,,,,,,,,,
2013,3,2,900,900,0,1200,1200,0,UA,9001,N14228,EWR,XXX,180,1400,9,0,2013-03-02T14:00:00Z
2013,3,3,,900,,,1200,,UA,9002,N14228,EWR,IAH,,1400,9,0,2013-03-03T14:00:00Z
"""


@pytest.fixture(scope="module")
def second_run(laptop: Laptop, api: Airflow) -> dict[str, Any]:
    """A run after broken rows came into March, whose training process is killed once, and another one beside it."""
    before = locations("flight_features")
    bucket = platform()["bronze_bucket"]
    boto3.client("s3").put_object(Bucket=bucket, Key="flights/year=2013/month=03/late.csv", Body=BROKEN)
    with ThreadPoolExecutor(2) as background:
        run = background.submit(laptop.run)
        killed, process = laptop.training()
        process.kill()
        at_once = background.submit(laptop.run)
        return {"done": run.result(), "at_once": at_once.result(), "before": before, "killed": killed}


def test_a_killed_training_process_is_reported_by_its_job_and_the_run_recovers(second_run: dict[str, Any]) -> None:
    assert second_run["done"].returncode == 0, second_run["done"].stdout + second_run["done"].stderr
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName=second_run["killed"])
    assert job["TrainingJobStatus"] == "Failed" and "SIGKILL" in job["FailureReason"]
    assert summary.failure_reason({"TrainingJobName": second_run["killed"]}) == job["FailureReason"]


def test_broken_rows_are_quarantined_with_the_reason_and_only_their_month_is_computed_again(
    second_run: dict[str, Any],
) -> None:
    assert f"{FLIGHTS_IN_THREE_MONTHS + 3:,} rows in" in second_run["done"].stdout
    after = locations("flight_features")
    assert [after[month] == second_run["before"][month] for month in MONTHS] == [True, True, False]
    reasons = wr.athena.read_sql_query(
        "select reason from quarantine where source_table = 'flights' and month = '2013-03' and ("
        "raw_row like '%9001%' or raw_row like '%9002%' or raw_row like '%maybe%')",
        database=platform()["silver_database"],
        workgroup=platform()["athena_workgroup"],
        ctas_approach=False,
    )["reason"]
    assert any(text.startswith("unparseable: ") for text in reasons)
    assert {"no such airport: XXX", "no label: cancelled"} <= set(reasons)


def test_two_runs_at_once_follow_each_other_and_the_second_computes_nothing_twice(second_run: dict[str, Any]) -> None:
    assert second_run["at_once"].returncode == 0, second_run["at_once"].stdout + second_run["at_once"].stderr
    assert "months computed: 0" in second_run["at_once"].stdout.replace("\n", " ")
    assert f"{FLIGHTS_IN_THREE_MONTHS + 3:,} rows in" in second_run["at_once"].stdout
    endpoints = boto3.client("sagemaker").list_endpoints()["Endpoints"]
    assert [(endpoint["EndpointName"], endpoint["EndpointStatus"]) for endpoint in endpoints] == [
        ("flight-delay", "InService")
    ]


def test_what_is_not_published_leaves_nothing_behind(second_run: dict[str, Any]) -> None:
    s3, bucket = boto3.client("s3"), platform()["silver_bucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="flight_delay/runs/")
    tables = {item["Key"].split("/month=")[0] for page in pages for item in page.get("Contents", [])}
    live = {place for table in SILVER for place in locations(table).values()}
    published = {table for table in tables if any(place.startswith(f"s3://{bucket}/{table}/") for place in live)}
    assert published and tables - published == set()


def test_a_month_computed_anew_is_scored_by_the_schedule_and_again_by_each_model_that_is_deployed(
    api: Airflow, second_run: dict[str, Any]
) -> None:
    # After one that nothing could score and the first deployment's: silver's, whose model is the one of then, and those
    # of the two runs' deployments.
    reports = [api.batch_report(number) for number in (2, 3, 4)]
    assert [report["model"].rpartition("/")[2] for report in reports] == ["1", "2", "3"]
    assert {(*report["months"], report["table"]) for report in reports} == {
        ("2013-03", "silverline_local_gold.flight_delay_predictions")
    }
    rows = predictions("2013-03")
    assert len(rows) == reports[-1]["summary"][0]["row_count"] == counts("flight_features")["2013-03"]
    assert rows["feature_month"].notna().all() and rows["late_probability"].between(0, 1).all()
    assert (rows["is_predicted_late"] == (rows["late_probability"] >= 0.25)).all()
    assert set(rows["model"]) == {reports[-1]["model"]}


def test_a_month_scored_again_is_replaced_and_its_model_and_staged_tables_are_gone(
    laptop: Laptop, second_run: dict[str, Any]
) -> None:
    before = predictions("2013-03")
    done = laptop.command("run", "--pipeline", "flight_delay_batch", "--month", "2013-03")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"score\.transform +deferred", done.stdout)
    after = predictions("2013-03")
    assert len(after) == len(before)
    assert set(after["transform_job"]).isdisjoint(before["transform_job"]) and after["transform_job"].nunique() == 1
    assert not boto3.client("sagemaker").list_models(NameContains="flight-delay-batch")["Models"]
    tables = wr.catalog.get_tables(database=platform()["gold_database"])
    names = [table["Name"] for table in tables if not table["Name"].endswith("_captured")]  # monitoring's, at 17 past
    assert names == ["flight_delay_predictions"]


def test_files_that_somebody_put_there_are_scored_as_a_month_that_silver_lacks(
    laptop: Laptop, second_run: dict[str, Any]
) -> None:
    sample = json.loads((laptop.state / "sample-flight_delay.json").read_text())
    key = {"carrier": "B6", "flight_number": 1, "origin": "JFK", "scheduled_departure_at": "2014-01-05 16:00:00"}
    bucket, prefix = platform()["gold_bucket"], "flight_delay/batch/requests/by-hand/"
    line = json.dumps({"record_key": key, "features": sample})
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}flights.jsonl", Body=f"{line}\n".encode())
    batch = ("run", "--pipeline", "flight_delay_batch", "--month", "2014-01")
    done = laptop.command(*batch, "--prefix", f"s3://{bucket}/{prefix}")
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = predictions("2014-01").to_dict("records")
    assert (row["flight_number"], str(row["scheduled_departure_at"])) == (1, "2014-01-05 16:00:00")
