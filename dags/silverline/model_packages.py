"""The versions of a pipeline's model package group: every model that was evaluated, and what was decided of it."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from silverline.platform import Platform
from silverline.sagemaker_requests import SERVING
from silverline.spec import PipelineSpec

Status = Literal["Approved", "Rejected", "PendingManualApproval"]
APPROVED: Status = "Approved"
REJECTED: Status = "Rejected"
PENDING: Status = "PendingManualApproval"
CONTENT_TYPES = ["application/json", "application/jsonlines", "text/csv"]

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
MOST_PROPERTIES, LONGEST_PROPERTY, LONGEST_DESCRIPTION = 50, 256, 1024
NOT_IN_PROPERTIES = re.compile(r"[^\w\s.:/=+\-@]")


def register(request: Mapping[str, Any]) -> str:
    """Create the version that `model_package` describes; returns its ARN, the same when called again."""
    import boto3

    return str(boto3.client("sagemaker").create_model_package(**request)["ModelPackageArn"])


def model_package(
    platform: Platform,
    spec: PipelineSpec,
    gated: Mapping[str, Any],
    lineage: Mapping[str, str],
    metrics_digest: str,
    card: str,
) -> dict[str, Any]:
    """CreateModelPackage for a model, whatever the gate said of it: what serves it, its metrics, what it is made of."""
    reasons = "; ".join(gated["reasons"])
    container = {
        "Image": lineage["image"],
        "ModelDataUrl": gated["model_artifacts"],
        "Environment": {**SERVING, **spec.endpoint_environment},
    }
    facts = {
        "decision": gated["decision"],
        "evaluation": gated["evaluation"],
        "champion": gated["champion"] or "",  # the package that it was held against
        **lineage,
    }
    return {
        "ModelPackageGroupName": platform.model_package_groups[spec.name],
        "ModelPackageDescription": _cut(f"{spec.description} {gated['decision']}: {reasons}", LONGEST_DESCRIPTION),
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": CONTENT_TYPES,
            "SupportedRealtimeInferenceInstanceTypes": [spec.endpoint_instance_type],
            "SupportedTransformInstanceTypes": [spec.training_instance_type],
        },
        "ModelApprovalStatus": REJECTED if gated["decision"] == "reject" else PENDING,
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": f"{gated['evaluation']}evaluation.json",
                    "ContentDigest": f"sha256:{metrics_digest}",
                }
            }
        },
        "MetadataProperties": {"CommitId": lineage["git_commit"], "GeneratedBy": lineage["training_job"]},
        "CustomerMetadataProperties": properties(facts),
        "ModelCard": {"ModelCardContent": card, "ModelCardStatus": "Draft"},
        # A retry of the task gets the version of the first try.
        "ClientToken": hashlib.sha256(gated["evaluation"].encode()).hexdigest()[:36],
    }


def properties(facts: Mapping[str, Any]) -> dict[str, str]:
    """The facts in the letters and numbers that CustomerMetadataProperties takes; those that have no place are in the
    lineage document, which is among the first."""
    texts = {name: _cut(NOT_IN_PROPERTIES.sub(" ", str(value)), LONGEST_PROPERTY) for name, value in facts.items()}
    return dict([(name, text) for name, text in texts.items() if text.strip()][:MOST_PROPERTIES])


def versions(group: str, **asked: Any) -> Iterator[Any]:
    """Every version of a model package group in ListModelPackages' words, of which `asked` may want some only."""
    import boto3

    pages = (
        boto3.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group, **asked)
    )
    return (version for page in pages for version in page["ModelPackageSummaryList"])


def describe(arn: str) -> Any:
    """DescribeModelPackage's answer."""
    import boto3

    return boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)


def facts(description: Mapping[str, Any]) -> dict[str, str]:
    """What a version's description says of its model, as `properties` has put it; nothing where something else has
    registered it."""
    return dict(description.get("CustomerMetadataProperties", {}))


def approval(arn: str) -> tuple[Status, str]:
    """The version's approval status, and who or what gave it."""
    package = describe(arn)
    return package["ModelApprovalStatus"], package.get("ApprovalDescription", "")


def registered_at(arn: str) -> datetime:
    """When the version was registered."""
    registered: datetime = describe(arn)["CreationTime"]
    return registered


def decide(arn: str, status: Status, description: str) -> None:
    """Set the version's approval status, saying who or what gives it."""
    import boto3

    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=_cut(description, LONGEST_DESCRIPTION)
    )


def _cut(text: str, longest: int) -> str:
    """One line of at most so many letters: descriptions and properties have neither breaks nor control characters."""
    printable = "".join(" " if unicodedata.category(letter).startswith("C") else letter for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
