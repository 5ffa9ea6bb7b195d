"""What people look at as the read-only role: questions that somebody asks of a platform, in AWS's own calls."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from least_privilege.grants import READER, role_arns

Question = Callable[[Any, Mapping[str, Any]], None]
QUERY_SECONDS = 60
POLL_SECONDS = 0.2


def alarms(session: Any, document: Mapping[str, Any]) -> None:
    """Which alarms are on, and since when?"""
    cloudwatch = session.client("cloudwatch")
    for alarm in cloudwatch.describe_alarms()["MetricAlarms"][:1]:
        cloudwatch.describe_alarm_history(AlarmName=alarm["AlarmName"])


def dashboard(session: Any, document: Mapping[str, Any]) -> None:
    """What does the dashboard say?"""
    cloudwatch = session.client("cloudwatch")
    for entry in cloudwatch.list_dashboards()["DashboardEntries"]:
        cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])


def metrics(session: Any, document: Mapping[str, Any]) -> None:
    """What was measured in the last hour?"""
    cloudwatch = session.client("cloudwatch")
    now = time.time()
    hour: Any = {"StartTime": now - 3600, "EndTime": now}
    cloudwatch.list_metrics(Namespace="AWS/SageMaker")
    metric: Any = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}
    query: Any = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    cloudwatch.get_metric_data(MetricDataQueries=[query], **hour)
    cloudwatch.get_metric_statistics(**metric, Period=60, Statistics=["Sum"], **hour)


def logs(session: Any, document: Mapping[str, Any]) -> None:
    """What did the training job print?"""
    client = session.client("logs")
    groups = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
    group = "/aws/sagemaker/TrainingJobs"
    if group not in groups:
        raise LookupError(f"there is no log group {group}, only {', '.join(groups)}")
    stream = client.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    client.get_log_events(logGroupName=group, logStreamName=stream)
    client.filter_log_events(logGroupName=group, filterPattern="error")


def insights(session: Any, document: Mapping[str, Any]) -> None:
    """What do the saved Logs Insights queries find?"""
    client = session.client("logs")
    now = int(time.time())
    for saved in client.describe_query_definitions()["queryDefinitions"][:1]:
        query: Any = {"logGroupName": "/aws/sagemaker/TrainingJobs", "queryString": saved["queryString"]}
        started = client.start_query(**query, startTime=now - 3600, endTime=now)["queryId"]
        client.get_query_results(queryId=started)
        while client.get_query_results(queryId=started)["status"] in ("Scheduled", "Running"):
            time.sleep(POLL_SECONDS)


def objects(session: Any, document: Mapping[str, Any]) -> None:
    """Which raw files came, and what did they hold before?"""
    s3 = session.client("s3")
    bucket = document["bronze_bucket"]
    s3.get_bucket_location(Bucket=bucket)
    key = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"][0]["Key"]
    version = s3.get_object(Bucket=bucket, Key=key)["VersionId"]
    s3.get_object(Bucket=bucket, Key=key, VersionId=version)


def _published_table(session: Any, document: Mapping[str, Any]) -> str:
    tables = session.client("glue").get_tables(DatabaseName=document["silver_database"])["TableList"]
    published = [table["Name"] for table in tables if table.get("PartitionKeys")]
    if not published:
        raise RuntimeError(f"silver has no table yet: `make run ENV={document['environment']}` first")
    return str(published[0])


def catalog(session: Any, document: Mapping[str, Any]) -> None:
    """Which tables and months are there?"""
    glue = session.client("glue")
    glue.get_databases()
    names: Any = {"DatabaseName": document["silver_database"]}
    glue.get_database(Name=names["DatabaseName"])
    names["TableName"] = _published_table(session, document)
    glue.get_table(DatabaseName=names["DatabaseName"], Name=names["TableName"])
    values = glue.get_partitions(**names)["Partitions"][0]["Values"]
    glue.get_partition(**names, PartitionValues=values)
    glue.batch_get_partition(**names, PartitionsToGet=[{"Values": values}])


def query(session: Any, document: Mapping[str, Any]) -> None:
    """How many rows has a table of silver? Asked of Athena, downloaded, and found again in the workgroup's history."""
    athena = session.client("athena")
    workgroup = document["athena_workgroup"]
    athena.get_work_group(WorkGroup=workgroup)
    text = f"select count(*) from {document['silver_database']}.{_published_table(session, document)}"
    asked: Any = {"QueryString": text, "WorkGroup": workgroup}
    started = athena.start_query_execution(**asked)["QueryExecutionId"]
    deadline = time.monotonic() + QUERY_SECONDS
    while (execution := athena.get_query_execution(QueryExecutionId=started)["QueryExecution"])["Status"]["State"] in (
        "QUEUED",
        "RUNNING",
    ):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{text} has not ended within {QUERY_SECONDS} s")
        time.sleep(POLL_SECONDS)
    if execution["Status"]["State"] != "SUCCEEDED":
        raise RuntimeError(execution["Status"]["StateChangeReason"])
    athena.get_query_results(QueryExecutionId=started)
    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    session.client("s3").get_object(Bucket=bucket, Key=key)
    found = athena.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"][:1]
    athena.batch_get_query_execution(QueryExecutionIds=found)
    athena.stop_query_execution(QueryExecutionId=athena.start_query_execution(**asked)["QueryExecutionId"])


def models(session: Any, document: Mapping[str, Any]) -> None:
    """Which jobs ran, which model serves, and where is it registered?"""
    sagemaker = session.client("sagemaker")
    jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    if not jobs:
        raise RuntimeError(f"no model was trained here yet: `make run ENV={document['environment']}` first")
    job = jobs[0]["TrainingJobName"]
    sagemaker.describe_training_job(TrainingJobName=job)
    job = sagemaker.list_processing_jobs()["ProcessingJobSummaries"][0]["ProcessingJobName"]
    sagemaker.describe_processing_job(ProcessingJobName=job)
    sagemaker.list_transform_jobs()
    sagemaker.list_models()
    sagemaker.list_endpoint_configs()
    name = sagemaker.list_endpoints()["Endpoints"][0]["EndpointName"]
    config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    sagemaker.describe_model(ModelName=variant["ModelName"])
    for group in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group["ModelPackageGroupName"])
        sagemaker.list_model_packages(ModelPackageGroupName=group["ModelPackageGroupName"])


def platform(session: Any, document: Mapping[str, Any]) -> None:
    """Where is everything?"""
    session.client("ssm").get_parameter(Name=f"/silverline/{document['environment']}/platform")


QUESTIONS: tuple[Question, ...] = (
    platform,
    objects,
    catalog,
    query,
    models,
    logs,
    insights,
    metrics,
    alarms,
    dashboard,
)


def first_failure(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """Ask all as the read-only role: the first question that can't be answered, and why; None where all are."""
    sts = boto3.client("sts")
    keys = sts.assume_role(RoleArn=role_arns(document)[READER], RoleSessionName="look")["Credentials"]
    reader = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    for question in QUESTIONS:
        try:
            question(reader, document)
        except (ClientError, RuntimeError) as error:
            return question.__name__, str(error)
    return None


def ask(document: Mapping[str, Any]) -> None:
    """Ask all; RuntimeError where a question can't be answered."""
    if failed := first_failure(document):
        raise RuntimeError(f"{failed[0]} can't be answered with everything granted: {failed[1]}")
