"""Everything that an AWS account holds, as far as infra/terraform could have put it there."""

from typing import Any

from terraform_cli import LocalAws


def inventory(aws: LocalAws) -> dict[str, list[str]]:
    """The names of what there is, kind by kind."""
    account = aws.client("sts").get_caller_identity()["Account"]
    databases = _names(aws, "glue", "get_databases", "DatabaseList", "Name")
    roles = _names(aws, "iam", "list_roles", "Roles", "RoleName")
    groups = _names(aws, "logs", "describe_log_groups", "logGroups", "logGroupName")
    found = {
        "buckets": _names(aws, "s3", "list_buckets", "Buckets", "Name"),
        "keys": [key for key in _names(aws, "kms", "list_keys", "Keys", "KeyId") if _in_use(aws, key)],
        "aliases": _names(aws, "kms", "list_aliases", "Aliases", "AliasName"),
        "databases": databases,
        "tables": [
            f"{database}.{table}"
            for database in databases
            for table in _names(aws, "glue", "get_tables", "TableList", "Name", DatabaseName=database)
        ],
        "workgroups": _names(aws, "athena", "list_work_groups", "WorkGroups", "Name"),
        "roles": roles,
        "role policies": [
            f"{role}/{policy}"
            for role in roles
            for policy in aws.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        ],
        "policies": _names(aws, "iam", "list_policies", "Policies", "Arn", Scope="Local"),
        "model package groups": _names(
            aws, "sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"
        ),
        "log groups": groups,
        "metric filters": _names(aws, "logs", "describe_metric_filters", "metricFilters", "filterName"),
        "query definitions": _names(aws, "logs", "describe_query_definitions", "queryDefinitions", "name"),
        "alarms": _names(aws, "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "composite alarms": _names(
            aws, "cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName", AlarmTypes=["CompositeAlarm"]
        ),
        "dashboards": _names(aws, "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "topics": _names(aws, "sns", "list_topics", "Topics", "TopicArn"),
        "subscriptions": _names(aws, "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "parameters": _names(aws, "ssm", "describe_parameters", "Parameters", "Name"),
        "budgets": _names(aws, "budgets", "describe_budgets", "Budgets", "BudgetName", AccountId=account),
        "scalable targets": _names(
            aws,
            "application-autoscaling",
            "describe_scalable_targets",
            "ScalableTargets",
            "ResourceId",
            ServiceNamespace="sagemaker",
        ),
        "networks": _names(aws, "ec2", "describe_vpcs", "Vpcs", "VpcId"),
    }
    return {kind: sorted(names) for kind, names in found.items()}


def _names(aws: LocalAws, service: str, operation: str, items: str, name: str, **arguments: Any) -> list[str]:
    client = aws.client(service)
    if client.can_paginate(operation):
        pages = list(client.get_paginator(operation).paginate(**arguments))
    else:
        pages = [getattr(client, operation)(**arguments)]
    return [item[name] for page in pages for item in page.get(items, [])]


def _in_use(aws: LocalAws, key: str) -> bool:
    """AWS deletes a key 7 to 30 days after it has been told to."""
    return aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"
