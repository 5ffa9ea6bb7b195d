"""Runs in which a task of each group is killed at the worst moment, when AWS has done what the task asked for and the
task doesn't know, and in one of them Airflow's scheduler with it; the tests build on each other, in this order."""

from collections.abc import Iterator
from typing import Any

import boto3
import psutil
import pytest
from lineages import ancestors, transport
from lost_answers import Way
from machine import Airflow, Laptop, until
from published import counts, locations, platform, predictions, served

from laptop import services
from laptop.progress import FINISHED
from subscriber import Subscriber

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(56)]  # begins with what test_flight_delay.py has begun with
# The request after which each task is killed. The tables of silver are half moved then.
KILLED = {
    "bronze.plan": "AWSGlue.GetPartitions",
    "silver.clean.stage": "AmazonAthena.StartQueryExecution",
    "silver.clean.publish": "AWSGlue.UpdatePartition",
    "train.tune.search": "SageMaker.CreateHyperParameterTuningJob",
    "train.train": "SageMaker.CreateTrainingJob",
    "evaluate.evaluate": "SageMaker.CreateProcessingJob",
    "approve.decide": "SageMaker.UpdateModelPackage",
    "deploy.create_model": "SageMaker.CreateModel\r\n",
    "deploy.roll_out": "SageMaker.UpdateEndpoint\r\n",
}
KILLED_WITH_THE_SCHEDULER = {"register.register": "SageMaker.CreateModelPackage"}
KILLED_IN_BATCH = {
    "score.find_requests": "AmazonAthena.StartQueryExecution",
    "score.create_model": "SageMaker.CreateModel\r\n",
    "score.transform": "SageMaker.CreateTransformJob",
    "gold.publish": "AWSGlue.UpdatePartition",
}
Run = dict[str, dict[str, Any]]
"""The task instances of a run that has ended."""


@pytest.fixture(scope="module")
def way(laptop: Laptop) -> Iterator[Way]:
    way = Way(laptop.settings.aws_port)
    yield way
    way.close()


def start(laptop: Laptop, way: Way) -> Airflow:
    """Airflow, all of it, which goes to AWS by `way`."""
    return laptop.start(
        AWS_ENDPOINT_URL=way.url,
        AIRFLOW__CORE__DAGS_FOLDER=str(laptop.state / "dags"),
        AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL="20",  # for those of a scheduler that is gone: not 300 s
        **transport(laptop.state / "lineage.jsonl"),
    )


@pytest.fixture(scope="module")
def api(laptop: Laptop, way: Way) -> Airflow:
    laptop.dags(
        ("silverline/runs.py", "timedelta(seconds=10)", "timedelta(seconds=1)"),  # until a task is tried again
        # One for the kill; one more for Airflow's race, where the job that is adopted ends just as the task defers.
        ("silverline/runs.py", '"retries": 1', '"retries": 2'),
        ("flight_delay.py", "max_jobs=8", "max_jobs=2"),
    )
    return start(laptop, way)


@pytest.fixture(scope="module")
def subscriber(api: Airflow) -> Subscriber:
    return Subscriber(platform()["alarm_topic_arn"], "killed-tasks")


@pytest.fixture(scope="module")
def run(laptop: Laptop, way: Way, api: Airflow, subscriber: Subscriber) -> Run:
    """The run of flight_delay, with a search for hyperparameters, after a file of March has changed."""
    api.change("PATCH", "/dags/flight_delay_batch", is_paused=True)
    bucket, key = platform()["bronze_bucket"], "flights/year=2013/month=03/flights.csv"
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=s3.get_object(Bucket=bucket, Key=key)["Body"].read() + b"\n")
    for asked in KILLED.values():
        way.lose(asked, then=psutil.Process.kill)

    def kill_scheduler(_: psutil.Process) -> None:
        until(lambda: api.states(started)["stop_jobs"], lambda state: state == "success", 50)  # it runs beside that
        for process in services._family(laptop.state / "services" / "airflow-scheduler.json"):
            process.kill()

    (asked,) = KILLED_WITH_THE_SCHEDULER.values()
    crashed = way.lose(asked, then=kill_scheduler)
    started = api.start_run(tune=True)
    assert crashed.wait(1200)
    until(lambda: services.alive("airflow-scheduler"), lambda alive: not alive)
    return ended(start(laptop, way), "flight_delay", started)


def ended(api: Airflow, dag_id: str, run_id: str) -> Run:
    until(lambda: api.run(dag_id, run_id)["state"], FINISHED.__contains__, 600)
    return {task["task_id"]: task for task in api.task_instances(dag_id, run_id)} | {"run": api.run(dag_id, run_id)}


def tried_again(run: Run) -> set[str]:
    return {name for name, task in run.items() if task.get("try_number", 1) > 1}


def jobs(kind: str, method: str) -> list[tuple[str, str]]:
    """Name and status of each job of the kind, the oldest first."""
    list_jobs = getattr(boto3.client("sagemaker"), f"list_{method}s")
    listed = list_jobs(SortBy="CreationTime", SortOrder="Ascending")[f"{kind}Summaries"]
    return [(job[f"{kind}Name"], job[f"{kind}Status"]) for job in listed]


def tries(jobs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Number of the try and status of each job."""
    return [(name.rpartition("-")[2], status) for name, status in jobs]


def test_a_run_of_which_a_task_is_killed_in_each_group_ends_well(run: Run) -> None:
    assert run["run"]["state"] == "success", {name: task["state"] for name, task in run.items()}
    assert tried_again(run) == {*KILLED, *KILLED_WITH_THE_SCHEDULER}


def test_no_job_is_started_twice(run: Run) -> None:
    searches = jobs("HyperParameterTuningJob", "hyper_parameter_tuning_job")
    assert tries(searches) == [("1", "Completed")]
    trained = jobs("TrainingJob", "training_job")[1:]  # without the first run's
    own = [job for job in trained if not job[0].startswith(f"{searches[0][0]}-")]
    assert tries(own) == [("1", "Completed")] and len(trained) == len(own) + 2
    assert tries(jobs("ProcessingJob", "processing_job")[1:]) == [("1", "Completed")]


def test_what_the_search_has_found_is_what_the_model_was_trained_with(run: Run) -> None:
    sagemaker = boto3.client("sagemaker")
    ((search, _),) = jobs("HyperParameterTuningJob", "hyper_parameter_tuning_job")
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=search)
    best = found["BestTrainingJob"]["TunedHyperParameters"]
    model = sagemaker.describe_training_job(TrainingJobName=jobs("TrainingJob", "training_job")[-1][0])
    assert len(best) == 5 and {name: model["HyperParameters"][name] for name in best} == best


def test_its_model_is_registered_once_approved_and_served(run: Run) -> None:
    group = "silverline-local-flight-delay"
    packages = boto3.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert sorted((package["ModelPackageVersion"], package["ModelApprovalStatus"]) for package in packages) == [
        (1, "Approved"),
        (2, "Approved"),
    ]
    assert served() == ("InService", "2")


def test_silver_has_its_tables_of_one_run_and_nothing_that_was_staged(run: Run) -> None:
    places = {locations(table)["2013-03"].split("/runs/")[1].split("/")[0] for table in ("flights", "weather")}
    assert len(places) == 1
    tables = boto3.client("glue").get_tables(DatabaseName=platform()["silver_database"])["TableList"]
    assert not [table["Name"] for table in tables if table["Name"].startswith("staged")]


def test_a_batch_of_which_a_task_is_killed_in_each_group_scores_each_flight_once_by_one_job(
    way: Way, api: Airflow, run: Run
) -> None:
    for asked in KILLED_IN_BATCH.values():
        way.lose(asked, then=psutil.Process.kill)
    api.change("PATCH", "/dags/flight_delay_batch", is_paused=False)
    batch = ended(api, "flight_delay_batch", api.trigger("flight_delay_batch", {})["dag_run_id"])
    assert batch["run"]["state"] == "success", {name: task["state"] for name, task in batch.items()}
    assert tried_again(batch) == set(KILLED_IN_BATCH)
    assert tries(jobs("TransformJob", "transform_job")[1:]) == [("1", "Completed")]
    rows = predictions("2013-03")
    assert len(rows) == counts("flight_features")["2013-03"] == rows["late_probability"].notna().sum()
    assert {model.rpartition("/")[2] for model in rows["model"]} == {"2"}


def test_the_lineage_of_its_predictions_goes_back_to_the_model_and_to_the_files_of_bronze(
    laptop: Laptop, run: Run
) -> None:
    buckets = {layer: f"s3://{platform()[f'{layer}_bucket']}" for layer in ("bronze", "silver", "gold", "artifacts")}
    found = ancestors(laptop.state / "lineage.jsonl", f"{buckets['gold']}/flight_delay/flight_delay_predictions")
    assert f"{buckets['bronze']}/flights/year=2013/month=03/flights.csv" in found
    assert {f"{buckets['silver']}/flight_delay/{table}" for table in ("flights", "weather", "flight_features")} <= found
    job = boto3.client("sagemaker").list_training_jobs(SortBy="CreationTime", SortOrder="Descending")
    name = job["TrainingJobSummaries"][0]["TrainingJobName"]
    assert f"{buckets['artifacts']}/flight_delay/training/{name}/output/model.tar.gz" in found


def test_the_lineage_of_the_endpoint_goes_back_to_the_model_and_to_the_splits(laptop: Laptop, run: Run) -> None:
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName="flight-delay")["EndpointArn"]
    found = ancestors(
        laptop.state / "lineage.jsonl", f"{endpoint[: -len(':endpoint/flight-delay')]}/endpoint/flight-delay"
    )
    assert any(one.endswith("/model-package/silverline-local-flight-delay/2") for one in found)
    assert {one.rpartition("/")[2] for one in found if "/splits/" in one} == {"train", "validation", "test"}


def test_nobody_is_told_of_tasks_that_are_tried_again(run: Run, subscriber: Subscriber) -> None:
    assert subscriber.messages() == {}
