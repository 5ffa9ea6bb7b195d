"""Every SageMaker operator and sensor of Airflow's Amazon provider, deferrable and not: what each calls, and the error
texts each relies on."""

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
    SageMakerDeleteModelOperator,
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
    SageMakerRegisterModelVersionOperator,
    SageMakerTrainingOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor, SageMakerTrainingSensor
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow_tasks import MODES, first_event, run
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, IMAGE, finished, settled
from slope_model import endpoint_config_request, model_request, predictions, training_request

BROKEN = "raise SystemExit('the data is bad')"
pytestmark = pytest.mark.usefixtures("airflow_connection")


def training(s3: Any, name: str, script: str | None = None, **arguments: Any) -> SageMakerTrainingOperator:
    request = training_request(s3, name, script) if script else training_request(s3, name)
    settings = {"check_interval": 1, "print_log": False, **arguments}
    return SageMakerTrainingOperator(task_id="train", config=request, **settings)


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
def test_a_training_task_fails_with_its_job(s3: Any, deferrable: bool, said: str) -> None:
    with pytest.raises(AirflowException, match=f"(?si){said}"):
        run(training(s3, f"airflow-broken-{deferrable}", BROKEN, deferrable=deferrable))


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


def test_a_training_sensor_fails_with_the_jobs_reason(s3: Any, sagemaker: Any) -> None:
    run(training(s3, "airflow-sensor", BROKEN, wait_for_completion=False))
    reason = finished(sagemaker, "airflow-sensor")["FailureReason"]
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: ") as failure:
        run(SageMakerTrainingSensor(task_id="sensor", job_name="airflow-sensor", print_log=False))
    assert reason in str(failure.value)


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


def test_a_role_given_by_name_is_looked_up_in_iam(s3: Any) -> None:
    role = boto3.client("iam").create_role(RoleName="Trainer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    task = training(s3, "airflow-role", wait_for_completion=False)
    task.config["RoleArn"] = "Trainer"
    assert run(task)["Training"]["RoleArn"] == role
    task.config["RoleArn"] = "Stranger"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        run(task)


def test_numbers_that_a_template_rendered_as_text_and_s3_operations_are_seen_to(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("5,6\n")
    task = training(s3, "airflow-operations")
    task.config["ResourceConfig"]["VolumeSizeInGB"] = "20"
    task.config["StoppingCondition"]["MaxRuntimeInSeconds"] = "50"
    upload = {"Path": str(tmp_path / "rows.csv"), "Bucket": "airflow-made", "Key": "rows.csv", "Tar": False}
    task.config["S3Operations"] = {"S3CreateBucket": [{"Bucket": "airflow-made"}], "S3Upload": [upload]}
    task.config["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = "s3://airflow-made/rows.csv"
    job = run(task)["Training"]
    assert (job["ResourceConfig"]["VolumeSizeInGB"], job["StoppingCondition"]["MaxRuntimeInSeconds"]) == (20, 50)
    assert {"rows": 1}.items() <= {
        metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]
    }.items()


def test_the_hook_lists_jobs_by_name_in_as_many_pages_as_it_takes(s3: Any, trained: Any) -> None:
    hook = SageMakerHook()
    assert "trained" in [job["TrainingJobName"] for job in hook.list_training_jobs(name_contains="trained")]
    assert len(hook.list_training_jobs(max_results=1)) == 1
    assert hook.list_training_jobs(name_contains="nothing-called-so") == []


# Models and the registry


def test_a_model_task_creates_a_model_and_a_delete_task_removes_it(sagemaker: Any, artifacts: str) -> None:
    model = run(SageMakerModelOperator(task_id="model", config=model_request("airflow-model", artifacts)))["Model"]
    assert model["PrimaryContainer"]["ModelDataUrl"] == artifacts
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        run(SageMakerModelOperator(task_id="model", config=model_request("airflow-model", artifacts)))
    delete = SageMakerDeleteModelOperator(task_id="delete", config={"ModelName": "airflow-model"})
    run(delete)
    with pytest.raises(ClientError, match="ValidationException.*Could not find model"):
        run(delete)


def test_a_register_task_adds_versions_to_a_group_that_the_first_creates(sagemaker: Any, artifacts: str) -> None:
    arguments = {"image_uri": IMAGE, "model_url": artifacts, "package_group_name": "airflow-group"}
    versions = [
        run(SageMakerRegisterModelVersionOperator(task_id="register", package_desc="a version", **arguments))
        for _ in range(2)
    ]
    assert [arn.rpartition("/")[2] for arn in versions] == ["1", "2"]
    package = sagemaker.describe_model_package(ModelPackageName=versions[1])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


# Endpoints


@MODES
def test_an_endpoint_task_creates_model_configuration_and_endpoint(
    sagemaker: Any, artifacts: str, deferrable: bool
) -> None:
    name = f"airflow-{deferrable}"
    config = {
        "Model": model_request(name, artifacts),
        "EndpointConfig": endpoint_config_request(name, name),
        "Endpoint": {"EndpointName": name, "EndpointConfigName": name},
    }
    made = run(SageMakerEndpointOperator(task_id="deploy", config=config, check_interval=1, deferrable=deferrable))
    assert (made["Endpoint"]["EndpointStatus"], made["EndpointConfig"]["EndpointConfigName"]) == ("InService", name)
    assert predictions(name, 1, 2.5) == [2.0, 5.0]
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_task_updates_an_endpoint_that_exists(sagemaker: Any, model: str) -> None:
    for number in (1, 2):
        config = endpoint_config_request(f"airflow-update-{number}", model)
        run(SageMakerEndpointConfigOperator(task_id="config", config=config))
        request = {
            "EndpointName": "airflow-update",
            "EndpointConfigName": f"airflow-update-{number}",
            "Tags": [{"Key": "by", "Value": "airflow"}],
        }
        deploy = SageMakerEndpointOperator(task_id="deploy", config=request, wait_for_completion=False)
        run(deploy)
        run(SageMakerEndpointSensor(task_id="sensor", endpoint_name="airflow-update", poke_interval=0.2))
    assert deploy.operation == "update"
    assert sagemaker.describe_endpoint(EndpointName="airflow-update")["EndpointConfigName"] == "airflow-update-2"
    sagemaker.delete_endpoint(EndpointName="airflow-update")


def test_an_update_task_needs_an_endpoint_that_is_there(sagemaker: Any, endpoint: str) -> None:
    request = {"EndpointName": "airflow-absent", "EndpointConfigName": endpoint}
    with pytest.raises(ClientError, match="ValidationException.*Could not find endpoint"):
        run(SageMakerEndpointOperator(task_id="deploy", config=request, operation="update"))


@MODES
def test_an_endpoint_that_cannot_start_fails_task_and_sensor(sagemaker: Any, artifacts: str, deferrable: bool) -> None:
    name = f"airflow-lame-{deferrable}"
    model = model_request(name, artifacts)
    model["PrimaryContainer"]["Environment"] = {"SAGEMAKER_PROGRAM": "missing.py"}
    config = {
        "Model": model,
        "EndpointConfig": endpoint_config_request(name, name),
        "Endpoint": {"EndpointName": name, "EndpointConfigName": name},
    }
    deploy = SageMakerEndpointOperator(task_id="deploy", config=config, check_interval=1, deferrable=deferrable)
    with pytest.raises(Exception, match="(?i)failed"):
        run(deploy)
    reason = settled(sagemaker, name)["FailureReason"]
    with pytest.raises(AirflowException, match="Sagemaker job failed for the following reason: ") as failure:
        run(SageMakerEndpointSensor(task_id="sensor", endpoint_name=name, poke_interval=0.2))
    assert reason in str(failure.value)


# At the end: it has had the time of the tests above.


def test_a_training_task_that_tails_the_log_ends_with_its_job(tailing: Future[Any]) -> None:
    assert tailing.result(timeout=60)["Training"]["TrainingJobStatus"] == "Completed"
