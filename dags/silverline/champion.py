"""The model that a new one has to stand up to."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from silverline import model_packages, months, rollout
from silverline.platform import Platform
from silverline.spec import Spec


def find(platform: Platform, spec: Spec) -> dict[str, Any] | None:
    """Archive, model package and lineage of what the endpoint serves, else of the package approved for the last month,
    of a month's the newest, and the `container` that CreateModel takes for it; None without either.

    Package and lineage are None where a model was put behind the endpoint past the registry.
    """
    return _served(spec.aws_name) or _approved(platform.model_package_groups[spec.name])


def find_before(platform: Platform, spec: Spec, month: str) -> dict[str, Any] | None:
    """The same as it was before `month`, whatever is served now: what came later has learnt from `month`. None where
    there is none."""
    return _approved(platform.model_package_groups[spec.name], month)


def later_in_service(spec: Spec, month: str) -> str | None:
    """What the endpoint serves, where it is the model of a later month than `month`, or of none that is known."""
    served = _served(spec.aws_name)
    if served is None:
        return None
    package = served["package"]
    known = _as_of(model_packages.describe(package)) if package else ""
    return None if "" < known <= month else package or served["model_artifacts"]


def _as_of(described: Mapping[str, Any]) -> str:
    """The test month of the model, which its registration has written down; empty where it is not known."""
    return model_packages.facts(described).get("as_of", "")


def _served(endpoint_name: str) -> dict[str, Any] | None:
    endpoint = rollout.describe(endpoint_name)
    if endpoint is None or endpoint["EndpointStatus"] == "Failed":
        return None
    sagemaker = boto3.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    container = model.get("PrimaryContainer") or model["Containers"][0]
    if package := container.get("ModelPackageName"):
        return _package(model_packages.describe(package))
    own = {name: container[name] for name in ("Image", "ModelDataUrl", "Environment") if name in container}
    return {"package": None, "model_artifacts": container["ModelDataUrl"], "lineage": None, "container": own}


def _approved(group: str, before: str | None = None) -> dict[str, Any] | None:
    """The newest package approved for the last month, or for the last one before `before`; a backfill approves those
    of old months later than those of new ones."""
    approved = model_packages.versions(
        group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )
    described = [model_packages.describe(version["ModelPackageArn"]) for version in approved]
    found = [one for one in described if before is None or "" < _as_of(one) < before]
    return _package(max(found, key=_as_of)) if found else None  # of a month's, the first that it meets


def _package(described: Mapping[str, Any]) -> dict[str, Any]:
    container = described["InferenceSpecification"]["Containers"][0]
    return {
        "package": described["ModelPackageArn"],
        "model_artifacts": container["ModelDataUrl"],
        "lineage": model_packages.facts(described).get("lineage"),
        "container": {"ModelPackageName": described["ModelPackageArn"]},
    }


def seen(made_of: Mapping[str, Any], splits: Mapping[str, Sequence[str]]) -> list[str]:
    """The months of the test split of `splits` that a model has learned from, by its lineage document: those which it
    was trained on, and the one by which its trees and its hyperparameters were chosen."""
    learned = {month for name in ("train", "validation") for month in months.between(*made_of["splits"][name])}
    return [month for month in months.between(*splits["test"]) if month in learned]
