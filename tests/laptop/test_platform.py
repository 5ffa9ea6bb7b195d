"""The platform that the local start-up lays, and the document that it writes of it."""

import json
import time
import uuid
from dataclasses import MISSING, fields
from typing import Any

import boto3
import jsonschema
import pytest
from sagemaker_requests import eventually

from deploy.platform import SCHEMA, read
from laptop import dashboard, platform
from laptop.alarms import CHECKS
from silverline.platform import Platform


@pytest.fixture
def aws(local_aws: Any) -> None:
    """A local AWS, which other tests may have laid the same platform on."""


def schema() -> Any:
    return json.loads(SCHEMA.read_text())


def test_the_document_in_ssm_has_the_schema_and_all_that_pipelines_need(aws: None) -> None:
    platform.apply()
    assert Platform.from_document(read("local")).environment == "local"


def test_applying_twice_keeps_what_is_there(aws: None) -> None:
    first = platform.apply()
    boto3.client("s3").put_object(Bucket=first["bronze_bucket"], Key="k", Body=b"raw")
    assert platform.apply() == first
    assert boto3.client("s3").get_object(Bucket=first["bronze_bucket"], Key="k")["Body"].read() == b"raw"


def test_bronze_is_versioned_and_what_comes_into_a_bucket_is_encrypted_with_the_platforms_key(aws: None) -> None:
    document, s3 = platform.apply(), boto3.client("s3")
    assert s3.get_bucket_versioning(Bucket=document["bronze_bucket"])["Status"] == "Enabled"
    for layer in platform.BUCKETS:
        s3.put_object(Bucket=document[f"{layer}_bucket"], Key="k", Body=b"raw")
        assert s3.head_object(Bucket=document[f"{layer}_bucket"], Key="k")["SSEKMSKeyId"] == document["kms_key_arn"]


def test_what_the_document_names_is_there(aws: None) -> None:
    document = platform.apply()
    for role in ("airflow", "sagemaker_jobs", "sagemaker_endpoint"):
        name = document[f"{role}_role_arn"].rpartition("/")[2]
        assert boto3.client("iam").get_role(RoleName=name)["Role"]["Arn"] == document[f"{role}_role_arn"]
    group = document["model_package_groups"]["flight_delay"]
    assert boto3.client("sagemaker").describe_model_package_group(ModelPackageGroupName=group)
    assert boto3.client("sns").get_topic_attributes(TopicArn=document["alarm_topic_arn"])
    assert (
        boto3.client("kms").describe_key(KeyId="alias/silverline-local")["KeyMetadata"]["Arn"]
        == (document["kms_key_arn"])
    )


def test_a_dashboard_is_laid_with_widgets_and_alarms_of_the_pipelines_that_have_run(aws: None) -> None:
    document, cloudwatch = platform.apply("flight_delay"), boto3.client("cloudwatch")
    text = cloudwatch.get_dashboard(DashboardName="silverline-local")["DashboardBody"]
    alarms, *others = json.loads(text)["widgets"]
    names = [arn.rpartition(":")[2] for arn in alarms["properties"]["alarms"]]
    watched = [f"silverline-local-flight-delay-{check}" for check in CHECKS]
    assert {*document["endpoint_alarms"]["flight_delay"], *watched} <= set(names)
    # Others' tests may have registered models of the other pipelines.
    assert {name.rpartition("-canary-")[0] or name.rpartition("-")[0] for name in names} <= {
        f"silverline-local-{name.replace('_', '-')}" for name in document["model_package_groups"]
    }
    there = cloudwatch.describe_alarms(AlarmNamePrefix="silverline-local-airport-weather-")["MetricAlarms"]
    assert len(there) == len(CHECKS) + len(document["endpoint_alarms"]["airport_weather"])
    invocations = ["AWS/SageMaker", "Invocations", "EndpointName", "flight-delay", "VariantName", "AllTraffic"]
    assert invocations in [metric for widget in others for metric in widget["properties"]["metrics"]]


def test_what_athena_scanned_is_measured_where_the_dashboard_looks(aws: None) -> None:
    document, athena, cloudwatch = platform.apply(), boto3.client("athena"), boto3.client("cloudwatch")
    group = document["athena_workgroup"]
    started = athena.start_query_execution(QueryString="select 1", WorkGroup=group)["QueryExecutionId"]
    eventually(
        lambda: athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]["State"],
        lambda state: state == "SUCCEEDED",
    )
    widgets = dashboard.body("local", [], [])["widgets"]
    shown = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    [(namespace, name, *dimensions)] = [metric for metric in shown if metric[1] == "ProcessedBytes"]
    assert group in dimensions
    wanted = dict(zip(dimensions[::2], dimensions[1::2], strict=True))

    def measured() -> list[dict[str, str]]:
        listed = cloudwatch.list_metrics(Namespace=namespace, MetricName=name)["Metrics"]
        return [{pair["Name"]: pair["Value"] for pair in metric["Dimensions"]} for metric in listed]

    assert wanted in eventually(measured, lambda found: wanted in found)  # the query has ended just before


def test_an_exception_that_a_job_printed_is_counted_where_the_dashboard_looks(aws: None) -> None:
    platform.apply()
    widgets = dashboard.body("local", ["flight_delay"], [])["widgets"]
    shown = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    [(namespace, name)] = [metric for metric in shown if metric[1:2] == ["processing-errors"]]
    logs, cloudwatch, now = boto3.client("logs"), boto3.client("cloudwatch"), time.time()

    def counted() -> float:
        times: Any = {"StartTime": now - 600, "EndTime": now + 600}
        found = cloudwatch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Period=3600, Statistics=["Sum"], **times
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    before, group, stream = counted(), "/aws/sagemaker/ProcessingJobs", f"counted-{uuid.uuid4().hex}/algo-1"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events: Any = [{"timestamp": int(now * 1000), "message": "Traceback (most recent call last):"}]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    assert counted() == before + 1


def test_a_dashboard_has_the_same_widgets_for_a_second_pipeline() -> None:
    one, two = (dashboard.body("local", pipelines, [])["widgets"] for pipelines in (["a"], ["a", "a_b"]))
    assert two[: len(one)] == one and len(two) > len(one)
    assert json.loads(json.dumps(two[len(one) :]).replace("a-b", "a").replace("a_b", "a")) == one[len(one) - len(two) :]


def test_a_pipeline_is_on_the_dashboard_once_it_runs(aws: None) -> None:
    def pipelines() -> list[str]:
        laid = boto3.client("cloudwatch").get_dashboard(DashboardName="silverline-local")["DashboardBody"]
        titles = [widget["properties"].get("title", "") for widget in json.loads(laid)["widgets"]]
        return [title.removesuffix(": runs") for title in titles if title.endswith(": runs")]

    groups, sagemaker = platform.apply()["model_package_groups"], boto3.client("sagemaker")
    with_models = {
        name
        for name, group in groups.items()
        if sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    }
    for asked in ("flight_delay", "airport_weather"):
        platform.apply(asked)
        assert pipelines() == sorted(with_models | {asked})


def test_the_schema_requires_what_the_pipelines_read() -> None:
    assert {field.name for field in fields(Platform) if field.default is MISSING} == set(schema()["required"])
    assert {field.name for field in fields(Platform)} <= set(schema()["properties"])


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": "x"},
        {"sagemaker_jobs_role_arn": "just-a-name"},
        {"kms_key_arn": "alias/silverline-local"},
        {"mwaa": {"environment": "silverline-local"}},
        {"mlflow_tracking_uri": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/mlflow"},
        {"mlflow_tracking_uri": "sqlite:////tmp/mlflow.db"},
    ],
)
def test_the_schema_refuses_an_unknown_member_and_one_that_is_not_of_its_form(
    aws: None, change: dict[str, Any]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**platform.apply(), **change}, schema())


@pytest.mark.parametrize(
    "uri",
    [
        "http://mlflow.internal:5000",
        "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/ours",
        "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-ABC123",
    ],
)
def test_the_schema_takes_a_document_with_an_mlflow_that_pipelines_read(aws: None, uri: str) -> None:
    document = {**platform.apply(), "mlflow_tracking_uri": uri}
    jsonschema.validate(document, schema())
    assert Platform.from_document(document).mlflow_tracking_uri == uri


def test_the_schema_takes_a_document_with_mwaa(aws: None) -> None:
    mwaa = {"environment": "silverline-local", "bucket": "silverline-local-airflow-123456789012"}
    jsonschema.validate({**platform.apply(), "mwaa": mwaa}, schema())
