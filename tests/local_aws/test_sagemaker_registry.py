"""The model registry and tags: names are taken once and have to be known, and nothing is kept that isn't there."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from registry_requests import ARN, NAMES, new_group, package, refused, registry_client
from sagemaker_requests import BUCKET, IMAGE, ROLE

from local_aws.sagemaker import model_packages


@pytest.fixture(scope="module")
def sagemaker(local_aws: Any) -> Any:
    return registry_client()


@pytest.fixture
def group(sagemaker: Any) -> str:
    return new_group(sagemaker)


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
    initialise = model_packages.ModelPackage.__init__

    def slow(created: Any, *fields: Any) -> None:
        time.sleep(0.1)
        initialise(created, *fields)

    monkeypatch.setattr(model_packages.ModelPackage, "__init__", slow)
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
    marketplace = {"ModelPackageName": "listed", "CertifyForMarketplace": True, **package()}
    with pytest.raises(
        ClientError, match=r"\(NotImplementedException\).*CreateModelPackage with CertifyForMarketplace"
    ):
        sagemaker.create_model_package(**marketplace)
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*SourceUri alone \(use InferenceSpecification"):
        sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri=f"{ARN}:model/m")


METRICS = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/metrics.json"}}}
SAID = {
    "ModelPackageDescription": "late or not",
    "MetadataProperties": {"CommitId": "c0ffee", "GeneratedBy": "a pipeline"},
    "ModelMetrics": METRICS,
    "DriftCheckBaselines": METRICS,
    "Domain": "MACHINE_LEARNING",
    "Task": "CLASSIFICATION",
    "SamplePayloadUrl": f"s3://{BUCKET}/payload.tar.gz",
    "SkipModelValidation": "All",
    "SourceUri": f"s3://{BUCKET}/source",
    "SecurityConfig": {"KmsKeyId": "alias/key"},
    "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Development", "StageStatus": "InProgress", "StageDescription": "new"},
    "AdditionalInferenceSpecifications": [{"Name": "second", "Containers": [{"Image": IMAGE}]}],
    "CustomerMetadataProperties": {"rmse": "12"},
}


def test_a_package_is_described_as_it_was_registered_until_it_is_updated(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, **SAID, **package())["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert {name: described[name] for name in SAID} == SAID
    assert (described["InferenceSpecification"], "LastModifiedTime" in described) == (
        package()["InferenceSpecification"],
        False,
    )

    changed: dict[str, Any] = {
        "ModelApprovalStatus": "Rejected",
        "ApprovalDescription": "too slow",
        "InferenceSpecification": package(Environment={"A": "1"})["InferenceSpecification"],
        "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Archived"},
        "ModelLifeCycle": {"Stage": "Production", "StageStatus": "Done"},
        "SourceUri": f"s3://{BUCKET}/elsewhere",
    }
    third = {"Name": "third", "Containers": [{"Image": IMAGE}]}
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"mae": "7"},
        CustomerMetadataPropertiesToRemove=["rmse"],
        AdditionalInferenceSpecificationsToAdd=[third],
        **changed,
    )
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert {name: described[name] for name in changed} == changed
    assert described["CustomerMetadataProperties"] == {"mae": "7"}
    assert [each["Name"] for each in described["AdditionalInferenceSpecifications"]] == ["second", "third"]
    assert described["LastModifiedTime"] > described["CreationTime"]
    [listed] = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert listed["ModelLifeCycle"] == changed["ModelLifeCycle"]


def test_an_update_that_is_refused_changes_nothing(sagemaker: Any, group: str) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, **SAID, **package())["ModelPackageArn"]
    before = sagemaker.describe_model_package(ModelPackageName=arn)
    again = {
        "ModelApprovalStatus": "Approved",
        "AdditionalInferenceSpecificationsToAdd": SAID["AdditionalInferenceSpecifications"],
    }
    message = refused(sagemaker.update_model_package, ModelPackageArn=arn, **again)
    assert message == "Names of AdditionalInferenceSpecifications must be unique: second is not."
    nowhere = package(ModelDataUrl=f"s3://{BUCKET}/no-model.tar.gz")
    assert "Could not find model data" in refused(sagemaker.update_model_package, ModelPackageArn=arn, **nowhere)
    without = {"ResponseMetadata": None}
    assert sagemaker.describe_model_package(ModelPackageName=arn) | without == before | without


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
def test_approval_may_become_any_other(sagemaker: Any, group: str, status: str) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName=group, **package())["ModelPackageArn"]
    for after in (status, "Rejected", status, "Approved", status):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=after)
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == status


def test_a_package_in_no_group_has_no_approval(sagemaker: Any) -> None:
    alone = {"ModelPackageName": next(NAMES), **package()}
    message = refused(sagemaker.create_model_package, ModelApprovalStatus="Approved", **alone)
    assert message == "ModelApprovalStatus is of versions of a Model Package Group only."
    arn = sagemaker.create_model_package(**alone)["ModelPackageArn"]
    assert "ModelApprovalStatus" not in sagemaker.describe_model_package(ModelPackageName=arn)
    message = refused(sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert f"{arn} is in no group" in message
    sagemaker.create_model(
        ModelName=alone["ModelPackageName"],
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"ModelPackageName": alone["ModelPackageName"]},
    )


def test_tags_are_the_groups_and_not_a_versions(sagemaker: Any, group: str) -> None:
    tags = [{"Key": "a", "Value": "1"}]
    message = refused(sagemaker.create_model_package, ModelPackageGroupName=group, Tags=tags, **package())
    assert message == "A version of a Model Package Group cannot have Tags: tag the group."
    arn = sagemaker.create_model_package(ModelPackageName=next(NAMES), Tags=tags, **package())["ModelPackageArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_a_request_that_is_repeated_by_its_token_registers_one_version(sagemaker: Any, group: str) -> None:
    request = {"ModelPackageGroupName": group, "ClientToken": f"{group}-once", **package()}
    arns = {sagemaker.create_model_package(**request)["ModelPackageArn"] for _ in "ab"}
    assert arns == {f"{ARN}:model-package/{group}/1"}


def test_groups_differ_by_more_than_case(sagemaker: Any, group: str) -> None:
    message = refused(sagemaker.create_model_package_group, ModelPackageGroupName=group.upper())
    assert message == f"Model Package Group already exists: {ARN}:model-package-group/{group.upper()}"


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
