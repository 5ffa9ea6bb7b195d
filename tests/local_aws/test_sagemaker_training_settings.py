"""What a training job may set beside its script: program, channels, checkpoints, and how its output is kept."""

import json
import os
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.s3.models import s3_backends
from sagemaker_requests import BUCKET, channel, eventually, finished, objects, training_job

from local_aws.sagemaker.failures import failure_reason

KEY = "alias/aws/s3"


def bash_job(s3: Any, name: str, script: str, **changes: Any) -> dict[str, Any]:
    """A CreateTrainingJob request that runs `script` in the place of the image's toolkit."""
    request = training_job(s3, name, "", **changes)
    request["AlgorithmSpecification"] |= {"ContainerEntrypoint": ["/bin/bash", "-ec"], "ContainerArguments": [script]}
    return request


def run(sagemaker: Any, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeTrainingJob's answer once the requested job has ended."""
    sagemaker.create_training_job(**request)
    return finished(sagemaker, request["TrainingJobName"])


@pytest.fixture(scope="module")
def completed(s3: Any, sagemaker: Any) -> dict[str, Any]:
    """A job with a program, an instance group, channels of two modes, checkpoints, TensorBoard, an open model."""
    for key in ("lists/a.csv", "lists/deep/b.csv", "lists/left-out.csv"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    manifest = [{"prefix": f"s3://{BUCKET}/lists/"}, "a.csv", "deep/b.csv"]
    s3.put_object(Bucket=BUCKET, Key="lists.manifest", Body=json.dumps(manifest))
    s3.put_object(Bucket=BUCKET, Key="checkpoints/1", Body=b"yesterday")
    script = (  # AWS takes 256 characters
        "cd /opt/ml; (cd input/data; find . -type f | sort) > model/channels; mkdir model/config; "
        "cp input/config/*.json model/config; cp checkpoints/1 model/restored; echo 2 > checkpoints/2; "
        "echo 3 > output/tensorboard/3; echo 4 > output/data/4"
    )
    settings = {
        "InputDataConfig": [
            channel("listed", f"s3://{BUCKET}/lists.manifest", "ManifestFile"),
            {**channel("fast", f"s3://{BUCKET}/lists/a.csv"), "InputMode": "FastFile"},
        ],
        "ResourceConfig": {
            "InstanceGroups": [{"InstanceGroupName": "one", "InstanceType": "ml.m5.large", "InstanceCount": 1}],
            "VolumeSizeInGB": 10,
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models", "CompressionType": "NONE", "KmsKeyId": KEY},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints"},
        "TensorBoardOutputConfig": {"S3OutputPath": f"s3://{BUCKET}/tensorboard"},
        "RetryStrategy": {"MaximumRetryAttempts": 2},
        "ExperimentConfig": {"TrialComponentDisplayName": "first"},
    }
    job = run(sagemaker, bash_job(s3, "settings", script, **settings))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert {name: job[name] for name in settings} == settings
    return job


def test_an_uncompressed_model_is_a_folder_of_its_files(s3: Any, completed: dict[str, Any]) -> None:
    assert completed["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/settings/output/model/"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="models/settings/output/")["Contents"]
    keys = {item["Key"].removeprefix("models/settings/output/") for item in listed}
    assert {"model/channels", "model/config/resourceconfig.json", "output.tar.gz"} <= keys


def test_output_is_encrypted_by_the_key_that_the_request_names(s3: Any, completed: dict[str, Any]) -> None:
    key_arn = boto3.client("kms").describe_key(KeyId=KEY)["KeyMetadata"]["Arn"]
    for key in ("model/channels", "output.tar.gz"):
        found = s3.head_object(Bucket=BUCKET, Key=f"models/settings/output/{key}")
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key_arn)


def test_a_manifest_says_which_objects_are_in_its_channel(s3: Any, completed: dict[str, Any]) -> None:
    found = s3.get_object(Bucket=BUCKET, Key="models/settings/output/model/channels")["Body"].read().decode()
    assert found.split() == ["./fast/a.csv", "./listed/a.csv", "./listed/deep/b.csv"]


def test_the_job_sees_its_mode_its_group_and_its_checkpoints_place(s3: Any, completed: dict[str, Any]) -> None:
    config = objects(s3, "models/settings/output/model/config/")
    modes = {name: entry["TrainingInputMode"] for name, entry in json.loads(config["inputdataconfig.json"]).items()}
    assert modes == {"listed": "File", "fast": "FastFile"}
    assert json.loads(config["resourceconfig.json"])["current_group_name"] == "one"
    assert json.loads(config["checkpointconfig.json"]) == completed["CheckpointConfig"]


def test_checkpoints_are_restored_before_the_job_and_kept_after_it(s3: Any, completed: dict[str, Any]) -> None:
    assert objects(s3, "models/settings/output/model/restored") == {"": "yesterday"}
    assert objects(s3, "checkpoints/") == {"1": "yesterday", "2": "2\n"}


def test_tensorboards_files_are_below_the_jobs_name(s3: Any, completed: dict[str, Any]) -> None:
    assert objects(s3, "tensorboard/") == {"settings/tensorboard-output/3": "3\n"}


def test_checkpoints_are_in_s3_while_the_job_runs(s3: Any, sagemaker: Any) -> None:
    script = "echo 1 > /opt/ml/checkpoints/epoch-1; sleep 60"
    config = {"S3Uri": f"s3://{BUCKET}/live-checkpoints"}
    sagemaker.create_training_job(**bash_job(s3, "still-at-it", script, CheckpointConfig=config))
    eventually(lambda: objects(s3, "live-checkpoints/"), lambda found: found == {"epoch-1": "1\n"})
    assert sagemaker.describe_training_job(TrainingJobName="still-at-it")["TrainingJobStatus"] == "InProgress"
    sagemaker.stop_training_job(TrainingJobName="still-at-it")
    assert finished(sagemaker, "still-at-it")["TrainingJobStatus"] == "Stopped"


def test_a_program_that_fails_says_why_beside_what_it_left_in_the_failure_file(s3: Any, sagemaker: Any) -> None:
    script = "echo 'Training failed, see the logs' > /opt/ml/output/failure; echo 'no column x' >&2; exit 4"
    reason = run(sagemaker, bash_job(s3, "wrapped", script))["FailureReason"]
    assert reason == "AlgorithmError: Training failed, see the logs\nno column x, exit code: 4"


def test_what_a_wrapper_sends_to_stdout_is_what_its_program_said_last(s3: Any, sagemaker: Any) -> None:
    """The SageMaker SDK's wrapper does: its own shell's trace is all that is on stderr."""
    reason = run(sagemaker, bash_job(s3, "traced", "echo 'no column y'; set -x; exit 5"))["FailureReason"]
    assert reason == "AlgorithmError: See job logs for more information: no column y, exit code: 5"


def test_the_first_instance_has_awss_name_and_the_name_resolves(s3: Any, sagemaker: Any) -> None:
    script = 'grep -q \'"current_host": "algo-1"\' /opt/ml/input/config/resourceconfig.json && getent hosts algo-1'
    job = run(sagemaker, bash_job(s3, "named", script))
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]


def test_what_a_job_uses_of_the_machine_is_in_cloudwatch(s3: Any, sagemaker: Any) -> None:
    started = run(sagemaker, bash_job(s3, "busy", "while [ $SECONDS -lt 2 ]; do :; done"))["TrainingStartTime"]
    for name in ("CPUUtilization", "MemoryUtilization"):
        points = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="/aws/sagemaker/TrainingJobs",
            MetricName=name,
            Dimensions=[{"Name": "Host", "Value": "busy/algo-1"}],
            StartTime=started - timedelta(minutes=5),
            EndTime=started + timedelta(minutes=5),
            Period=3600,
            Statistics=["Maximum"],
        )["Datapoints"]
        assert len(points) == 1 and 0 < points[0]["Maximum"] < 100 * (os.cpu_count() or 1)


def test_a_channel_may_have_thousands_of_objects(s3: Any, sagemaker: Any) -> None:
    for n in range(1001):  # more than S3 lists at once; put past HTTP, which would take ten seconds
        s3_backends["123456789012"]["aws"].put_object(BUCKET, f"many/{n}.csv", str(n).encode())
    script = (
        "cd /opt/ml/input/data/many && ls | wc -l > /opt/ml/model/count && cat *.csv | wc -c >> /opt/ml/model/count"
    )
    output = {"S3OutputPath": f"s3://{BUCKET}/models", "CompressionType": "NONE"}
    channels = [channel("many", f"s3://{BUCKET}/many/")]
    run(sagemaker, bash_job(s3, "many", script, InputDataConfig=channels, OutputDataConfig=output))
    expected = sum(len(str(n)) for n in range(1001))
    assert objects(s3, "models/many/output/model/") == {"count": f"1001\n{expected}\n"}


def test_an_object_whose_key_is_another_ones_folder_fails_the_job(s3: Any, sagemaker: Any) -> None:
    for key in ("clash/a", "clash/a/b"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    job = run(sagemaker, bash_job(s3, "clash", "true", InputDataConfig=[channel("c", f"s3://{BUCKET}/clash/")]))
    assert job["FailureReason"].startswith("ClientError: Data download failed:Failed to write data. s3://")


PLAN = "arn:aws:sagemaker:us-east-1:123456789012:training-plan/p"


@pytest.mark.parametrize("filters", [{"WarmPoolStatusEquals": "Available"}, {"TrainingPlanArnEquals": PLAN}])
def test_no_job_is_in_a_warm_pool_or_a_training_plan(
    sagemaker: Any, completed: dict[str, Any], filters: dict[str, Any]
) -> None:
    assert sagemaker.list_training_jobs(NameContains="settings", **filters)["TrainingJobSummaries"] == []


def test_a_failure_that_holds_the_last_words_already_does_not_repeat_them() -> None:
    assert failure_reason(1, "it broke: no column x", "no column x").count("no column x") == 1
