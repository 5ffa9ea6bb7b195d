"""From the model registry to an endpoint: models that are made of model packages."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from registry_requests import NAMES, new_group, package, refused, registry_client
from sagemaker_endpoints import Endpoints
from sagemaker_requests import IMAGE, ROLE, settled

SAYS_ITS_ENVIRONMENT = """
    import json, os
    def model_fn(model_dir):
        return None
    def predict_fn(request, model):
        return {name: os.environ.get(name) for name in request}
    def input_fn(body, content_type):
        return json.loads(body)
    def output_fn(answer, accept):
        return json.dumps(answer), accept
"""


@pytest.fixture(scope="module")
def sagemaker(local_aws: Any) -> Any:
    return registry_client()


@pytest.fixture
def group(sagemaker: Any) -> str:
    return new_group(sagemaker)


def model_refused(sagemaker: Any, **container: str) -> str:
    """The message of the ValidationException that CreateModel with that container gives."""
    return refused(sagemaker.create_model, ModelName="no-model", ExecutionRoleArn=ROLE, PrimaryContainer=container)


def test_an_approved_version_is_deployed_with_the_models_own_environment_before_its(sagemaker: Any, group: str) -> None:
    endpoints = Endpoints()
    endpoints.model("to-register", SAYS_ITS_ENVIRONMENT, A="package", B="package")
    registered = sagemaker.describe_model(ModelName="to-register")["PrimaryContainer"]
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, **package(**registered))["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    container = {"ModelPackageName": arn, "Environment": {"B": "model"}}
    sagemaker.create_model(
        ModelName=group, ExecutionRoleArn=ROLE, PrimaryContainer=container, EnableNetworkIsolation=True
    )
    assert sagemaker.describe_model(ModelName=group)["PrimaryContainer"] == container
    sagemaker.delete_model_package(ModelPackageName=arn)  # the model keeps what it was made of

    endpoints.config(group, **{group: 1})
    sagemaker.create_endpoint(EndpointName=group, EndpointConfigName=group)
    assert settled(sagemaker, group)["EndpointStatus"] == "InService"
    answer = json.loads(endpoints.raw(group, b'["A", "B", "AWS_ACCESS_KEY_ID", "AWS_REGION"]')["Body"].read())
    # Isolated from the network, it has no credentials either.
    assert answer == {"A": "package", "B": "model", "AWS_ACCESS_KEY_ID": None, "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_that_is_not_approved_is_not_deployed(sagemaker: Any, group: str, status: str) -> None:
    request = {"ModelPackageGroupName": group, "ModelApprovalStatus": status, **package()}
    arn = sagemaker.create_model_package(**request)["ModelPackageArn"]
    message = model_refused(sagemaker, ModelPackageName=arn)
    assert f"{arn} has the approval status {status}" in message


def test_what_a_model_can_not_be_made_of(sagemaker: Any) -> None:
    sagemaker.create_model_package(ModelPackageName="unversioned", **package())
    assert "does not exist" in model_refused(sagemaker, ModelPackageName="nowhere")
    assert "or else Image" in model_refused(sagemaker, ModelPackageName="unversioned", Image=IMAGE)
    other = {"ModelPackageName": "unversioned", "InferenceSpecificationName": "other"}
    assert "no inference specification other" in model_refused(sagemaker, **other)


def test_a_model_may_be_made_of_an_additional_inference_specification(sagemaker: Any) -> None:
    name = next(NAMES)
    other = {"Name": "other", "Containers": [{"Image": "nobody/has:this"}]}
    message = refused(
        sagemaker.create_model_package, ModelPackageName=name, AdditionalInferenceSpecifications=[other], **package()
    )
    assert "The image nobody/has:this is not available in local AWS" in message
    pair = {"Name": "pair", "Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}
    sagemaker.create_model_package(ModelPackageName=name, AdditionalInferenceSpecifications=[pair], **package())
    container = {"ModelPackageName": name, "InferenceSpecificationName": "pair"}
    with pytest.raises(ClientError, match="several Containers"):  # of that specification, and not of the first
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
