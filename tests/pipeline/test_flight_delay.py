"""The whole DAG on real flights, as `make run` starts it; the tests build on each other, in this order."""

import contextlib
import io
import json
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd
import psutil
import pytest
from machine import ROOT, Laptop
from rich.console import Console

from laptop import progress, services, settings, summary
from laptop.airflow import Api

pytestmark = [pytest.mark.timeout(900), pytest.mark.long(320)]
SDK = ROOT / ".envs" / "sagemaker-sdk" / "bin" / "python"
SDK_CLIENT = Path(__file__).parent / "sagemaker_sdk_client.py"
SILVER = ("flights", "weather", "quarantine", "flight_features")
MONTHS = ("2013-01", "2013-02", "2013-03")
FLIGHTS_IN_THREE_MONTHS = 80_789
BROKEN = """\
year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,3,1,yes,no,maybe,,,,,,,,,,,,,
2013,3,2,900,900,0,1200,1200,0,UA,9001,N14228,EWR,XXX,180,1400,9,0,2013-03-02T14:00:00Z
2013,3,3,,900,,,1200,,UA,9002,N14228,EWR,IAH,,1400,9,0,2013-03-03T14:00:00Z
"""


@pytest.fixture
def api(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Airflow's API on that laptop, logged in."""
    monkeypatch.setattr(settings, "STATE", laptop.state)
    monkeypatch.setattr(services, "RECORDS", laptop.state / "services")
    connected = Api(laptop.settings)
    connected.wait_until_ready()
    return connected


def platform() -> dict[str, str]:
    parameter = boto3.client("ssm").get_parameter(Name="/silverline/local/platform")
    return dict(json.loads(parameter["Parameter"]["Value"]))


def counts(table: str) -> dict[str, int]:
    place = platform()
    frame = wr.athena.read_sql_query(
        f"select month, count(*) as row_count from {table} group by month",
        database=place["silver_database"],
        workgroup=place["athena_workgroup"],
        ctas_approach=False,
    )
    return {row.month: int(row.row_count) for row in frame.itertuples()}


def predictions(month: str) -> Any:
    """The published predictions of a month, beside the features of their flights."""
    place = platform()
    return wr.athena.read_sql_query(
        f"""
        select features.month as feature_month, predictions.*
        from (select * from {place["silver_database"]}.flight_features where month = '{month}') as features
        full outer join (select * from flight_delay_predictions where month = '{month}') as predictions
            on features.carrier = predictions.carrier
            and features.flight_number = predictions.flight_number
            and features.origin = predictions.origin
            and features.scheduled_departure_at = predictions.scheduled_departure_at
        """,
        database=place["gold_database"],
        workgroup=place["athena_workgroup"],
        ctas_approach=False,
    )


def batch_report(api: Api, number: int) -> dict[str, Any]:
    """What the batch DAG's run of that number reported, once it has ended."""
    for _ in range(1500):
        runs = api._get("/dags/flight_delay_batch/dagRuns", order_by="run_after")["dag_runs"]
        if len(runs) > number and runs[number]["state"] in progress.FINISHED:
            assert runs[number]["state"] == "success"
            return dict(api.xcom("flight_delay_batch", runs[number]["dag_run_id"], "report"))
        time.sleep(0.2)
    raise AssertionError(f"run {number} of flight_delay_batch has not ended within 5 minutes: {runs}")


def locations(table: str) -> dict[str, str]:
    return {values[0]: path for path, values in wr.catalog.get_partitions(platform()["silver_database"], table).items()}


def jobs() -> list[dict[str, Any]]:
    return list(boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"])


def test_a_run_ends_in_a_served_model_and_says_how_to_ask_it(first_run: subprocess.CompletedProcess[str]) -> None:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    assert f"{FLIGHTS_IN_THREE_MONTHS:,} rows in" in first_run.stdout
    assert re.search(r"roc_auc\s+0\.\d{4} .*\s0\.5000 ", first_run.stdout)
    assert (
        "promote\n- log loss 0." in first_run.stdout and "there is no champion to compare it with" in first_run.stdout
    )
    command = next(line for line in first_run.stdout.splitlines() if "invoke-endpoint" in line)
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "probability" in answer.stdout


def test_boto3_gets_a_probability_for_a_flight(laptop: Laptop, first_run: subprocess.CompletedProcess[str]) -> None:
    sample = (laptop.state / "sample-flight_delay.json").read_bytes()
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="flight-delay", ContentType="application/json", Body=sample
    )
    assert "probability" in response["Body"].read().decode()
    assert laptop.command("invoke").returncode == 0


def test_no_row_is_lost_between_bronze_and_silver(first_run: subprocess.CompletedProcess[str]) -> None:
    joined, quarantined = counts("flight_features"), counts("quarantine where source_table = 'flights'")
    assert tuple(sorted(joined)) == MONTHS
    assert sum(joined.values()) + sum(quarantined.values()) == FLIGHTS_IN_THREE_MONTHS


def test_the_model_carries_its_data_version_and_commit(first_run: subprocess.CompletedProcess[str]) -> None:
    sagemaker = boto3.client("sagemaker")
    job = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    description = sagemaker.describe_training_job(TrainingJobName=job)
    assert re.fullmatch(r'"[0-9a-f]{16}"', description["HyperParameters"]["data_version"])
    assert re.match(r'"[0-9a-f]{40}', description["HyperParameters"]["git_commit"])
    metrics = {metric["MetricName"] for metric in description["FinalMetricDataList"]}
    assert {"train:roc_auc", "validation:roc_auc", "test:roc_auc"} <= metrics


def test_an_evaluation_lies_in_the_artifacts_with_its_pictures(first_run: subprocess.CompletedProcess[str]) -> None:
    job = boto3.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"][0]["ProcessingJobName"]
    prefix = f"flight_delay/evaluation/{job}/"
    listed = boto3.client("s3").list_objects_v2(Bucket=platform()["artifacts_bucket"], Prefix=prefix)
    names = {item["Key"].removeprefix(prefix) for item in listed["Contents"]}
    pictures = {f"plots/{name}.png" for name in ("roc", "calibration", "lift", "slices")}
    assert {"comparison.json", "evaluation.json"} | pictures <= names


def test_staged_tables_are_gone(first_run: subprocess.CompletedProcess[str]) -> None:
    names = [table["Name"] for table in wr.catalog.get_tables(database=platform()["silver_database"])]
    assert sorted(names) == ["flight_features", "flights", "quarantine", "scheduled_flights", "weather"]


def test_before_there_is_a_model_the_schedule_starts_a_batch_that_ends_well_and_scores_nothing(
    api: Api, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert batch_report(api, 0)["skipped"] == "no model has been deployed or approved yet: nothing to score with"


def test_a_model_that_was_deployed_scores_the_newest_month(
    api: Api, first_run: subprocess.CompletedProcess[str]
) -> None:
    report = batch_report(api, 1)
    assert report["months"] == ["2013-03"] and report["model"].endswith("/1")
    assert report["summary"][0]["row_count"] == counts("flight_features")["2013-03"]


def test_a_deleted_bronze_file_fails_the_run_by_name_and_silver_stays(
    api: Api, first_run: subprocess.CompletedProcess[str]
) -> None:
    before = locations("flight_features")
    key = "flights/year=2013/month=02/flights.csv"
    boto3.client("s3").delete_object(Bucket=platform()["bronze_bucket"], Key=key)
    run_id = api.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    assert progress.follow(api, "flight_delay", run_id, Console()) == "failed"
    log = "\n".join(api.log_lines("flight_delay", run_id, "bronze.plan", 1))
    assert "bronze.flights has no file for 2013-02 any more, though silver has that month" in log
    assert locations("flight_features") == before


def test_a_month_that_bronze_has_not_fails_naming_the_task_and_the_cause(
    laptop: Laptop, first_run: subprocess.CompletedProcess[str]
) -> None:
    done = laptop.run("--as-of", "2014-01")
    assert done.returncode == 1
    assert "bronze.plan failed" in done.stdout
    assert "bronze has no files for as_of=2014-01" in done.stdout.replace("\n", " ")


@pytest.fixture(scope="module")
def second_run(laptop: Laptop, first_run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """A run after broken rows came into March, whose training process is killed once, and another one beside it."""
    before = locations("flight_features")
    bucket = platform()["bronze_bucket"]
    boto3.client("s3").put_object(Bucket=bucket, Key="flights/year=2013/month=03/late.csv", Body=BROKEN)
    with ThreadPoolExecutor(2) as background:
        run = background.submit(laptop.run)  # loads the file that a test before deleted
        killed = kill_training(laptop)
        at_once = background.submit(laptop.run)
        return {"done": run.result(), "at_once": at_once.result(), "before": before, "killed": killed}


def kill_training(laptop: Laptop) -> str:
    """End the process of the next training job with SIGKILL; returns the job's name."""
    record = json.loads((laptop.state / "services" / "local-aws.json").read_text())
    for _ in range(1800):
        running = boto3.client("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        for process in psutil.Process(record["pid"]).children(recursive=True) if running else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                if "train.py" in process.cmdline():
                    process.kill()
                    return str(running[0]["TrainingJobName"])
        time.sleep(0.2)
    raise AssertionError("no training process was seen within 6 minutes")


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
    prefixes = {item["Key"].split("/month=")[0] for page in pages for item in page.get("Contents", [])}
    live = {place for table in SILVER for place in locations(table).values()}
    orphans = [prefix for prefix in prefixes if "__checked_" in prefix]
    assert live and not orphans


def test_a_month_computed_anew_is_scored_by_the_schedule_and_again_by_each_model_that_is_deployed(
    api: Api, second_run: dict[str, Any]
) -> None:
    # After one that nothing could score and the first deployment's: silver's, whose model is the one of then, and those
    # of the two runs' deployments.
    reports = [batch_report(api, number) for number in (2, 3, 4)]
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
    assert [table["Name"] for table in tables] == ["flight_delay_predictions"]


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


def shuffled(delays: pd.Series) -> pd.Series:
    """Three in ten delays stand with other flights."""
    some = delays.sample(frac=0.3, random_state=1)
    return delays.where(
        ~delays.index.isin(some.index), pd.Series(some.sample(frac=1, random_state=2).values, some.index)
    )


def half_an_hour_more(delays: pd.Series) -> pd.Series:
    return delays + 30


@pytest.mark.parametrize(
    ("damage", "decision", "reason", "status"),
    [
        (shuffled, "hold", "may be worse than the champion's", "PendingManualApproval"),
        (half_an_hour_more, "reject", "apart on average, more than the 0.05 allowed", "Rejected"),
    ],
)
def test_a_model_of_damaged_data_ends_a_green_run_that_says_why_and_deploys_nothing(
    laptop: Laptop,
    api: Api,
    second_run: dict[str, Any],
    damage: Callable[[pd.Series], pd.Series],
    decision: str,
    reason: str,
    status: str,
) -> None:
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    place: Any = {"Bucket": platform()["bronze_bucket"], "Key": "flights/year=2013/month=01/flights.csv"}
    served = sagemaker.describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"]
    intact = s3.get_object(**place)["Body"].read()
    flights = pd.read_csv(io.BytesIO(intact), dtype=str, keep_default_na=False)
    delays = pd.to_numeric(flights["arr_delay"], errors="coerce").dropna()
    flights.loc[delays.index, "arr_delay"] = damage(delays).astype(int).astype(str)
    s3.put_object(**place, Body=flights.to_csv(index=False))
    run_id = api.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    state = progress.follow(api, "flight_delay", run_id, Console())
    s3.put_object(**place, Body=intact)
    assert state == "success"
    said, report = Console(record=True, file=io.StringIO()), api.xcom("flight_delay", run_id, "report")
    summary.print_report(said, laptop.settings, "flight_delay", report)
    text = said.export_text()
    assert f"\n{decision}\n" in text and reason in text and "Nothing was deployed" in text
    package = sagemaker.describe_model_package(ModelPackageName=report["model_package"])
    assert package["ModelApprovalStatus"] == status
    states = {task["task_id"]: task["state"] for task in api.task_instances("flight_delay", run_id)}
    assert {state for task, state in states.items() if task.startswith("deploy.")} == {"skipped"}
    assert sagemaker.describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"] == served


@pytest.mark.parametrize("marked", ["/taskInstances/train.train", ""], ids=["task", "run"])
def test_a_job_ends_with_the_task_or_the_run_that_a_person_marks_as_failed(
    api: Api, second_run: dict[str, Any], marked: str
) -> None:
    run_id = api.trigger("flight_delay", {"as_of": "2013-03"})["dag_run_id"]
    name = training_of(api, run_id)
    path, state = f"/api/v2/dags/flight_delay/dagRuns/{run_id}{marked}", "new_state" if marked else "state"
    api._session.patch(f"{api._url}{path}", json={state: "failed"}, timeout=60).raise_for_status()
    assert progress.follow(api, "flight_delay", run_id, Console()) == "failed"
    assert boto3.client("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Stopped"
    assert name in "\n".join(api.log_lines("flight_delay", run_id, "stop_jobs", 1))


def training_of(api: Api, run_id: str) -> str:
    """The run's training job, for which its task has begun to wait."""
    for _ in range(1800):
        tasks = {task["task_id"]: task["state"] for task in api.task_instances("flight_delay", run_id)}
        if tasks["train.train"] == "deferred":
            (job,) = boto3.client("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
            return str(job["TrainingJobName"])
        time.sleep(0.2)
    raise AssertionError("no training task was seen waiting within 6 minutes")


def test_a_setting_that_the_dag_has_not_is_refused(laptop: Laptop, second_run: dict[str, Any]) -> None:
    done = laptop.command("run", "--pipeline", "flight_delay_batch", "--as-of", "2013-03")
    assert done.returncode == 1 and "flight_delay_batch takes month, prefix, and not as_of" in done.stderr


def test_announced_data_starts_a_run_by_the_schedule(laptop: Laptop, api: Api, second_run: dict[str, Any]) -> None:
    assert laptop.command("announce").returncode == 0
    for _ in range(600):
        if runs := api.unfinished_runs("flight_delay"):
            break
        time.sleep(0.2)
    assert [run["run_type"] for run in runs] == ["asset_triggered"]
    assert api.fail_unfinished_runs("flight_delay") == 1  # all twelve months would take a minute


def test_everything_is_there_again_after_a_stop_and_the_endpoint_answers(laptop: Laptop, api: Api) -> None:
    before = (counts("flight_features"), jobs())
    assert laptop.command("down").returncode == 0
    assert not services.any_alive()
    done = laptop.command("invoke")
    assert done.returncode == 0 and "probability" in done.stdout, done.stdout + done.stderr
    assert (counts("flight_features"), jobs()) == before


def test_the_sdk_reads_the_job_and_invokes_the_endpoint(laptop: Laptop, second_run: dict[str, Any]) -> None:
    sample = (laptop.state / "sample-flight_delay.json").read_text()
    job = boto3.client("sagemaker").list_training_jobs(StatusEquals="Completed")["TrainingJobSummaries"][0]
    command = [str(SDK), str(SDK_CLIENT), job["TrainingJobName"], "flight-delay", "us-east-1", sample]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["image"] == platform()["sagemaker_image"]
    assert (seen["job_status"], seen["endpoint_status"]) == ("Completed", "InService")
    assert seen["model"].endswith("/output/model.tar.gz")
    assert 0 < seen["answer"]["probability"] < 1
