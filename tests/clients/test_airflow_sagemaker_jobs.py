"""The SageMaker operators and sensors of Airflow's Amazon provider that run jobs, deferrable and not: what each calls,
and the error texts each relies on."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.exceptions import AirflowException
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
    SageMakerTuningOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import (
    SageMakerProcessingSensor,
    SageMakerTrainingSensor,
    SageMakerTransformSensor,
    SageMakerTuningSensor,
)
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow_tasks import MODES, first_event, run
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET
from slope_model import (
    IN,
    OUT,
    model_request,
    processing_request,
    training_request,
    transform_request,
    tuning_request,
)

BROKEN = "raise SystemExit('the data is bad')"
pytestmark = [pytest.mark.usefixtures("airflow_connection"), pytest.mark.long(50)]


def training(s3: Any, name: str, script: str | None = None, **arguments: Any) -> SageMakerTrainingOperator:
    request = training_request(s3, name, script) if script else training_request(s3, name)
    settings = {"check_interval": 1, "print_log": False, **arguments}
    return SageMakerTrainingOperator(task_id="train", config=request, **settings)


def text(s3: Any, key: str) -> str:
    return str(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


# Training


@pytest.fixture(scope="module")
def tailing(s3: Any) -> Iterator[Future[Any]]:
    """A task with the provider's default, print_log, which looks at the job's status every 30 seconds: it does so
    while other tests run."""
    with ThreadPoolExecutor(1) as background:
        yield background.submit(run, training(s3, "airflow-tailing", print_log=True))


@MODES
def test_a_training_task_returns_the_completed_jobs_description(
    s3: Any, tailing: Future[Any], deferrable: bool
) -> None:
    job = run(training(s3, f"airflow-{deferrable}", deferrable=deferrable))["Training"]
    assert (job["TrainingJobStatus"], job["TrainingJobName"]) == ("Completed", f"airflow-{deferrable}")
    assert {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]} == {"rows": 2, "loss": 1}


@pytest.mark.parametrize(
    ("deferrable", "said"),
    # The provider's trigger shows the status alone.
    [(False, "SageMaker resource failed because AlgorithmError.*the data is bad"), (True, "training job: Failed")],
    ids=["waiting", "deferred"],
)
def test_a_failed_job_fails_task_and_sensor(s3: Any, sagemaker: Any, deferrable: bool, said: str) -> None:
    name = f"airflow-broken-{deferrable}"
    with pytest.raises(AirflowException, match=f"(?si){said}"):
        run(training(s3, name, BROKEN, deferrable=deferrable))
    reason = sagemaker.describe_training_job(TrainingJobName=name)["FailureReason"]
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: ") as failure:
        run(SageMakerTrainingSensor(task_id="sensor", job_name=name, print_log=False))
    assert reason in str(failure.value)


def test_a_task_that_does_not_wait_leaves_its_job_running_and_a_stopped_job_fails_its_trigger(
    s3: Any, sagemaker: Any
) -> None:
    script = "import time; time.sleep(60)"
    job = run(training(s3, "airflow-stopped", script, wait_for_completion=False))["Training"]
    assert job["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName="airflow-stopped")
    trigger = SageMakerTrigger("airflow-stopped", "Training", poke_interval=1)
    with pytest.raises(AirflowException, match="Error while waiting for Training job: Stopped"):
        asyncio.run(first_event(trigger))


def test_a_training_sensor_prints_the_jobs_log_and_its_billable_time(
    trained: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    run(SageMakerTrainingSensor(task_id="sensor", job_name="trained", poke_interval=1))
    printed = capfd.readouterr().out  # Airflow's task log, where there is no supervisor
    assert " rows=2; " in printed and " Billable seconds: " in printed


def test_a_taken_job_name_gets_a_time_or_fails_the_task(s3: Any, trained: Any) -> None:
    timed = run(training(s3, "trained", wait_for_completion=False))["Training"]["TrainingJobName"]
    assert timed.startswith("trained-1")
    with pytest.raises(AirflowException, match="A SageMaker job with name trained already exists"):
        run(training(s3, "trained", action_if_job_exists="fail"))
    with pytest.raises(ClientError, match="a training job with this name already exists"):
        run(training(s3, "trained", check_if_job_exists=False))


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://no-such-bucket/x", "S3 Bucket no-such-bucket does not exist"),
        (f"s3://{BUCKET}/nothing", "does not exist"),
    ],
)
def test_a_training_task_looks_for_its_input_first(s3: Any, uri: str, said: str) -> None:
    task = training(s3, "airflow-missing")
    task.config["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
    with pytest.raises(AirflowException, match=said):
        run(task)


def test_a_role_by_name_numbers_as_text_and_s3_operations_are_seen_to(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("5,6\n")
    role = boto3.client("iam").create_role(RoleName="Trainer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    task = training(s3, "airflow-prepared")
    task.config["RoleArn"] = "Trainer"
    task.config["ResourceConfig"]["VolumeSizeInGB"] = "20"  # as a template renders it
    upload = {"Path": str(tmp_path / "rows.csv"), "Bucket": "airflow-made", "Key": "rows.csv", "Tar": False}
    task.config["S3Operations"] = {"S3CreateBucket": [{"Bucket": "airflow-made"}], "S3Upload": [upload]}
    task.config["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://airflow-made/rows.csv"
    job = run(task)["Training"]
    assert (job["RoleArn"], job["ResourceConfig"]["VolumeSizeInGB"]) == (role, 20)
    assert {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}["rows"] == 1


def test_a_role_whose_name_nobody_has_fails_the_task(s3: Any) -> None:
    task = training(s3, "airflow-roleless")
    task.config["RoleArn"] = "Stranger"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        run(task)


def test_the_hook_lists_jobs_by_name_in_as_many_pages_as_it_takes(s3: Any, trained: Any) -> None:
    hook = SageMakerHook()
    assert "trained" in [job["TrainingJobName"] for job in hook.list_training_jobs(name_contains="trained")]
    assert len(hook.list_training_jobs(max_results=1)) == 1
    assert hook.list_training_jobs(name_contains="nothing-called-so") == []


# Processing


COUNT = f"""
    import pathlib
    lines = [line for path in pathlib.Path("{IN}").rglob("*.csv") for line in path.read_text().split()]
    pathlib.Path("{OUT}/count.txt").write_text(str(len(lines)))
    print("counted", len(lines))
"""


def processing(s3: Any, name: str, script: str = COUNT, **arguments: Any) -> SageMakerProcessingOperator:
    config = processing_request(s3, name, script)
    return SageMakerProcessingOperator(task_id="process", config=config, **{"check_interval": 1, **arguments})


@MODES
def test_a_processing_task_leaves_its_output_in_s3(s3: Any, deferrable: bool) -> None:
    job = run(processing(s3, f"airflow-processing-{deferrable}", deferrable=deferrable))["Processing"]
    assert job["ProcessingJobStatus"] == "Completed"
    assert text(s3, f"clients/airflow-processing-{deferrable}/count.txt") == "2"


@pytest.mark.parametrize(
    ("deferrable", "said"),
    [(False, "SageMaker resource failed because AlgorithmError.*the data is bad"), (True, "processing job: Failed")],
    ids=["waiting", "deferred"],
)
def test_a_failed_processing_job_fails_task_and_sensor(s3: Any, deferrable: bool, said: str) -> None:
    name = f"airflow-processing-broken-{deferrable}"
    with pytest.raises(AirflowException, match=f"(?si){said}"):
        run(processing(s3, name, BROKEN, deferrable=deferrable))
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: "):
        run(SageMakerProcessingSensor(task_id="sensor", job_name=name, poke_interval=0.2))


def test_a_taken_processing_name_gets_a_time_or_fails_the_task_and_jobs_are_counted_and_sensed(s3: Any) -> None:
    for _ in range(2):
        job = run(processing(s3, "airflow-counted", wait_for_completion=False))["Processing"]
    assert job["ProcessingJobName"].startswith("airflow-counted-1")
    with pytest.raises(AirflowException, match="A SageMaker job with name airflow-counted already exists"):
        run(processing(s3, "airflow-counted", action_if_job_exists="fail"))
    hook = SageMakerHook()
    assert hook.count_processing_jobs_by_name("airflow-counted", r"-\d+") == 2
    assert hook.count_processing_jobs_by_name("nothing-called-so") == 0
    assert len(hook.list_processing_jobs(NameContains="airflow-counted", MaxResults=2)) == 2
    run(SageMakerProcessingSensor(task_id="sensor", job_name="airflow-counted", poke_interval=0.2))


# Batch transform


def transform(name: str, model: str, **arguments: Any) -> SageMakerTransformOperator:
    config = transform_request(name, model)
    return SageMakerTransformOperator(task_id="transform", config=config, **{"check_interval": 1, **arguments})


@MODES
def test_a_transform_task_leaves_its_answers_in_s3(s3: Any, model: str, deferrable: bool) -> None:
    done = run(transform(f"airflow-transform-{deferrable}", model, deferrable=deferrable))
    assert (done["Transform"]["TransformJobStatus"], done["Model"]["ModelName"]) == ("Completed", model)
    run(SageMakerTransformSensor(task_id="sensor", job_name=f"airflow-transform-{deferrable}"))
    assert text(s3, f"clients/airflow-transform-{deferrable}/rows.csv.out") == "2.0,4.0\n6.0,8.0\n"


def test_a_transform_task_creates_its_model_and_both_get_a_time_where_their_names_are_taken(
    sagemaker: Any, artifacts: str
) -> None:
    for _ in range(2):
        config = {
            "Model": model_request("airflow-transformed", artifacts),
            "Transform": transform_request("airflow-transformed", "airflow-transformed", MaxPayloadInMB="5"),
        }
        done = run(SageMakerTransformOperator(task_id="transform", config=config, wait_for_completion=False))
    assert done["Model"]["ModelName"].startswith("airflow-transformed-1")
    assert done["Transform"]["ModelName"] == done["Model"]["ModelName"]
    assert (done["Transform"]["TransformJobName"] > "airflow-transformed-1", done["Transform"]["MaxPayloadInMB"]) == (
        True,
        5,
    )
    assert len(SageMakerHook().list_transform_jobs(name_contains="airflow-transformed")) == 2


@MODES
def test_a_transform_that_the_model_refuses_fails_task_and_sensor(s3: Any, model: str, deferrable: bool) -> None:
    s3.put_object(Bucket=BUCKET, Key="clients/words/words.csv", Body=b"one,two\n")
    name = f"airflow-transform-broken-{deferrable}"
    task = transform(name, model, deferrable=deferrable)
    task.config["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/clients/words"
    with pytest.raises(AirflowException, match="(?i)failed"):
        run(task)
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: .*words.csv"):
        run(SageMakerTransformSensor(task_id="sensor", job_name=name, poke_interval=0.2))


def test_a_transform_task_looks_for_its_input_first(model: str) -> None:
    missing = transform("airflow-transform-missing", model)
    missing.config["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing"
    with pytest.raises(AirflowException, match="does not exist in the Bucket"):
        run(missing)


# Tuning


def tuning(s3: Any, name: str, **arguments: Any) -> SageMakerTuningOperator:
    return SageMakerTuningOperator(
        task_id="tune", config=tuning_request(s3, name), **{"check_interval": 1, **arguments}
    )


@MODES
def test_a_tuning_task_returns_the_best_of_its_training_jobs(s3: Any, deferrable: bool) -> None:
    job = run(tuning(s3, f"airflow-{deferrable}", deferrable=deferrable))["Tuning"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 2
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"slope": "3"}


def test_a_tuning_sensor_sees_the_end_of_a_task_that_did_not_wait(s3: Any, sagemaker: Any) -> None:
    job = run(tuning(s3, "airflow-tuning", wait_for_completion=False))["Tuning"]
    assert job["HyperParameterTuningJobStatus"] == "InProgress"
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="airflow-tuning")
    run(SageMakerTuningSensor(task_id="sensor", job_name="airflow-tuning", poke_interval=0.2))
    with pytest.raises(AirflowException, match="Error while waiting for tuning job: Stopped"):
        asyncio.run(first_event(SageMakerTrigger("airflow-tuning", "tuning", poke_interval=1)))


# At the end: it has had the time of the tests above.


def test_a_training_task_that_tails_the_log_ends_with_its_job(tailing: Future[Any]) -> None:
    assert tailing.result(timeout=200)["Training"]["TrainingJobStatus"] == "Completed"
