"""Runs that end with nothing deployed: of damaged data, or because a person says so."""

import io
from collections.abc import Callable
from typing import Any

import boto3
import pandas as pd
import pytest
from machine import Airflow, Laptop, until
from published import MONTHS, locations, platform, predictions
from rich.console import Console

from laptop import summary
from subscriber import Subscriber

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(58)]  # begins with what test_flight_delay.py has begun with


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
        (half_an_hour_more, "reject", "is more than the 0.05 allowed", "Rejected"),
    ],
)
def test_a_model_of_damaged_data_ends_a_green_run_that_says_why_and_deploys_nothing(
    laptop: Laptop,
    api: Airflow,
    damage: Callable[[pd.Series], pd.Series],
    decision: str,
    reason: str,
    status: str,
) -> None:
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    place: Any = {"Bucket": platform()["bronze_bucket"], "Key": "flights/year=2013/month=01/flights.csv"}
    served = sagemaker.describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"]
    published, scored = locations("flight_features"), set(predictions("2013-03")["model"])
    intact = s3.get_object(**place)["Body"].read()
    flights = pd.read_csv(io.BytesIO(intact), dtype=str, keep_default_na=False)
    delays = pd.to_numeric(flights["arr_delay"], errors="coerce").dropna()
    flights.loc[delays.index, "arr_delay"] = damage(delays).astype(int).astype(str)
    s3.put_object(**place, Body=flights.to_csv(index=False))
    run_id = api.start_run()
    states = api.ended(run_id)
    s3.put_object(**place, Body=intact)
    assert states["run"] == "success"
    said, report = Console(record=True, file=io.StringIO()), api.xcom("flight_delay", run_id, "report")
    summary.print_report(said, laptop.settings, "flight_delay", report)
    text = said.export_text()
    assert f"\n{decision}\n" in text and reason in text and "Nothing was deployed" in text
    package = sagemaker.describe_model_package(ModelPackageName=report["model_package"])
    assert package["ModelApprovalStatus"] == status
    assert {state for task, state in states.items() if task.startswith("deploy.")} == {"skipped"}
    assert sagemaker.describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"] == served
    # Silver has the data, by which a month and the next are made; the model has scored nothing.
    now = locations("flight_features")
    assert [now[month] == published[month] for month in MONTHS] == [False, False, True]
    assert set(predictions("2013-03")["model"]) == scored


def training(api: Airflow, run_id: str) -> tuple[str, int]:
    """The state of the run's train.train, and the number of its try."""
    tasks = {task["task_id"]: task for task in api.task_instances("flight_delay", run_id)}
    return tasks["train.train"]["state"], tasks["train.train"]["try_number"]


def status(job: str) -> str:
    return str(boto3.client("sagemaker").describe_training_job(TrainingJobName=job)["TrainingJobStatus"])


@pytest.mark.parametrize("marked", ["/taskInstances/train.train", ""], ids=["task", "run"])
def test_a_job_outlives_its_tasks_being_cleared_and_ends_with_the_task_or_the_run_that_a_person_marks_as_failed(
    laptop: Laptop, api: Airflow, marked: str
) -> None:
    subscriber = Subscriber(platform()["alarm_topic_arn"], f"marked-{'task' if marked else 'run'}")
    run_id = api.start_run()
    name, process = laptop.training()
    process.suspend()  # it is not to end meanwhile
    api.until(run_id, lambda states: states.get("train.train") == "deferred")
    if marked:
        # Cleared, the task waits for the same job once more.
        api.clear(run_id, "train.train")
        until(lambda: training(api, run_id), ("deferred", 2).__eq__)
        jobs = boto3.client("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        assert [job["TrainingJobName"] for job in jobs] == [name]
    state = {"new_state" if marked else "state": "failed"}
    api.change("PATCH", f"/dags/flight_delay/dagRuns/{run_id}{marked}", **state)
    until(lambda: status(name), lambda found: found != "InProgress")
    process.resume()
    assert api.ended(run_id)["run"] == "failed"
    assert status(name) == "Stopped"
    assert name in "\n".join(api.log_lines("flight_delay", run_id, "stop_jobs", 1))
    ((subject, message),) = until(subscriber.messages, bool).items()
    assert subject == "flight_delay failed in local: train.train" and "or a person has marked it" in message
