"""SageMaker's requests: checked against the API's model, then carried out, left to moto, or refused."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.responses import SageMakerResponse as MotoResponse

from local_aws.sagemaker import limits, listing
from local_aws.sagemaker.exceptions import NotImplementedHere
from local_aws.sagemaker.validation import service_model, validate

EXECUTED = {
    *("CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob"),
    *("CreateModel", "DescribeModel", "ListModels", "DeleteModel"),
    *("CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"),
    *("CreateEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint", "DeleteEndpoint"),
    "UpdateEndpointWeightsAndCapacities",
}
# Plain records, which moto keeps as AWS does.
KEPT_BY_MOTO = {
    *("AddTags", "ListTags", "DeleteTags"),
    *("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups"),
    *("CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "ListModelPackages"),
    *("CreateModelCard", "DescribeModelCard", "UpdateModelCard", "DeleteModelCard"),
    *("ListModelCards", "ListModelCardVersions"),
    *("CreateExperiment", "DescribeExperiment", "ListExperiments", "DeleteExperiment"),
    *("CreateTrial", "DescribeTrial", "ListTrials", "DeleteTrial"),
    *("CreateTrialComponent", "DescribeTrialComponent", "UpdateTrialComponent", "DeleteTrialComponent"),
    *("ListTrialComponents", "AssociateTrialComponent", "DisassociateTrialComponent"),
}
# Nothing of these kinds can be created here, so AWS's answer for an unknown name is the true one.
ABSENT = {
    *("DescribeProcessingJob", "DescribeTransformJob", "DescribeHyperParameterTuningJob", "DescribeAutoMLJobV2"),
    *("ListProcessingJobs", "ListTransformJobs", "ListHyperParameterTuningJobs", "ListAutoMLJobs"),
    *("DescribeNotebookInstance", "ListNotebookInstances", "DescribePipeline", "ListPipelines"),
}


class SageMakerResponse(MotoResponse):
    """moto's, with the operations that moto lacks, and without those that it only pretends to carry out."""

    def call_action(self) -> Any:
        action = self._get_action()
        if action not in service_model().operation_names:
            return self.serialized(ActionResult(NotImplementedHere(f"The operation {action}")))
        if action not in EXECUTED | KEPT_BY_MOTO | ABSENT or not hasattr(self, camelcase_to_underscores(action)):
            return self.serialized(ActionResult(NotImplementedHere(action)))
        return super().call_action()

    def _checked(self) -> dict[str, Any]:
        request = dict(self._get_params())
        validate(self._get_action(), request)
        return request

    def create_training_job(self) -> ActionResult:
        request = self._checked()
        limits.check_training_job(request)
        job = self.sagemaker_backend.start_training_job(request)
        return ActionResult({"TrainingJobArn": job.arn})

    def stop_training_job(self) -> ActionResult:
        self.sagemaker_backend.stop_training_job(self._checked()["TrainingJobName"])
        return EmptyResult()

    def list_training_jobs(self) -> ActionResult:
        summaries = [job.summary for job in self.sagemaker_backend.training_jobs.values()]
        jobs, token = listing.page(summaries, self._checked(), "TrainingJob")
        return ActionResult({"TrainingJobSummaries": jobs} | ({"NextToken": token} if token else {}))

    def create_model(self) -> ActionResult:
        request = self._checked()
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

    def create_endpoint_config(self) -> Any:
        limits.check_endpoint_config(self._checked())
        return super().create_endpoint_config()

    def create_endpoint(self) -> Any:
        limits.check_deployment("CreateEndpoint", self._checked())
        return super().create_endpoint()

    def update_endpoint(self) -> ActionResult:
        request = self._checked()
        limits.check_deployment("UpdateEndpoint", request)
        endpoint = self.sagemaker_backend.update_endpoint(request["EndpointName"], request["EndpointConfigName"])
        return ActionResult({"EndpointArn": endpoint.arn})
