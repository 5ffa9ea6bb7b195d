"""What a model was made of, as a document in the artifacts bucket whose name is the hash of its content."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from silverline import objects
from silverline.platform import Platform

# What CreateTrainingJob takes of what DescribeTrainingJob gives: the same again makes the same model.
TRAINING_REQUEST = (
    *("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "OutputDataConfig", "ResourceConfig"),
    *("RoleArn", "StoppingCondition", "EnableNetworkIsolation"),
)


def store(platform: Platform, pipeline: str, document: Mapping[str, Any]) -> str:
    """Write the document; returns its s3:// address, which is another one for another content."""
    body = json.dumps(document, indent=1, sort_keys=True).encode()
    address = f"s3://{platform.artifacts_bucket}/{pipeline}/lineage/{_sha256(body)}.json"
    objects.write(address, body, "application/json")
    return address


def load(address: str) -> dict[str, Any]:
    """The document at `address`; ValueError where it isn't the one that was stored there."""
    body = objects.read(address)
    if _sha256(body) not in address:
        raise ValueError(f"{address} has been changed: its content has another hash than its name says")
    document: dict[str, Any] = json.loads(body)
    return document


def trained(plan: Mapping[str, Any], silver_runs: Mapping[str, str], model_artifacts: str) -> dict[str, Any]:
    """What there is to know of the model in `model_artifacts`: the plan's files and SQL, the runs that computed
    silver's months, and the training job's own record of its image, source, hyperparameters and splits."""
    import boto3

    job_name = model_artifacts.split("/")[-3]  # <output path>/<job>/output/model.tar.gz, as SageMaker lays it
    job: dict[str, Any] = {**boto3.client("sagemaker").describe_training_job(TrainingJobName=job_name)}
    request = {name: job[name] for name in TRAINING_REQUEST if name in job}
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in job["InputDataConfig"]
    }
    source = channels.pop("code")
    # The training toolkit reads every value as JSON.
    hyperparameters = {name: json.loads(value) for name, value in job["HyperParameters"].items()}
    return {
        "bronze": plan["bronze"],
        "sql_digest": plan["sql_digest"],
        "silver_runs": silver_runs,
        "as_of": plan["as_of"],
        "splits": plan["splits"],
        "data_version": hyperparameters["data_version"],
        "data": {name: {"location": prefix, "objects": objects.etags(prefix)} for name, prefix in channels.items()},
        "source": {"location": source, "sha256": _sha256(objects.read(source))},
        "git_commit": hyperparameters["git_commit"],
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        "training_job": {"name": job_name, "arn": job["TrainingJobArn"], "request": request},
        "model": {"location": model_artifacts, "sha256": _sha256(objects.read(model_artifacts))},
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
