"""The platform of examples/local, applied by Terraform to local AWS."""

import json

import jsonschema
import pytest
from inventory import inventory
from terraform_cli import REPOSITORY, Platform

pytestmark = pytest.mark.long(200)  # the folder, half of it waiting


def test_a_second_plan_finds_nothing_to_change(platform_on_local_aws: Platform) -> None:
    code, output = platform_on_local_aws.root.try_("plan", "-input=false", "-detailed-exitcode")
    assert code == 0, output


def test_the_platform_document_has_the_schema_that_pipelines_rely_on(platform_on_local_aws: Platform) -> None:
    schema = json.loads((REPOSITORY / "infra" / "platform.schema.json").read_text())
    jsonschema.validate(platform_on_local_aws.document, schema)


@pytest.mark.takes_the_platform_down
def test_destroy_leaves_nothing(platform_on_local_aws: Platform) -> None:
    assert inventory(platform_on_local_aws.aws) != platform_on_local_aws.before
    sagemaker = platform_on_local_aws.aws.client("sagemaker")
    for group in platform_on_local_aws.document["model_package_groups"].values():  # as docs/aws.md says
        pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for package in [found for page in pages for found in page["ModelPackageSummaryList"]]:
            sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    platform_on_local_aws.root.run("destroy", "-input=false", "-auto-approve")
    assert inventory(platform_on_local_aws.aws) == platform_on_local_aws.before
