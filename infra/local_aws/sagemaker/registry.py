"""The model registry's records and every resource's tags, where moto keeps them otherwise than AWS."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from moto.sagemaker.models import ModelPackageGroup, SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from local_aws.sagemaker.exceptions import NotImplementedHere, ValidationError
from local_aws.sagemaker.model_packages import ModelPackage, check_names

REFUSED = {
    "ModelPackageRegistrationType": "leave it out: every package is registered",
    "ValidationSpecification": "test the model by CreateTransformJob, and approve it by UpdateModelPackage",
    "SourceAlgorithmSpecification": "use InferenceSpecification",
    "CertifyForMarketplace": "leave it out: nothing is listed from here",
}


def check_request(operation: str, request: Mapping[str, Any]) -> None:
    """NotImplementedException where a model package is to be what it can't be here."""
    if operation not in ("CreateModelPackage", "UpdateModelPackage"):
        return
    refused = [f"{name} ({instead})" for name, instead in REFUSED.items() if request.get(name)]
    if operation == "CreateModelPackage" and request.get("SourceUri") and not request.get("InferenceSpecification"):
        refused.append("SourceUri alone (use InferenceSpecification)")
    if refused:
        raise NotImplementedHere(f"{operation} with {', '.join(refused)}")


class RegistryBackend(SageMakerModelBackend):
    """Model packages, and moto's records of their groups and of tags; a name is taken once, and has to be known."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._creating = threading.Lock()  # two requests for one name at once: only the first may have it
        self.model_packages: dict[str, ModelPackage] = {}
        self.last_versions: dict[str, int] = {}  # of each group: the number of a deleted package is not given again

    def create_model_package_group(
        self, model_package_group_name: str, model_package_group_description: str, tags: Any = None
    ) -> str:
        name = model_package_group_name
        with self._creating:
            # A version's ARN has its group's name in lower case.
            if name.lower() in map(str.lower, self.model_package_groups):
                raise ValidationError(f"Model Package Group already exists: {self._arn('model-package-group', name)}")
            return str(super().create_model_package_group(name, model_package_group_description, tags))

    def describe_model_package_group(self, model_package_group_name: str) -> ModelPackageGroup:
        return super().describe_model_package_group(_last_part(model_package_group_name))

    def create_model_package(self, **request: Any) -> str:
        """The ARN of the package that a CreateModelPackage request makes, or has made already by its ClientToken."""
        name, group = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
        if bool(name) == bool(group):
            raise ValidationError("Exactly one of ModelPackageName and ModelPackageGroupName is needed.")
        if group:
            request["ModelPackageGroupName"] = group = self.describe_model_package_group(group).model_package_group_name
            request.setdefault("ModelApprovalStatus", "PendingManualApproval")
            if request.get("Tags"):
                raise ValidationError("A version of a Model Package Group cannot have Tags: tag the group.")
        elif request.get("ModelApprovalStatus"):
            raise ValidationError("ModelApprovalStatus is of versions of a Model Package Group only.")
        specification, more = request.get("InferenceSpecification"), request.get("AdditionalInferenceSpecifications")
        if not specification:
            raise ValidationError("A model package needs an InferenceSpecification with Containers.")
        check_names(more or [])
        for each in (specification, *(more or [])):
            self.check_containers(each["Containers"])
        with self._creating:
            token = request.get("ClientToken")
            for package in self.model_packages.values():
                if token and package.client_token == token:
                    return str(package.arn)
            if group:
                self.describe_model_package_group(group)  # it may have been deleted meanwhile
            version = self._next_version(group) if group else None
            arn = self._arn("model-package", f"{group}/{version}".lower() if group else str(name).lower())
            if arn in self.model_packages:
                raise ValidationError(f"Model Package already exists: {arn}")
            self.model_packages[arn] = ModelPackage(request, arn, version)
        return arn

    def _next_version(self, group: str) -> int:
        self.last_versions[group] = self.last_versions.get(group, 0) + 1
        return self.last_versions[group]

    def delete_model_package(self, model_package_name: str) -> None:
        """Delete a package; ValidationException where there is none of that name."""
        with self._creating:
            del self.model_packages[self.describe_model_package(model_package_name).arn]

    def delete_model_package_group(self, model_package_group_name: str) -> None:
        """Delete a group; ValidationException where there is none, or packages are left in it."""
        with self._creating:
            group = self.describe_model_package_group(model_package_group_name)
            name = group.model_package_group_name
            if any(package.group == name for package in self.model_packages.values()):
                raise ValidationError(
                    f"Model Package Group {group.arn} cannot be deleted: it still has Model Packages. "
                    "Delete them by DeleteModelPackage first."
                )
            del self.model_package_groups[name]
            self.last_versions.pop(name, None)

    def check_containers(self, containers: Sequence[Mapping[str, Any]]) -> None:
        """ValidationException unless the containers' images and model data are there."""
        raise NotImplementedError

    def resolved(self, container: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What serves a container of CreateModel: itself, or those of the model package that it names, with its own
        Environment; ValidationException where that package is not to be deployed."""
        name = container.get("ModelPackageName")
        if not name:
            return [dict(container)]
        if container.get("Image") or container.get("ModelDataUrl"):
            raise ValidationError("A container has ModelPackageName, or else Image and ModelDataUrl.")
        package = self.describe_model_package(name)
        if package.approval_status not in (None, "Approved"):
            raise ValidationError(
                f"Model Package {package.arn} has the approval status {package.approval_status}: "
                "it has to be Approved (by UpdateModelPackage) to be deployed."
            )
        specification = package.specification(container.get("InferenceSpecificationName"))
        own = {key: value for key, value in container.items() if key not in ("ModelPackageName", "Environment")}
        environment = container.get("Environment") or {}
        return [
            {**each, **own, "Environment": {**(each.get("Environment") or {}), **environment}}
            for each in specification["Containers"]
        ]

    def describe_model_package(self, model_package_name: str) -> ModelPackage:
        arn = model_package_name
        if not arn.startswith("arn:"):
            arn = self._arn("model-package", arn.lower())
        if arn not in self.model_packages:
            raise ValidationError(f"ModelPackage {arn} does not exist.")
        return self.model_packages[arn]

    def update_model_package(self, **request: Any) -> str:
        """The ARN of the package, once it is as an UpdateModelPackage request wants it."""
        package = self.describe_model_package(request["ModelPackageArn"])
        added = request.get("AdditionalInferenceSpecificationsToAdd") or []
        for specification in (request.get("InferenceSpecification"), *added):
            if specification:
                self.check_containers(specification["Containers"])
        with self._creating:
            package.update(request)
        return package.arn

    def packages(self, request: Mapping[str, Any]) -> list[ModelPackage]:
        """What ListModelPackages' own filters leave: a group's versions, or else those in no group, AWS's default."""
        group, kind = request.get("ModelPackageGroupName"), request.get("ModelPackageType", "Unversioned")
        if group:
            group, kind = self.describe_model_package_group(group).model_package_group_name, "Versioned"
        status = request.get("ModelApprovalStatus")
        return [
            package
            for package in list(self.model_packages.values())
            if (not group or package.group == group)
            and kind in ("Versioned" if package.group else "Unversioned", "Both")
            and (not status or package.approval_status == status)
        ]

    # Tags

    def add_tags(self, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        resource = self._get_resource_from_arn(arn)
        new = {tag["Key"] for tag in tags}
        resource.tags = [tag for tag in resource.tags if tag["Key"] not in new] + list(tags)
        return list(resource.tags)

    def all_tags(self, arn: str) -> list[dict[str, str]]:
        """The tags of the resource."""
        return list(self._get_resource_from_arn(arn).tags)

    def _get_resource_from_arn(self, arn: str) -> Any:
        """The resource with its `tags` as a list; ValidationException where there is none of that ARN."""
        resources: dict[str, Mapping[str, Any]] = {
            "training-job": self.training_jobs,
            "transform-job": self.transform_jobs,
            "processing-job": self.processing_jobs,
            "hyper-parameter-tuning-job": self.tuning_jobs,
            "model": self._models,
            "endpoint-config": self.endpoint_configs,
            "endpoint": self.endpoints,
            "model-package-group": self.model_package_groups,
        }
        kind, _, name = arn.rpartition(":")[2].partition("/")
        resource = self.model_packages.get(arn) or resources.get(kind, {}).get(name)
        if resource is None or arn not in (self._arn(kind, name), getattr(resource, "arn", None)):
            raise ValidationError(f"Could not find a resource with the ARN {arn}.")
        resource.tags = list(resource.tags or [])
        return resource

    def _arn(self, kind: str, name: str) -> str:
        return str(arn_formatter(kind, name, self.account_id, self.region_name))


def _last_part(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2]
