"""Deletes the models and endpoint configurations that nobody goes back to any more."""

import re
from typing import Any

from silverline import model_packages
from silverline.platform import Platform
from silverline.rollout import describe
from silverline.spec import PipelineSpec


def delete_old(spec: PipelineSpec, place: Platform) -> dict[str, list[str]]:
    """Names of what was deleted: all of the pipeline's endpoint configurations but for the one that is served and the
    newest `kept_models` others that aren't Rejected, and the models of none of these."""
    import boto3

    sagemaker: Any = boto3.client("sagemaker")
    endpoint = describe(spec.aws_name) or {}
    used = {endpoint.get("EndpointConfigName"), endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName")}
    configs = _own(sagemaker, spec, place, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig")
    models_of = {name: _models(sagemaker, name) for name in configs}
    others = [name for name in configs if name not in used]
    kept = [name for name in others if _may_be_served(sagemaker, models_of[name])][: spec.kept_models]
    old_configs = [name for name in others if name not in kept]
    kept_models = {model for name in configs if name not in old_configs for model in models_of[name]}
    for name in old_configs:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    models = _own(sagemaker, spec, place, "list_models", "Models", "Model")
    old_models = [name for name in models if name not in kept_models]
    for name in old_models:
        sagemaker.delete_model(ModelName=name)
    return {"endpoint_configs": old_configs, "models": old_models}


def _models(sagemaker: Any, config: str) -> list[str]:
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return [variant["ModelName"] for variant in variants]


def _may_be_served(sagemaker: Any, models: list[str]) -> bool:
    """Whether somebody may go back to these models: they are there, and no package of theirs is Rejected."""
    try:
        containers = [sagemaker.describe_model(ModelName=name)["PrimaryContainer"] for name in models]
        packages = [container["ModelPackageName"] for container in containers if "ModelPackageName" in container]
        return all(model_packages.approval(package)[0] != model_packages.REJECTED for package in packages)
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return False  # SageMaker's answer for a model or a package that doesn't exist


def _own(sagemaker: Any, spec: PipelineSpec, place: Platform, operation: str, member: str, kind: str) -> list[str]:
    """Names of what the pipeline's runs made, the newest first; what only looks like it has other tags."""
    pages = sagemaker.get_paginator(operation).paginate(
        NameContains=f"{spec.aws_name}-", SortBy="CreationTime", SortOrder="Descending"
    )
    made = re.compile(rf"{spec.aws_name}-\d{{8}}-\d{{6}}-[0-9a-f]{{4}}-\d+")  # runs.attempt
    ours = {("Pipeline", spec.name), ("Environment", place.environment)}
    return [
        found[f"{kind}Name"]
        for page in pages
        for found in page[member]
        if made.fullmatch(found[f"{kind}Name"]) and ours <= _tags(sagemaker, found[f"{kind}Arn"])
    ]


def _tags(sagemaker: Any, arn: str) -> set[tuple[str, str]]:
    return {(tag["Key"], tag["Value"]) for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
