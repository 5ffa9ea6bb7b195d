"""Budgets where moto lacks what Terraform reads: who is told by a notification."""

from typing import Any

import boto3
from cloudwatch_requests import error

TOPIC = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:123456789012:alarms"}


def test_the_subscribers_of_a_notification_are_read_back(local_aws: object) -> None:
    budgets: Any = boto3.client("budgets")
    limit = {"Amount": "10", "Unit": "USD"}
    budget = {"BudgetName": "told", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    actual = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    told = [{"Notification": actual, "Subscribers": [TOPIC]}]
    budgets.create_budget(AccountId="123456789012", Budget=budget, NotificationsWithSubscribers=told)

    about = {"AccountId": "123456789012", "BudgetName": "told"}
    read = {**actual, "ThresholdType": "PERCENTAGE"}
    answer = budgets.describe_subscribers_for_notification(**about, Notification=read)
    assert answer["Subscribers"] == [TOPIC]
    other = {**actual, "NotificationType": "FORECASTED"}
    assert error(budgets.describe_subscribers_for_notification, **about, Notification=other)[0] == "NotFoundException"
