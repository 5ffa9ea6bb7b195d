"""Lists of model packages and their groups: filtered, ordered and cut into pages as AWS's are."""

from typing import Any

import pytest
from registry_requests import ARN, new_group, package, registry_client


@pytest.fixture(scope="module")
def sagemaker(local_aws: Any) -> Any:
    return registry_client()


@pytest.fixture(scope="module")
def three(sagemaker: Any) -> str:
    """A group of three versions, of which the second is approved; beside it are two packages in no group."""
    name = new_group(sagemaker)
    for status in ("PendingManualApproval", "Approved", "PendingManualApproval"):
        sagemaker.create_model_package(ModelPackageGroupName=name, ModelApprovalStatus=status, **package())
    for other in ("alone", "also"):
        sagemaker.create_model_package(ModelPackageName=f"{name}-{other}", **package())
    return name


@pytest.mark.parametrize(
    ("asked", "versions"),
    [
        ({}, [1, 2, 3]),
        ({"SortOrder": "Descending"}, [3, 2, 1]),
        ({"SortOrder": "Descending", "MaxResults": 2}, [3, 2]),
        ({"ModelApprovalStatus": "Approved"}, [2]),
        ({"ModelApprovalStatus": "Rejected"}, []),
        ({"ModelApprovalStatus": "PendingManualApproval"}, [1, 3]),
        ({"ModelPackageType": "Unversioned"}, [1, 2, 3]),  # a group has nothing but versions
        ({"CreationTimeAfter": 4102444800}, []),
        ({"CreationTimeBefore": 4102444800, "SortBy": "CreationTime"}, [1, 2, 3]),
    ],
)
def test_which_versions_of_a_group_are_listed(
    sagemaker: Any, three: str, asked: dict[str, Any], versions: list[int]
) -> None:
    listed = sagemaker.list_model_packages(ModelPackageGroupName=three, **asked)["ModelPackageSummaryList"]
    assert [found["ModelPackageVersion"] for found in listed] == versions


@pytest.mark.parametrize(
    ("kind", "with_versions", "with_others"),
    [(None, False, True), ("Unversioned", False, True), ("Versioned", True, False), ("Both", True, True)],
)
def test_which_types_of_packages_are_listed(
    sagemaker: Any, three: str, kind: str | None, with_versions: bool, with_others: bool
) -> None:
    pages = sagemaker.get_paginator("list_model_packages").paginate(**({"ModelPackageType": kind} if kind else {}))
    listed = [found["ModelPackageArn"] for page in pages for found in page["ModelPackageSummaryList"]]
    assert (f"{ARN}:model-package/{three}/1" in listed) == with_versions
    assert (f"{ARN}:model-package/{three}-alone" in listed) == with_others


def test_packages_are_found_and_ordered_by_name(sagemaker: Any, three: str) -> None:
    asked = {"NameContains": f"{three}-AL", "SortBy": "Name", "SortOrder": "Descending"}
    listed = sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]
    assert [found["ModelPackageName"] for found in listed] == [f"{three}-also", f"{three}-alone"]


def test_which_groups_are_listed(sagemaker: Any) -> None:
    names = [f"listed-{letter}" for letter in "bca"]
    for name in names:
        sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription=f"is {name}")

    def listed(**asked: Any) -> list[str]:
        found = sagemaker.list_model_package_groups(NameContains="Listed-", **asked)["ModelPackageGroupSummaryList"]
        return [group["ModelPackageGroupName"] for group in found]

    assert (listed(), listed(SortBy="Name")) == (names, sorted(names))
    assert listed(SortOrder="Descending", MaxResults=2) == ["listed-a", "listed-c"]
    assert (listed(CreationTimeAfter=4102444800), listed(CreationTimeBefore=4102444800)) == ([], names)
    assert (listed(CrossAccountFilterOption="CrossAccount"), listed(CrossAccountFilterOption="SameAccount")) == (
        [],
        names,
    )
