"""What a pipeline meets in its life, so that each call it can make is made once: states that a run is started from."""

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3

from least_privilege.left_jobs import leave_jobs

WAIT_SECONDS = 120
JOBS = ("HyperParameterTuning", "Processing", "Training", "Transform")


@dataclass(frozen=True)
class Scenario:
    """`prepare` brings the pipeline on the platform of a document there, from what a run that ended well left; `later`
    is what a role does from there and never in a first run. `conf` is what the run is told besides its month.
    `is_batch`: it is the pipeline's batch DAG that runs."""

    name: str
    prepare: Callable[[Mapping[str, Any], str], None]
    later: tuple[tuple[str, str], ...] = ()
    conf: Mapping[str, Any] = field(default_factory=dict)
    is_batch: bool = False


def nothing_yet(document: Mapping[str, Any], pipeline: str) -> None:
    """Neither a silver table nor an endpoint."""
    glue = boto3.client("glue")
    for table in _silver_tables(document):
        glue.delete_table(DatabaseName=document["silver_database"], Name=table)
    no_endpoint(document, pipeline)


def no_endpoint(document: Mapping[str, Any], pipeline: str) -> None:
    """Silver is as it should be, and there is no endpoint."""
    sagemaker, name = boto3.client("sagemaker"), _endpoint(pipeline)
    if name in {endpoint["EndpointName"] for endpoint in sagemaker.list_endpoints(NameContains=name)["Endpoints"]}:
        sagemaker.delete_endpoint(EndpointName=name)
        sagemaker.get_waiter("endpoint_deleted").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": WAIT_SECONDS}
        )


def all_there(document: Mapping[str, Any], pipeline: str) -> None:
    """Silver is as it should be, and there is an endpoint."""


def newer_files(document: Mapping[str, Any], pipeline: str) -> None:
    """All is there, and of one month nobody knows any more which files it was made of: the present ones are new."""
    glue = boto3.client("glue")
    for table in _silver_tables(document):
        place: Any = {"DatabaseName": document["silver_database"], "TableName": table}
        partitions = glue.get_partitions(**place)["Partitions"]
        for newest in sorted(partitions, key=lambda partition: partition["Values"])[-1:]:
            unknown: Any = {"Values": newest["Values"], "StorageDescriptor": newest["StorageDescriptor"]}
            glue.update_partition(**place, PartitionValueList=newest["Values"], PartitionInput=unknown)


def failed_endpoint(document: Mapping[str, Any], pipeline: str) -> None:
    """The endpoint's creation has failed: SageMaker can only delete such a one."""
    newer_files(document, pipeline)
    no_endpoint(document, pipeline)
    sagemaker, name = boto3.client("sagemaker"), _endpoint(pipeline)
    _configure_broken_model(document, pipeline, f"{name}-broken")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-broken")
    for _ in range(WAIT_SECONDS):
        status = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        if status == "Failed":
            return
        time.sleep(1)
    raise RuntimeError(f"the endpoint {name} was to fail and is {status}")


def old_models(document: Mapping[str, Any], pipeline: str) -> None:
    """All is there, and the pipeline has had more models than it keeps."""
    for number in range(5):
        _configure_broken_model(document, pipeline, f"{_endpoint(pipeline)}-20130101-00000{number}-0000-1")


def _configure_broken_model(document: Mapping[str, Any], pipeline: str, name: str) -> None:
    """A model of the pipeline and an endpoint configuration, both called `name`, whose container doesn't start."""
    sagemaker = boto3.client("sagemaker")
    key = f"{pipeline}/training/broken/model.tar.gz"  # where the endpoint's role may read
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w:gz").close()
    boto3.client("s3").put_object(Bucket=document["artifacts_bucket"], Key=key, Body=archive.getvalue())
    _forget(name)
    tags: Any = [{"Key": "Environment", "Value": document["environment"]}, {"Key": "Pipeline", "Value": pipeline}]
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=document["sagemaker_endpoint_role_arn"],
        PrimaryContainer={
            "Image": document["sagemaker_image"],
            "ModelDataUrl": f"s3://{document['artifacts_bucket']}/{key}",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        },
        Tags=tags,
    )
    variant: Any = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=tags)


FIRST_RUN = Scenario("first run", nothing_yet)
BATCH = Scenario(
    "a batch",
    all_there,
    (
        ("airflow", "sagemaker:CreateTransformJob"),
        ("airflow", "sagemaker:DescribeTransformJob"),
        ("airflow", "sagemaker:DeleteModel"),
    ),
    is_batch=True,
)
SCENARIOS = (
    Scenario("no endpoint", no_endpoint),
    FIRST_RUN,
    Scenario(
        "a month's files changed",
        newer_files,
        (
            ("airflow", "glue:UpdatePartition"),
            ("airflow", "sagemaker:UpdateEndpoint"),
            ("airflow", "cloudwatch:DescribeAlarms"),
            ("sagemaker_endpoint", "cloudwatch:DescribeAlarms"),
        ),
    ),
    Scenario("the endpoint has failed", failed_endpoint, (("airflow", "sagemaker:DeleteEndpoint"),)),
    Scenario(
        "there are old models",
        old_models,
        (("airflow", "sagemaker:DeleteEndpointConfig"),),
    ),
    Scenario(
        "jobs are left",
        leave_jobs,
        tuple(("airflow", f"sagemaker:Stop{kind}Job") for kind in JOBS),
    ),
    BATCH,
    Scenario(
        "a tuned run",
        all_there,
        (
            ("airflow", "sagemaker:CreateHyperParameterTuningJob"),
            ("airflow", "sagemaker:DescribeHyperParameterTuningJob"),
        ),
        conf={"tune": True},
    ),
)
"""The cheapest first: an action is tried in the first one in which it is called."""

LATER = {action: scenario.name for scenario in SCENARIOS for action in scenario.later}
"""The scenario that each role's action waits for which no first run calls."""


def failure_reason(pipeline: str, since: datetime) -> str | None:
    """Why SageMaker has failed a job or the endpoint since then; None where it has not."""
    sagemaker, name = boto3.client("sagemaker"), _endpoint(pipeline)
    training = sagemaker.list_training_jobs(CreationTimeAfter=since, StatusEquals="Failed")["TrainingJobSummaries"]
    for job in training:
        return str(sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])["FailureReason"])
    processing = sagemaker.list_processing_jobs(CreationTimeAfter=since, StatusEquals="Failed")
    for summary in processing["ProcessingJobSummaries"]:
        return str(summary["FailureReason"])
    transform = sagemaker.list_transform_jobs(CreationTimeAfter=since, StatusEquals="Failed")["TransformJobSummaries"]
    for scored in transform:
        return str(scored["FailureReason"])
    for endpoint in sagemaker.list_endpoints(NameContains=name, LastModifiedTimeAfter=since)["Endpoints"]:
        if endpoint["EndpointName"] == name:
            return sagemaker.describe_endpoint(EndpointName=name).get("FailureReason")
    return None


def _endpoint(pipeline: str) -> str:
    return pipeline.replace("_", "-")


def _silver_tables(document: Mapping[str, Any]) -> list[str]:
    pages = boto3.client("glue").get_paginator("get_tables").paginate(DatabaseName=document["silver_database"])
    return [table["Name"] for page in pages for table in page["TableList"]]


def _forget(name: str) -> None:
    sagemaker = boto3.client("sagemaker")
    if sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    if sagemaker.list_models(NameContains=name)["Models"]:
        sagemaker.delete_model(ModelName=name)
