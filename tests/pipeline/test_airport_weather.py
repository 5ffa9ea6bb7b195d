"""The second pipeline, made of tables that the first has published: chosen, deployed and scored by the same library."""

import json
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd
import pytest
from machine import Airflow, Laptop, until
from published import platform, served, story

from laptop.progress import FINISHED

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(55)]  # begins with what test_flight_delay.py has begun with
DAYS = (31 + 28 + 31) * 3
GOOD = {
    "precipitation_inches": 0.0,
    "cancelled_share": 0.0,
    "wind_speed_mph": 6.0,
    "visibility_miles": 10.0,
    "humidity_percent": 50.0,
}


def query(sql: str, layer: str) -> pd.DataFrame:
    """What Athena answers, of the tables of silver or gold."""
    place = platform()
    return wr.athena.read_sql_query(
        sql, database=place[f"{layer}_database"], workgroup=place["athena_workgroup"], ctas_approach=False
    )


@pytest.fixture(scope="module")
def said(laptop: Laptop) -> str:
    """What `make run PIPELINE=airport_weather` has said, up to March."""
    done = laptop.run("--pipeline", "airport_weather")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def scored(said: str, laptop: Laptop) -> dict[str, Any]:
    """What the batch has reported that follows the model's deployment."""
    api: Airflow = laptop.airflow()
    runs = until(
        lambda: [run for run in api.runs("airport_weather_batch") if run["state"] in FINISHED],
        lambda ended: len(ended) == 2,  # silver's, when no model was there to score with, and the deployment's
    )
    assert {run["state"] for run in runs} == {"success"}
    return dict(api.xcom("airport_weather_batch", runs[0]["dag_run_id"], "report"))


def package() -> dict[str, Any]:
    sagemaker = boto3.client("sagemaker")
    listed = sagemaker.list_model_packages(ModelPackageGroupName="silverline-local-airport-weather")
    (one,) = listed["ModelPackageSummaryList"]
    return {**sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])}


def test_every_day_at_an_airport_is_usable_or_in_quarantine(said: str) -> None:
    used = query("select origin || ' ' || cast(flight_date as varchar) as day from airport_days", "silver")["day"]
    aside = query("select raw_row as day, reason from airport_days_quarantine", "silver")
    days = [*used, *aside["day"]]
    assert len(days) == len(set(days)) == DAYS and len(used) > 0.9 * DAYS
    assert (aside["reason"].str.len() > 0).all()


def test_the_number_of_segments_is_the_best_of_those_that_were_tried(said: str) -> None:
    sagemaker = boto3.client("sagemaker")
    (search,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="airport")["HyperParameterTuningJobSummaries"]
    tried = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=search["HyperParameterTuningJobName"], MaxResults=10
    )["TrainingJobSummaries"]
    values = {
        job["TunedHyperParameters"]["n_clusters"]: job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for job in tried
    }
    assert sorted(values) == list("345678")
    best = max(values, key=lambda count: values[count])
    assert package()["CustomerMetadataProperties"]["hyperparameter.n_clusters"] == best


def test_the_story_of_the_run_has_what_each_training_job_of_its_search_has_said(said: str) -> None:
    trained = boto3.client("sagemaker").list_training_jobs(NameContains="airport-weather")["TrainingJobSummaries"]
    streams = {stream.partition("/")[0] for stream, _ in story("airport_weather")}
    assert streams >= {job["TrainingJobName"] for job in trained} and len(trained) == 6 + 1


def test_its_model_is_registered_approved_and_answers_while_the_first_pipelines_stays(said: str) -> None:
    assert package()["ModelApprovalStatus"] == "Approved" and "\npromote\n" in said
    days = [GOOD | {"late_departure_share": share, "departure_delay_minutes": 200 * share} for share in (0.02, 0.9)]
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="airport-weather", ContentType="application/json", Body=json.dumps(days)
    )
    good, bad = json.load(response["Body"])["predictions"]
    assert good["segment"] < bad["segment"] and "late" in bad["name"] and "late" not in good["name"]
    assert served() == ("InService", "1")


def test_each_usable_day_has_its_segment_in_gold(scored: dict[str, Any]) -> None:
    assert scored["table"] == "silverline_local_gold.airport_weather_segments"
    rows = query("select * from airport_weather_segments", "gold")
    used = query("select origin, flight_date, month from airport_days", "silver")
    of_months = used[used["month"].isin(scored["months"])]
    key = ["origin", "flight_date"]
    assert not rows.duplicated(key).any()
    assert set(rows[key].astype(str).agg(" ".join, axis=1)) == set(of_months[key].astype(str).agg(" ".join, axis=1))
    assert rows.groupby("segment_name")["segment"].nunique().max() == 1
