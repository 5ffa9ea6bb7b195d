"""Lays on local AWS what Terraform lays on AWS, and writes the same platform document."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import jsonschema

from laptop.settings import ENVIRONMENT, REGION

SCHEMA = Path(__file__).resolve().parents[1] / "platform.schema.json"
# https://docs.aws.amazon.com/sagemaker/latest/dg/pre-built-docker-containers-scikit-learn-spark.html (us-east-1)
IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


def apply(git_commit: str) -> dict[str, str]:
    """Create what is missing and write the document and the commit to SSM; run again, it changes nothing else."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    prefix = f"silverline-{ENVIRONMENT}"
    document = {
        "environment": ENVIRONMENT,
        **{f"{layer}_bucket": f"{prefix}-{layer}-{account}" for layer in ("bronze", "silver", "artifacts")},
        **{f"{layer}_database": f"silverline_{ENVIRONMENT}_{layer}" for layer in ("bronze", "silver")},
        "athena_workgroup": prefix,
        "sagemaker_role_arn": _role(f"{prefix}-sagemaker"),
        "sagemaker_image": IMAGE,
    }
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    s3 = boto3.client("s3")
    for layer in ("bronze", "silver", "artifacts"):
        s3.create_bucket(Bucket=document[f"{layer}_bucket"])
    versioning: Any = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=document["bronze_bucket"], VersioningConfiguration=versioning)
    for layer in ("bronze", "silver"):
        _database(document[f"{layer}_database"])
    _workgroup(document["athena_workgroup"], f"s3://{document['artifacts_bucket']}/athena-results/")
    for name, value in (("platform", json.dumps(document)), ("git_commit", git_commit)):
        _ssm().put_parameter(Name=_parameter(name), Value=value, Type="String", Overwrite=True)
    return document


def read() -> dict[str, str]:
    """The platform document, as the pipelines read it."""
    document: dict[str, str] = json.loads(_ssm().get_parameter(Name=_parameter("platform"))["Parameter"]["Value"])
    return document


@cache
def _ssm() -> Any:
    return boto3.client("ssm")


def _parameter(name: str) -> str:
    return f"/silverline/{ENVIRONMENT}/{name}"


def _role(name: str) -> str:
    iam = boto3.client("iam")
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])


def _database(name: str) -> None:
    glue = boto3.client("glue")
    try:
        glue.create_database(DatabaseInput={"Name": name})
    except glue.exceptions.AlreadyExistsException:
        pass  # it is there from an earlier start, as it should be


def _workgroup(name: str, results: str) -> None:
    athena = boto3.client("athena")
    known = [group["Name"] for group in athena.list_work_groups()["WorkGroups"]]
    if name not in known:
        athena.create_work_group(
            Name=name,
            Configuration={"ResultConfiguration": {"OutputLocation": results}, "EnforceWorkGroupConfiguration": False},
        )
