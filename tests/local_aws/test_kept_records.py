"""What is kept as a record is read back as it was written, and is gone once it has been deleted."""

import gzip
import json
import time
from typing import Any

import boto3
import pytest

GROUP = "/records/log"
ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:kept"


@pytest.fixture
def logs(local_aws: Any) -> Any:
    client: Any = boto3.client("logs")
    if not client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        client.create_log_group(logGroupName=GROUP)
    return client


def test_a_prepared_statement(local_aws: Any) -> None:
    athena: Any = boto3.client("athena")
    named = {"StatementName": "kept", "WorkGroup": "primary"}
    athena.create_prepared_statement(**named, QueryStatement="select ?")
    assert athena.get_prepared_statement(**named)["PreparedStatement"]["QueryStatement"] == "select ?"
    athena.delete_prepared_statement(**named)
    with pytest.raises(athena.exceptions.ResourceNotFoundException):
        athena.get_prepared_statement(**named)


def test_a_dashboard(local_aws: Any) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    body = json.dumps({"widgets": []})
    cloudwatch.put_dashboard(DashboardName="kept", DashboardBody=body)
    assert cloudwatch.get_dashboard(DashboardName="kept")["DashboardBody"] == body
    cloudwatch.delete_dashboards(DashboardNames=["kept"])
    assert cloudwatch.list_dashboards(DashboardNamePrefix="kept")["DashboardEntries"] == []


def test_an_alarms_tags(local_aws: Any) -> None:
    cloudwatch: Any = boto3.client("cloudwatch")
    metric: dict[str, Any] = {"Namespace": "N", "MetricName": "m", "Statistic": "Sum", "Period": 60, "Threshold": 1}
    rule = {"AlarmName": "kept", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
    cloudwatch.put_metric_alarm(**metric, **rule)
    cloudwatch.tag_resource(ResourceARN=ALARM, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=ALARM, TagKeys=["stage"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=ALARM)["Tags"] == [{"Key": "team", "Value": "a"}]
    cloudwatch.delete_alarms(AlarmNames=["kept"])


def test_a_log_groups_retention(logs: Any) -> None:
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["retentionInDays"] == 7
    logs.delete_retention_policy(logGroupName=GROUP)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]


def test_a_log_groups_tags(logs: Any) -> None:
    logs.tag_log_group(logGroupName=GROUP, tags={"team": "a", "stage": "b"})
    logs.untag_log_group(logGroupName=GROUP, tags=["stage"])
    assert logs.list_tags_log_group(logGroupName=GROUP)["tags"] == {"team": "a"}


def test_a_resource_policy(logs: Any) -> None:
    logs.put_resource_policy(policyName="kept", policyDocument="{}")
    assert [each["policyName"] for each in logs.describe_resource_policies()["resourcePolicies"]] == ["kept"]
    logs.delete_resource_policy(policyName="kept")
    assert logs.describe_resource_policies()["resourcePolicies"] == []


def test_an_export_task_leaves_the_events_in_s3(logs: Any) -> None:
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="exported-logs")
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=GROUP, logStreamName="s", logEvents=[{"timestamp": now, "message": "an exported event"}]
    )
    times = {"fromTime": now - 1000, "to": now + 1000}
    task = logs.create_export_task(logGroupName=GROUP, destination="exported-logs", **times)["taskId"]
    assert logs.describe_export_tasks(taskId=task)["exportTasks"][0]["status"]["code"] in ("COMPLETED", "RUNNING")
    (key,) = [item["Key"] for item in s3.list_objects_v2(Bucket="exported-logs", Prefix="exportedlogs/")["Contents"]]
    text = gzip.decompress(s3.get_object(Bucket="exported-logs", Key=key)["Body"].read())
    assert text.endswith(b"Z an exported event")
