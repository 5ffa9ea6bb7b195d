"""Environments to deploy to: what Terraform leaves of them, on local AWS."""

import json
from collections.abc import Callable
from typing import Any

import boto3

Deploy = Callable[..., tuple[int, str]]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def document(environment: str, **members: Any) -> dict[str, Any]:
    """A platform document as the schema wants it."""
    layers, roles = ("bronze", "silver", "gold"), ("airflow", "sagemaker_jobs", "sagemaker_endpoint")
    return {
        "environment": environment,
        **{f"{layer}_bucket": f"deploy-{environment}-{layer}" for layer in (*layers, "artifacts")},
        **{f"{layer}_database": f"silverline_{environment}_{layer}" for layer in layers},
        **{f"{role}_role_arn": f"arn:aws:iam::123456789012:role/{role}" for role in roles},
        "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/of-this-test",
        "athena_workgroup": f"silverline-{environment}",
        "sagemaker_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
        "model_package_groups": {"flight_delay": f"silverline-{environment}-flight-delay"},
        "endpoint_alarms": {"flight_delay": [f"silverline-{environment}-flight-delay-canary-5xx"]},
        "canary_seconds": 0,
        "alarm_topic_arn": f"arn:aws:sns:us-east-1:123456789012:silverline-{environment}",
        "log_group": f"/silverline/{environment}/pipelines",
        **members,
    }


def lay(environment: str, **members: Any) -> dict[str, Any]:
    """The document in SSM, and the bucket for archives."""
    platform = document(environment, **members)
    boto3.client("s3").create_bucket(Bucket=platform["artifacts_bucket"])
    put_document(environment, json.dumps(platform))
    return platform


def put_document(environment: str, text: str) -> None:
    """The document, whatever is in it."""
    name = f"/silverline/{environment}/platform"
    boto3.client("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True)
