"""A model package: what CreateModelPackage said of it, and UpdateModelPackage has said since."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.sagemaker.exceptions import ValidationError

REPLACED = {
    *("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification"),
    *("SourceUri", "ModelCard", "ModelLifeCycle"),
}
SUMMARY = {
    *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelLifeCycle"),
    *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
}


class ModelPackage:
    """A version of a model package group, or a model package with a name of its own."""

    def __init__(self, request: Mapping[str, Any], arn: str, version: int | None) -> None:
        self.request = {name: value for name, value in request.items() if name not in ("Tags", "ClientToken")}
        self.arn = arn
        self.version = version
        self.client_token = request.get("ClientToken")
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.creation_time = datetime.now(UTC)
        self.last_modified_time: datetime | None = None

    @property
    def group(self) -> str | None:
        """The name of the group that it is a version of."""
        return self.request.get("ModelPackageGroupName")

    @property
    def approval_status(self) -> str | None:
        """Whether it may be deployed; None for a package without a group, which may."""
        return self.request.get("ModelApprovalStatus")

    def specification(self, name: str | None) -> Mapping[str, Any]:
        """The additional inference specification of that name, or its InferenceSpecification where there is no name."""
        if not name:
            return dict(self.request["InferenceSpecification"])
        for specification in self.request.get("AdditionalInferenceSpecifications") or []:
            if specification["Name"] == name:
                return dict(specification)
        raise ValidationError(f"Model Package {self.arn} has no inference specification {name}.")

    def update(self, request: Mapping[str, Any]) -> None:
        """Take over what UpdateModelPackage's `request` names, and nothing else."""
        if not self.group and ("ModelApprovalStatus" in request or "ApprovalDescription" in request):
            raise ValidationError(f"Model Package {self.arn} is in no group: approval is of versions of a group only.")
        updated = self.request | {name: value for name, value in request.items() if name in REPLACED}
        properties = {**(updated.get("CustomerMetadataProperties") or {})}
        properties |= request.get("CustomerMetadataProperties") or {}
        for name in request.get("CustomerMetadataPropertiesToRemove") or []:
            properties.pop(name, None)
        more = [*(updated.get("AdditionalInferenceSpecifications") or [])]
        more += request.get("AdditionalInferenceSpecificationsToAdd") or []
        check_names(more)
        updated |= {"CustomerMetadataProperties": properties, "AdditionalInferenceSpecifications": more}
        self.request = {name: value for name, value in updated.items() if value not in ({}, [])}
        self.last_modified_time = datetime.now(UTC)

    def description(self) -> dict[str, Any]:
        """The answer to DescribeModelPackage."""
        described = {
            "CertifyForMarketplace": False,
            **self.request,
            "ModelPackageArn": self.arn,
            "ModelPackageVersion": self.version,
            "ModelPackageStatus": "Completed",
            # Nothing is validated or scanned, and nobody signs in here.
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": self.creation_time,
            "CreatedBy": {},
            "LastModifiedTime": self.last_modified_time,
            "LastModifiedBy": {} if self.last_modified_time else None,
        }
        return {name: value for name, value in described.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """Its line in ListModelPackages."""
        return {name: value for name, value in self.description().items() if name in SUMMARY}


def check_names(specifications: list[Mapping[str, Any]]) -> None:
    """ValidationException unless the additional inference specifications have names of their own."""
    names = [specification["Name"] for specification in specifications]
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f"Names of AdditionalInferenceSpecifications must be unique: {name} is not.")
