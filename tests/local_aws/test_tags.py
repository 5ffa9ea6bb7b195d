"""Tags of what moto keeps without them: it answered ListTagsForResource with status 500."""

from typing import Any

import boto3
from cloudwatch_requests import error


def test_a_scalable_target_has_tags(local_aws: object) -> None:
    scaling: Any = boto3.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/tagged/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    registered = scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"team": "ours"})
    arn = registered["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "test"})
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "ours", "stage": "test"}

    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test"}
    scaling.deregister_scalable_target(**target)
    assert error(scaling.list_tags_for_resource, ResourceARN=arn)[0] == "ResourceNotFoundException"


def test_a_budget_has_tags(local_aws: object) -> None:
    budgets: Any = boto3.client("budgets")
    limit = {"Amount": "10", "Unit": "USD"}
    budget = {"BudgetName": "tagged", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    arn = "arn:aws:budgets::123456789012:budget/tagged"
    tags = [{"Key": "team", "Value": "ours"}, {"Key": "stage", "Value": "test"}]
    budgets.create_budget(AccountId="123456789012", Budget=budget, ResourceTags=tags[:1])
    budgets.tag_resource(ResourceARN=arn, ResourceTags=tags[1:])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags

    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["team"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags[1:]
    budgets.delete_budget(AccountId="123456789012", BudgetName="tagged")
    assert error(budgets.list_tags_for_resource, ResourceARN=arn)[0] == "NotFoundException"
