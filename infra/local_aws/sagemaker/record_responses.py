"""Requests that list what SageMaker keeps beside jobs: moto leaves filters and pages out, or fails on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.responses import ActionResult

from local_aws.sagemaker import listing
from local_aws.sagemaker.job_responses import JobResponse

NEWEST_FIRST = {"SortOrder": "Descending"}


class RecordResponse(JobResponse):
    """moto's, with lists that filter, order and page as AWS's do."""

    def list_models(self) -> ActionResult:
        models = list(self.sagemaker_backend.list_models())
        return self._page("Models", "Model", [model.response_object for model in models], NEWEST_FIRST)

    def list_endpoint_configs(self) -> ActionResult:
        configs = list(self.sagemaker_backend.endpoint_configs.values())
        return self._page("EndpointConfigs", "EndpointConfig", [each.summary() for each in configs], NEWEST_FIRST)

    def list_endpoints(self) -> ActionResult:
        endpoints = list(self.sagemaker_backend.endpoints.values())
        return self._page("Endpoints", "Endpoint", [each.summary() for each in endpoints], NEWEST_FIRST)

    def list_model_package_groups(self) -> ActionResult:
        others = self._request().get("CrossAccountFilterOption") == "CrossAccount"  # and nobody shares any
        groups = [] if others else list(self.sagemaker_backend.model_package_groups.values())
        summaries = [group.gen_response_object() for group in groups]
        return self._page("ModelPackageGroupSummaryList", "ModelPackageGroup", summaries)

    def describe_model_package_group(self) -> ActionResult:
        group = self.sagemaker_backend.describe_model_package_group(self._request()["ModelPackageGroupName"])
        return ActionResult({**group.gen_response_object(), "CreatedBy": {}})  # nobody signs in here

    def list_model_packages(self) -> ActionResult:
        packages = self.sagemaker_backend.packages(self._request())
        return self._page("ModelPackageSummaryList", "ModelPackage", [package.summary() for package in packages])

    def create_model_package(self) -> ActionResult:
        return ActionResult({"ModelPackageArn": self.sagemaker_backend.create_model_package(**self._request())})

    def update_model_package(self) -> ActionResult:
        return ActionResult({"ModelPackageArn": self.sagemaker_backend.update_model_package(**self._request())})

    def describe_model_package(self) -> ActionResult:
        package = self.sagemaker_backend.describe_model_package(self._request()["ModelPackageName"])
        return ActionResult(package.description())

    def list_tags(self) -> ActionResult:
        request = self._request()
        tags, token = listing.part(self.sagemaker_backend.all_tags(request["ResourceArn"]), request)
        return ActionResult({"Tags": tags} | ({"NextToken": token} if token else {}))

    # Nothing of these kinds can be created here.

    def list_auto_ml_jobs(self) -> ActionResult:
        return self._page("AutoMLJobSummaries", "AutoMLJob", [])

    def list_notebook_instances(self) -> ActionResult:
        return self._page("NotebookInstances", "NotebookInstance", [])

    def list_pipelines(self) -> ActionResult:
        return self._page("PipelineSummaries", "Pipeline", [])

    def _page(
        self, member: str, kind: str, summaries: Iterable[Mapping[str, Any]], defaults: Mapping[str, str] | None = None
    ) -> ActionResult:
        found, token = listing.page(summaries, {**(defaults or {}), **self._request()}, kind)
        return ActionResult({member: found} | ({"NextToken": token} if token else {}))
