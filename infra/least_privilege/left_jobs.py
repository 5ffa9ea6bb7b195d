"""Jobs that nobody waits for, as a crashed run leaves them: a job of each kind that does nothing, but for long."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from threading import Thread
from typing import Any

import boto3

from silverline import jobs

WAIT_SECONDS = 120
SLEEP_SECONDS = 300


def end_left_jobs(pipeline: str) -> None:
    """Stop those that a run before hasn't, and wait until they have ended: they would take the processors of the next.

    RuntimeError where one doesn't end.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while left := list(_going_on(_stem(pipeline))):
        if time.monotonic() > deadline:
            raise RuntimeError(f"still there {WAIT_SECONDS} s after they were stopped: {', '.join(left)}")
        time.sleep(0.3)


def _going_on(stem: str) -> Iterator[str]:
    """The names of the jobs that are called so and haven't ended; each has been asked to."""
    for kind, name, _ in jobs.named(stem, "InProgress"):
        jobs.stop(kind, name)
        yield name
    yield from (name for _, name, _ in jobs.named(stem, "Stopping"))


def leave_jobs(document: Mapping[str, Any], pipeline: str) -> None:
    """Start them while the pipeline's run evaluates its model, some time after this function has returned."""
    Thread(target=_leave_them, args=(document, pipeline), daemon=True).start()


def _leave_them(document: Mapping[str, Any], pipeline: str) -> None:
    sagemaker, name = boto3.client("sagemaker"), pipeline.replace("_", "-")
    for _ in range(10 * WAIT_SECONDS):  # started earlier, they would take the processors that the run's own need
        if sagemaker.list_processing_jobs(NameContains=name, StatusEquals="InProgress")["ProcessingJobSummaries"]:
            break
        time.sleep(0.3)
    left, image, role = (
        f"{_stem(pipeline)}-{time.time_ns()}",
        document["sagemaker_image"],
        document["sagemaker_jobs_role_arn"],
    )
    own = {"Environment": document["environment"], "AirflowDag": pipeline}
    tags: Any = [{"Key": key, "Value": value} for key, value in own.items()]
    sleeping = ["/bin/sh", "-c", f"sleep {SLEEP_SECONDS}"]
    source = _put_sleeping_scripts(document, pipeline)
    place = f"s3://{document['artifacts_bucket']}/{pipeline}/training"
    machine: Any = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    training: Any = {
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": sleeping,
        },
        "OutputDataConfig": {"S3OutputPath": place},
        "ResourceConfig": machine,
        "StoppingCondition": {"MaxRuntimeInSeconds": SLEEP_SECONDS},
    }
    tuned: Any = {  # which takes no entrypoint
        **training,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "StaticHyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"/opt/ml/input/data/code/model.tar.gz"',
        },
        "InputDataConfig": [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}],
    }
    sagemaker.create_training_job(TrainingJobName=left, Tags=tags, **training)
    sagemaker.create_processing_job(
        ProcessingJobName=left,
        RoleArn=role,
        AppSpecification={"ImageUri": image, "ContainerEntrypoint": sleeping},
        ProcessingResources={"ClusterConfig": machine},
        Tags=tags,
    )
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=left[:32],
        HyperParameterTuningJobConfig={
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "seed", "Values": ["1", "2"]}]},
        },
        TrainingJobDefinition=tuned,
        Tags=tags,
    )
    sagemaker.create_model(
        ModelName=left,
        ExecutionRoleArn=role,
        PrimaryContainer={
            "Image": image,
            "ModelDataUrl": source["S3Uri"],
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT": str(SLEEP_SECONDS),
            },
        },
        Tags=tags,
    )
    sagemaker.create_transform_job(
        TransformJobName=left,
        ModelName=left,
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": f"{place}/left"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        ModelClientConfig={"InvocationsTimeoutInSeconds": SLEEP_SECONDS, "InvocationsMaxRetries": 0},
        Tags=tags,
    )


def _stem(pipeline: str) -> str:
    return f"{pipeline.replace('_', '-')}-left"


def _put_sleeping_scripts(document: Mapping[str, Any], pipeline: str) -> Any:
    """Where, as a job takes it, an archive lies whose training and whose model do nothing, but for long."""
    scripts = {
        "train.py": f"import time\n\ntime.sleep({SLEEP_SECONDS})\n",
        "inference.py": (
            "import time\n\n\ndef model_fn(folder):\n    return {}\n\n\n"
            f"def transform_fn(model, body, content_type, accept):\n    time.sleep({SLEEP_SECONDS})\n"
        ),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        for name, text in scripts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    bucket, key = document["artifacts_bucket"], f"{pipeline}/training/left/model.tar.gz"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    return {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{key}"}
