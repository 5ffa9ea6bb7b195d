"""SageMaker's requests: checked against the API's model, then carried out, left to moto, or refused."""

from moto.core.responses import ActionResult, EmptyResult

from local_aws.responses import CheckedResponse
from local_aws.sagemaker import limits, registry
from local_aws.sagemaker.record_responses import RecordResponse

EXECUTED = {
    *("CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob"),
    *("CreateProcessingJob", "DescribeProcessingJob", "ListProcessingJobs", "StopProcessingJob"),
    *("CreateTransformJob", "DescribeTransformJob", "ListTransformJobs", "StopTransformJob"),
    *("CreateHyperParameterTuningJob", "DescribeHyperParameterTuningJob", "ListHyperParameterTuningJobs"),
    *("StopHyperParameterTuningJob", "DeleteHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob"),
    *("CreateModel", "DescribeModel", "ListModels", "DeleteModel"),
    *("CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"),
    *("CreateEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint", "DeleteEndpoint"),
    "UpdateEndpointWeightsAndCapacities",
}
# Records, which moto keeps and registry.py guards.
RECORDS = {
    *("AddTags", "ListTags", "DeleteTags"),
    *("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups", "DeleteModelPackageGroup"),
    *("CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "ListModelPackages", "DeleteModelPackage"),
}
# Nothing of these kinds can be created here, so AWS's answer for an unknown name is the true one.
ABSENT = {
    *("DescribeAutoMLJobV2", "ListAutoMLJobs"),
    *("DescribeNotebookInstance", "ListNotebookInstances", "DescribePipeline", "ListPipelines"),
}


class SageMakerResponse(CheckedResponse, RecordResponse):
    """moto's, with the operations that moto lacks, and without those that it only pretends to carry out."""

    carried_out = EXECUTED | RECORDS | ABSENT

    def check_request(self) -> None:
        super().check_request()
        registry.check_request(self._get_action(), self._request())

    def create_model(self) -> ActionResult:
        request = self._request()
        model = self.sagemaker_backend.create_model(
            model_name=request["ModelName"],
            execution_role_arn=request.get("ExecutionRoleArn", ""),
            primary_container=request.get("PrimaryContainer"),
            vpc_config=request.get("VpcConfig"),
            containers=request.get("Containers"),
            tags=request.get("Tags"),
            enable_network_isolation=request.get("EnableNetworkIsolation", False),
        )
        return ActionResult(model.response_create)

    def delete_model_package(self) -> EmptyResult:
        self.sagemaker_backend.delete_model_package(self._request()["ModelPackageName"])
        return EmptyResult()

    def delete_model_package_group(self) -> EmptyResult:
        self.sagemaker_backend.delete_model_package_group(self._request()["ModelPackageGroupName"])
        return EmptyResult()

    def create_endpoint_config(self) -> ActionResult:
        request = self._request()
        limits.check_endpoint_config(request)
        return ActionResult({"EndpointConfigArn": self.sagemaker_backend.create_endpoint_config(request).arn})

    def create_endpoint(self) -> ActionResult:
        request = self._request()
        limits.check_deployment("CreateEndpoint", request)
        endpoint = self.sagemaker_backend.create_endpoint(
            request["EndpointName"],
            request["EndpointConfigName"],
            request.get("Tags"),
            request.get("DeploymentConfig"),
        )
        return ActionResult({"EndpointArn": endpoint.arn})

    def update_endpoint(self) -> ActionResult:
        request = self._request()
        limits.check_deployment("UpdateEndpoint", request)
        return ActionResult({"EndpointArn": self.sagemaker_backend.update_endpoint(request).arn})
