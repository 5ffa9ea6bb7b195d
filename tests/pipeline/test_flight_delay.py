"""The first run of the whole DAG on real flights, as `make run` starts it, and what can go wrong in the next one."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
import pytest
from machine import ROOT, Airflow, Laptop, until
from published import FLIGHTS_IN_THREE_MONTHS, MONTHS, counts, locations, platform, story

from laptop import services
from laptop.progress import FINISHED
from silverline.monitoring import CHECKS

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(320)]
SDK = ROOT / ".envs" / "sagemaker-sdk" / "bin" / "python"
SDK_CLIENT = Path(__file__).parent / "sagemaker_sdk_client.py"


def jobs() -> list[dict[str, Any]]:
    return list(boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"])


def test_a_run_ends_in_a_served_model_and_says_how_to_ask_it(
    first_run: subprocess.CompletedProcess[str], laptop: Laptop, api: Airflow
) -> None:
    assert f"{FLIGHTS_IN_THREE_MONTHS:,} rows in" in first_run.stdout
    assert re.search(r"roc_auc\s+0\.\d{4} .*\s0\.5000 ", first_run.stdout)
    assert (
        "promote\n- log loss 0." in first_run.stdout and "there is no champion to compare it with" in first_run.stdout
    )
    command = next(line for line in first_run.stdout.splitlines() if "invoke-endpoint" in line)
    command = re.sub(r"http://127\.0\.0\.1:\d+", laptop.settings.aws_url, command)  # it has moved since then
    answer = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "probability" in answer.stdout


def test_boto3_gets_a_probability_for_a_flight(laptop: Laptop, api: Airflow) -> None:
    sample = (laptop.state / "sample-flight_delay.json").read_bytes()
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="flight-delay", ContentType="application/json", Body=sample
    )
    assert "probability" in response["Body"].read().decode()
    assert laptop.command("invoke").returncode == 0


def test_no_row_is_lost_between_bronze_and_silver(api: Airflow) -> None:
    joined, quarantined = counts("flight_features"), counts("quarantine where source_table = 'flights'")
    assert tuple(sorted(joined)) == MONTHS
    assert sum(joined.values()) + sum(quarantined.values()) == FLIGHTS_IN_THREE_MONTHS


def test_the_model_carries_its_data_version_and_commit(api: Airflow) -> None:
    sagemaker = boto3.client("sagemaker")
    job = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    description = sagemaker.describe_training_job(TrainingJobName=job)
    assert re.fullmatch(r'"[0-9a-f]{16}"', description["HyperParameters"]["data_version"])
    assert re.match(r'"[0-9a-f]{40}', description["HyperParameters"]["git_commit"])
    metrics = {metric["MetricName"] for metric in description["FinalMetricDataList"]}
    assert {"train:roc_auc", "validation:roc_auc", "test:roc_auc"} <= metrics


def test_an_evaluation_lies_in_the_artifacts_with_its_pictures(api: Airflow) -> None:
    job = boto3.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"][0]["ProcessingJobName"]
    prefix = f"flight_delay/evaluation/{job}/"
    listed = boto3.client("s3").list_objects_v2(Bucket=platform()["artifacts_bucket"], Prefix=prefix)
    names = {item["Key"].removeprefix(prefix) for item in listed["Contents"]}
    pictures = {f"plots/{name}.png" for name in ("roc", "calibration", "lift", "slices")}
    assert {"comparison.json", "evaluation.json"} | pictures <= names


def test_staged_tables_are_gone(api: Airflow) -> None:
    names = [table["Name"] for table in wr.catalog.get_tables(database=platform()["silver_database"])]
    assert sorted(names) == ["flight_features", "flights", "quarantine", "scheduled_flights", "weather"]


def test_before_there_is_a_model_the_schedule_starts_a_batch_that_ends_well_and_scores_nothing(api: Airflow) -> None:
    assert api.batch_report(0)["skipped"] == "no model has been deployed or approved yet: nothing to score with"


def test_a_model_that_was_deployed_scores_the_newest_month(api: Airflow) -> None:
    report = api.batch_report(1)
    assert report["months"] == ["2013-03"] and report["model"].endswith("/1")
    assert report["summary"][0]["row_count"] == counts("flight_features")["2013-03"]


def newest(name: str, **further: str) -> float:
    """The newest value of a metric of flight_delay's."""
    dimensions = {"Environment": "local", "Pipeline": "flight_delay", **further}
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="Silverline",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=time.time() - 36000,
        EndTime=time.time() + 60,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"])


def test_a_run_tells_cloudwatch_what_it_did_and_its_story_leads_to_its_jobs(api: Airflow) -> None:
    assert newest("RunsSucceeded", Dag="flight_delay") == 1 and newest("RunSeconds", Dag="flight_delay") > 10
    assert newest("RowsIn") == FLIGHTS_IN_THREE_MONTHS == newest("RowsOut") + newest("RowsQuarantined")
    assert newest("StepSeconds", Dag="flight_delay", Step="train") > 1
    assert (newest("ModelsPromoted"), newest("RollOutsSucceeded"), newest("RollOutsFailed")) == (1, 1, 0)
    assert 0.7 < newest("test:roc_auc", ModelVersion="1") < newest("train:roc_auc", ModelVersion="1") < 1
    assert 0 < newest("EstimatedCost") < 1

    lines = story("flight_delay")
    said = [json.loads(message) for stream, message in lines if stream.startswith("flight_delay/")]
    (slug,) = {event["run_slug"] for event in said}
    (model,) = (event for event in said if event["event"] == "model")
    assert model["model_package"].endswith("/1") and model["ModelVersion"] == "1"
    assert {event["job"] for event in said if event["event"] == "job"} == {f"flight-delay-{slug}-1"}
    trained = f"flight-delay-{slug}-1/algo-1"
    assert any(stream.startswith(trained) and "train:roc_auc=" in message for stream, message in lines)


def look(api: Airflow) -> tuple[str, str]:
    """The id of a run of monitoring, and the page that it has written."""
    run_id = api.trigger("monitoring", {})["dag_run_id"]
    run = until(lambda: api.run("monitoring", run_id), lambda run: run["state"] in FINISHED)
    assert run["state"] == "success"
    place = api.xcom("monitoring", run_id, "pipelines").index("flight_delay")
    page = api.xcom("monitoring", run_id, "check.report", map_index=place)
    bucket, _, key = page.removeprefix("s3://").partition("/")
    return run_id, boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def test_monitoring_finds_nothing_wrong_with_a_system_that_is_well(api: Airflow) -> None:
    run_id, text = look(api)
    assert "All is well." in text and "no job has failed" in text and "InService" in text, text
    unsaid = {"traffic", "quality"}  # of too few requests
    assert {check: newest("Findings", Check=check) for check in CHECKS.keys() - unsaid} == dict.fromkeys(
        CHECKS.keys() - unsaid, 0
    )
    assert text.count("too little to say") == len(unsaid), text
    tasks = {task["task_id"]: task["state"] for task in api.task_instances("monitoring", run_id)}
    assert tasks["check.retrain"] == "skipped"


def test_monitoring_tells_of_a_job_that_an_airflow_which_is_gone_has_started(api: Airflow) -> None:
    sagemaker, name = boto3.client("sagemaker"), "flight-delay-orphan-1"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=platform()["sagemaker_jobs_role_arn"],
        AppSpecification={"ImageUri": platform()["sagemaker_image"], "ContainerEntrypoint": ["sleep", "600"]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        Tags=[{"Key": "Environment", "Value": "local"}, {"Key": "AirflowDag", "Value": "flight_delay"}],
    )
    _, text = look(api)
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert f"| orphans | **not well** | nobody waits for {name} |" in text and "**Not well: orphans.**" in text, text


def test_a_deleted_bronze_file_fails_the_run_by_name_and_silver_stays(api: Airflow) -> None:
    before = locations("flight_features")
    key = "flights/year=2013/month=02/flights.csv"
    boto3.client("s3").delete_object(Bucket=platform()["bronze_bucket"], Key=key)
    run_id = api.start_run()
    assert api.ended(run_id)["run"] == "failed"
    log = "\n".join(api.log_lines("flight_delay", run_id, "bronze.plan", 1))
    assert "bronze.flights has nothing for 2013-02 any more, though silver has that month" in log
    assert newest("RunsFailed", Dag="flight_delay") == 1
    assert locations("flight_features") == before


def test_a_month_that_bronze_has_not_fails_naming_the_task_and_the_cause(laptop: Laptop, api: Airflow) -> None:
    done = laptop.run("--as-of", "2014-01")
    assert done.returncode == 1
    assert "bronze.plan failed" in done.stdout
    assert "there is nothing for as_of=2014-01" in done.stdout.replace("\n", " ")


def test_a_setting_that_the_dag_has_not_is_refused(laptop: Laptop, api: Airflow) -> None:
    done = laptop.command("run", "--pipeline", "flight_delay_batch", "--as-of", "2013-03")
    assert done.returncode == 1 and "flight_delay_batch takes month, prefix, and not as_of" in done.stderr


def test_announced_data_starts_a_run_by_the_schedule(laptop: Laptop, api: Airflow) -> None:
    assert laptop.command("announce").returncode == 0
    runs = until(lambda: api.unfinished_runs("flight_delay"), bool)
    assert [run["run_type"] for run in runs] == ["asset_triggered"]
    assert api.fail_unfinished_runs("flight_delay") == 1  # all twelve months would take a minute


def test_everything_is_there_again_after_a_stop_and_the_endpoint_answers(laptop: Laptop, api: Airflow) -> None:
    before = (counts("flight_features"), jobs())
    assert laptop.command("down").returncode == 0
    assert not services.any_alive()
    done = laptop.command("invoke")
    assert done.returncode == 0 and "probability" in done.stdout, done.stdout + done.stderr
    assert (counts("flight_features"), jobs()) == before


def test_the_sdk_reads_the_job_and_invokes_the_endpoint(laptop: Laptop, api: Airflow) -> None:
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
