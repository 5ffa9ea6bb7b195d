"""The model registry and tags: names are taken once and have to be known, and nothing is kept that isn't there."""

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.sagemaker import models
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, IMAGE, ROLE, bucket_client, settled

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
NAMES = (f"group-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def sagemaker(local_aws: Any) -> Any:
    bucket_client().put_object(Bucket=BUCKET, Key="registry/model.tar.gz", Body=b"a model")
    return boto3.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = next(NAMES)
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def package(**container: Any) -> dict[str, Any]:
    """CreateModelPackage's InferenceSpecification."""
    default = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/registry/model.tar.gz"}
    return {"InferenceSpecification": {"Containers": [default | container]}}


def refused(operation: Any, **request: Any) -> str:
    """The message of AWS's ValidationException."""
    with pytest.raises(ClientError) as refusal:
        operation(**request)
    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationException", error
    return str(error["Message"])


def model_refused(sagemaker: Any, **container: str) -> str:
    """The message of the ValidationException that CreateModel with that container gives."""
    return refused(sagemaker.create_model, ModelName="no-model", ExecutionRoleArn=ROLE, PrimaryContainer=container)


def test_a_group_is_listed(sagemaker: Any, group: str) -> None:
    listed = sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
    assert [found["ModelPackageGroupName"] for found in listed] == [group]


def test_a_groups_name_is_taken_once(sagemaker: Any, group: str) -> None:
    message = refused(sagemaker.create_model_package_group, ModelPackageGroupName=group)
    assert message == f"Model Package Group already exists: {ARN}:model-package-group/{group}"


def test_a_group_that_does_not_exist(sagemaker: Any) -> None:
    unknown = f"ModelPackageGroup {ARN}:model-package-group/nowhere does not exist."
    assert refused(sagemaker.describe_model_package_group, ModelPackageGroupName="nowhere") == unknown
    assert refused(sagemaker.create_model_package, ModelPackageGroupName="nowhere", **package()) == unknown
    assert refused(sagemaker.list_model_packages, ModelPackageGroupName="nowhere") == unknown


def test_packages_of_a_group_are_numbered_and_wait_for_approval(sagemaker: Any, group: str) -> None:
    arns = [sagemaker.create_model_package(ModelPackageGroupName=group, **package())["ModelPackageArn"] for _ in "ab"]
    assert arns == [f"{ARN}:model-package/{group}/1", f"{ARN}:model-package/{group}/2"]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=f"{ARN}:model-package-group/{group}")
    assert [found["ModelPackageVersion"] for found in listed["ModelPackageSummaryList"]] == [1, 2]
    described = sagemaker.describe_model_package(ModelPackageName=arns[0])
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert "fake" not in str(described)
    assert described["ModelPackageStatusDetails"]["ValidationStatuses"] == []


def test_packages_registered_at_once_get_numbers_of_their_own(
    sagemaker: Any, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialise = models.ModelPackage.__init__

    def slow(created: Any, **fields: Any) -> None:
        time.sleep(0.1)
        initialise(created, **fields)

    monkeypatch.setattr(models.ModelPackage, "__init__", slow)
    with ThreadPoolExecutor(3) as pool:
        created = [
            pool.submit(sagemaker.create_model_package, ModelPackageGroupName=group, **package()) for _ in range(3)
        ]
    arns = {future.result()["ModelPackageArn"] for future in created}
    assert arns == {f"{ARN}:model-package/{group}/{version}" for version in (1, 2, 3)}


def test_an_update_keeps_what_it_does_not_name(sagemaker: Any, group: str) -> None:
    request = {"ModelPackageGroupName": group, "CustomerMetadataProperties": {"rmse": "12"}, **package()}
    arn = sagemaker.create_model_package(**request)["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"mae": "7"})
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")
    assert described["CustomerMetadataProperties"] == {"rmse": "12", "mae": "7"}


def test_a_package_that_does_not_exist(sagemaker: Any, group: str) -> None:
    sagemaker.create_model_package(ModelPackageGroupName=group, **package())
    for name in ("nowhere", group):  # a group's name is no package's
        message = refused(sagemaker.describe_model_package, ModelPackageName=name)
        assert message == f"ModelPackage {ARN}:model-package/{name} does not exist."
    arn = f"{ARN}:model-package/{group}/9"
    message = refused(sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert message == f"ModelPackage {arn} does not exist."


def test_a_deleted_package_is_gone_and_its_number_is_not_given_again(sagemaker: Any, group: str) -> None:
    arns = [sagemaker.create_model_package(ModelPackageGroupName=group, **package())["ModelPackageArn"] for _ in "ab"]
    for arn in arns:
        sagemaker.delete_model_package(ModelPackageName=arn)
    assert (
        refused(sagemaker.delete_model_package, ModelPackageName=arns[1]) == f"ModelPackage {arns[1]} does not exist."
    )
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
    made = sagemaker.create_model_package(ModelPackageGroupName=group, **package())
    assert made["ModelPackageArn"] == f"{ARN}:model-package/{group}/3"


def test_a_group_is_deleted_once_it_is_empty(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, **package())["ModelPackageArn"]
    assert "still has Model Packages" in refused(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in refused(sagemaker.describe_model_package_group, ModelPackageGroupName=group)


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


def test_a_packages_image_and_model_data_have_to_be_there(sagemaker: Any, group: str) -> None:
    message = refused(sagemaker.create_model_package, ModelPackageGroupName=group, **package(Image="nonsense"))
    assert "The image nonsense is not available in local AWS" in message
    url = f"s3://{BUCKET}/registry/no-model.tar.gz"
    message = refused(sagemaker.create_model_package, ModelPackageGroupName=group, **package(ModelDataUrl=url))
    assert message == f"Could not find model data at {url}."
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []


def test_a_packages_own_name_is_taken_once(sagemaker: Any) -> None:
    sagemaker.create_model_package(ModelPackageName="single", **package())
    message = refused(sagemaker.create_model_package, ModelPackageName="single", **package())
    assert message == f"Model Package already exists: {ARN}:model-package/single"


def test_what_a_package_would_silently_lack_is_refused_by_name(sagemaker: Any, group: str) -> None:
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*CreateModelPackage with SourceUri"):
        sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri="s3://b/k", **package())


def test_tags_are_replaced_by_key(sagemaker: Any, group: str) -> None:
    package_arn = sagemaker.create_model_package(ModelPackageGroupName=group, **package())["ModelPackageArn"]
    sagemaker.create_model(ModelName=group, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    for arn in (f"{ARN}:model-package-group/{group}", package_arn, f"{ARN}:model/{group}"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}])
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


@pytest.mark.parametrize("path", ["model/nowhere", "model-package/nowhere/1", "experiment/e", "nonsense"])
def test_tags_of_nothing(sagemaker: Any, path: str) -> None:
    message = f"Could not find a resource with the ARN {ARN}:{path}."
    assert refused(sagemaker.list_tags, ResourceArn=f"{ARN}:{path}") == message
    assert refused(sagemaker.add_tags, ResourceArn=f"{ARN}:{path}", Tags=[{"Key": "a", "Value": "1"}]) == message
    assert refused(sagemaker.delete_tags, ResourceArn=f"{ARN}:{path}", TagKeys=["a"]) == message


def test_a_resource_of_another_region_is_unknown_here(sagemaker: Any, group: str) -> None:
    arn = f"{ARN}:model-package-group/{group}".replace("us-east-1", "eu-west-1")
    assert refused(sagemaker.list_tags, ResourceArn=arn) == f"Could not find a resource with the ARN {arn}."
