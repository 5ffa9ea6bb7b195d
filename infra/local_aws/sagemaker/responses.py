"""SageMaker's requests: checked against the API's model, then carried out, left to moto, or refused."""

import json
import logging
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.parse import RequestParserError
from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores

from local_aws.sagemaker import limits, registry
from local_aws.sagemaker.exceptions import InternalFailure, NotImplementedHere, SerializationError
from local_aws.sagemaker.job_responses import JobResponse
from local_aws.sagemaker.validation import validate

logger = logging.getLogger(__name__)

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
    *("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups"),
    *("CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "ListModelPackages"),
}
# Nothing of these kinds can be created here, so AWS's answer for an unknown name is the true one.
ABSENT = {
    *("DescribeAutoMLJobV2", "ListAutoMLJobs"),
    *("DescribeNotebookInstance", "ListNotebookInstances", "DescribePipeline", "ListPipelines"),
}


class SageMakerResponse(JobResponse):
    """moto's, with the operations that moto lacks, and without those that it only pretends to carry out."""

    def _dispatch(self, request: Request, full_url: str | None = None, headers: Any = None) -> Any:
        """The operation's answer; AWS's error shapes where moto's server would answer with a page of HTML."""
        try:
            json.loads(request.data or "{}")
        except ValueError as error:  # before moto can lay out what `serialized` needs
            body = {"__type": SerializationError.code, "message": f"The request's body is no JSON: {error}"}
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body)
        try:
            return super()._dispatch(request, full_url, headers)
        except ServiceException as refusal:
            return self.serialized(ActionResult(refusal))
        except OperationNotFoundError:
            return self.serialized(ActionResult(NotImplementedHere(f"The operation {self._get_action()}")))
        except Exception as error:  # the last to see it: the client gets AWS's shape, the log has the traceback
            logger.exception("SageMaker: %s", self._get_action())
            _, headers, body = self.serialized(ActionResult(InternalFailure(self._get_action(), error)))
            return 500, headers, body

    def call_action(self) -> Any:
        action = self._get_action()
        if action not in EXECUTED | RECORDS | ABSENT or not hasattr(self, camelcase_to_underscores(action)):
            raise NotImplementedHere(action)
        validate(action, json.loads(self.body or "{}"))
        registry.check_request(action, self._request())
        return super().call_action()

    def parse_parameters(self, request: Request) -> None:
        try:
            super().parse_parameters(request)
        except (RequestParserError, ValueError, TypeError, AttributeError) as error:
            raise SerializationError(f"The request's body is not what {self._get_action()} takes: {error}") from error

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
