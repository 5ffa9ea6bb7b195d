"""With --enforce-iam, SageMaker's jobs do only what their role may do, and fail as on AWS."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from roles import (
    ACCOUNT,
    ARN,
    BUCKET,
    Somebody,
    Statements,
    allow,
    by_s3,
    encrypted_bucket,
    not_allowed,
    of_any_container,
    role,
    without,
)
from sagemaker_requests import IMAGE, channel, eventually, finished


@pytest.fixture(scope="module")
def key(enforced: object) -> str:
    """The ARN of the key that everything in the bucket is under."""
    return encrypted_bucket({"data/train.csv": b"UA,1\n"})


@pytest.fixture(scope="module")
def of_a_job(key: str) -> Statements:
    """All that a job's role needs."""
    return {
        "find": allow("s3:ListBucket", ARN, StringLike={"s3:prefix": "data/*"}),
        "read": allow("s3:GetObject", f"{ARN}/data/*"),
        "write": allow("s3:PutObject", f"{ARN}/models/*"),
        "decrypt": by_s3("Decrypt", key),
        "encrypt": by_s3("GenerateDataKey", key),
        "measure": allow(
            "cloudwatch:PutMetricData", "*", StringEquals={"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
        ),
        **of_any_container(),
    }


def training(name: str, role_arn: str, script: str = "cat data/train/train.csv > model/copy") -> dict[str, Any]:
    """A CreateTrainingJob request that runs `script` in /opt/ml/input."""
    command = f"cd /opt/ml; ln -s input/data data; {script}; echo 'loss=1;'"
    return {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-ec"],
            "ContainerArguments": [command],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*);"}],
        },
        "InputDataConfig": [channel("train", f"s3://{BUCKET}/data/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


JOBS = {
    "read": "ClientError: Data download failed:Unable to download object s3://on-behalf/data/train.csv (AccessDenied: "
    + not_allowed("job-read/SageMaker", "s3:GetObject", f"{ARN}/data/train.csv"),
    "write": "ClientError: Artifact upload failed:Unable to upload object "
    "s3://on-behalf/models/job-write/output/model.tar.gz (AccessDenied: "
    + not_allowed("job-write/SageMaker", "s3:PutObject", f"{ARN}/models/job-write/output/model.tar.gz"),
    "decrypt": "ClientError: Data download failed:Unable to download object s3://on-behalf/data/train.csv "
    f"(AccessDenied: User: arn:aws:sts::{ACCOUNT}:assumed-role/job-decrypt/SageMaker is not authorized to perform: "
    "kms:Decrypt on resource: ",
    "encrypt": "ClientError: Artifact upload failed:Unable to upload object "
    "s3://on-behalf/models/job-encrypt/output/model.tar.gz (AccessDenied: User: "
    f"arn:aws:sts::{ACCOUNT}:assumed-role/job-encrypt/SageMaker is not authorized to perform: kms:GenerateDataKey",
    "log in to ECR": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-log-in-to-ECR' does not have GetAuthorizationToken permission for the image: "
    f"'{IMAGE}'.",
    "pull": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-pull' does not have BatchCheckLayerAvailability permission for the image: "
    f"'{IMAGE}'.",
    "layers": "ClientError: Cannot pull algorithm container. The role "
    f"'arn:aws:iam::{ACCOUNT}:role/job-layers' does not have GetDownloadUrlForLayer permission for the image: "
    f"'{IMAGE}'.",
}


@pytest.fixture(scope="module")
def started(of_a_job: Statements) -> None:
    """A job for each statement that its role has not."""
    for missing in (*JOBS, "log", "measure"):
        name = f"job-{missing.replace(' ', '-')}"
        boto3.client("sagemaker").create_training_job(**training(name, role(name, without(of_a_job, missing))))


@pytest.mark.parametrize("missing", JOBS)
def test_a_job_fails_without_a_permission_of_its_role(started: None, missing: str) -> None:
    job = finished(boto3.client("sagemaker"), f"job-{missing.replace(' ', '-')}")
    assert job["FailureReason"].startswith(JOBS[missing])


def test_a_job_goes_on_where_its_role_may_not_log(started: None) -> None:
    assert finished(boto3.client("sagemaker"), "job-log")["TrainingJobStatus"] == "Completed"
    streams = boto3.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    names = [stream["logStreamName"] for stream in streams]
    assert not any(name.startswith("job-log/") for name in names) and any("job-write/" in name for name in names)


def test_a_job_goes_on_where_its_role_may_not_measure(started: None) -> None:
    job = finished(boto3.client("sagemaker"), "job-measure")
    assert job["TrainingJobStatus"] == "Completed"
    found = boto3.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]
    jobs = {dimension["Value"] for metric in found for dimension in metric["Dimensions"]}
    assert "job-measure" not in jobs and "job-log" in jobs


def test_a_job_is_not_made_without_input_that_its_role_can_list(of_a_job: Statements) -> None:
    arn = role("cannot-list", without(of_a_job, "find"))
    with pytest.raises(ClientError) as refused:
        boto3.client("sagemaker").create_training_job(**training("cannot-list", arn))
    message = refused.value.response["Error"]["Message"]
    assert message.startswith(f'No S3 objects found under S3 URL "s3://{BUCKET}/data/" given in input data source.')
    assert message.endswith(
        f'the role "{arn}" has "s3:ListBucket" permissions on bucket "{BUCKET}". Error message from S3: '
        + not_allowed("cannot-list/SageMaker", "s3:ListBucket", ARN)
    )


def test_a_role_has_to_trust_sagemaker(of_a_job: Statements) -> None:
    arn = role("trusts-glue", of_a_job, "glue.amazonaws.com")
    with pytest.raises(ClientError) as refused:
        boto3.client("sagemaker").create_training_job(**training("untrusted", arn))
    assert refused.value.response["Error"]["Message"] == (
        f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def test_a_jobs_own_calls_are_its_roles(of_a_job: Statements) -> None:
    script = "python -c \"import boto3; boto3.client('s3').put_object(Bucket='bronze', Key='k', Body=b'')\""
    boto3.client("sagemaker").create_training_job(**training("own-calls", role("own-calls", of_a_job), script))
    reason = finished(boto3.client("sagemaker"), "own-calls")["FailureReason"]
    assert not_allowed("own-calls/SageMaker", "s3:PutObject", "arn:aws:s3:::bronze/k") in reason


def test_a_job_uses_a_volumes_key_by_leave_of_its_role_or_of_whoever_makes_it(of_a_job: Statements, key: str) -> None:
    grant = allow("kms:CreateGrant", key, Bool={"kms:GrantIsForAWSResource": "true"})
    pass_role = allow(["iam:PassRole", "sagemaker:CreateTrainingJob"], "*")
    without_it, with_it = role("no-grant", of_a_job), role("grants", {**of_a_job, "grant": grant})
    request = training("own-disk", without_it)
    request["ResourceConfig"]["VolumeKmsKeyId"] = key
    makers = [
        Somebody(role("maker", {"make": pass_role})),
        Somebody(role("granting-maker", {"make": pass_role, "grant": grant})),
    ]
    with pytest.raises(ClientError, match=r"maker/somebody is not authorized to perform: kms:CreateGrant on resource"):
        makers[0].client("sagemaker").create_training_job(**request)
    makers[1].client("sagemaker").create_training_job(**request)
    makers[0].client("sagemaker").create_training_job(**{**request, "TrainingJobName": "own", "RoleArn": with_it})
    for name in ("own-disk", "own"):
        job = finished(boto3.client("sagemaker"), name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


def test_processing_reads_and_writes_as_its_role(of_a_job: Statements) -> None:
    sagemaker = boto3.client("sagemaker")
    given = {"S3Uri": f"s3://{BUCKET}/data/", "S3DataType": "S3Prefix", "LocalPath": "/opt/ml/processing/in"}
    made = {"S3Uri": f"s3://{BUCKET}/models/", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    command = ["/bin/bash", "-ec", "cp /opt/ml/processing/in/* /opt/ml/processing/out"]
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for missing in ("find", "write"):
        sagemaker.create_processing_job(
            ProcessingJobName=f"cannot-{missing}",
            RoleArn=role(f"cannot-{missing}", without(of_a_job, missing)),
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": command},
            ProcessingInputs=[{"InputName": "in", "S3Input": {**given, "S3InputMode": "File"}}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": made}]},
            ProcessingResources={"ClusterConfig": cluster},
        )
    reasons = [ended(sagemaker, f"cannot-{missing}")["FailureReason"] for missing in ("find", "write")]
    assert reasons[0].startswith(
        "ClientError: Data download failed:Failed to download data. ListObjectsV2 failed for s3://on-behalf/data/: "
        f"(AccessDenied: {not_allowed('cannot-find/SageMaker', 's3:ListBucket', ARN)}"
    )
    assert reasons[1].startswith(
        "ClientError: Artifact upload failed:Unable to upload object s3://on-behalf/models/train.csv (AccessDenied: "
        + not_allowed("cannot-write/SageMaker", "s3:PutObject", f"{ARN}/models/train.csv")
    )


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    """DescribeProcessingJob's answer once the job has ended."""
    return eventually(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )
