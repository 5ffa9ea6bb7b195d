"""What local AWS holds is as it was when it is started again, whether it was stopped or killed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cloudwatch_requests import alarm_in, metric_alarm, put
from own_server import OwnServer
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, IMAGE, eventually, finished, training_job

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
PRINTS_A_METRIC = "print('loss=0.25;')"
ENDLESS = "import time; time.sleep(60)"
FIVE_MB = b"5" * 5 * 2**20

# Every look is the same before and after: service, operation, its request.
LOOKS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "list_object_versions", {"Bucket": "versioned"}),
    ("s3", "get_object_tagging", {"Bucket": "versioned", "Key": "kept"}),
    ("s3", "head_object", {"Bucket": "versioned", "Key": "kept"}),
    ("s3", "head_object", {"Bucket": "versioned", "Key": "in/parts"}),
    ("s3", "list_multipart_uploads", {"Bucket": "versioned"}),
    ("s3", "get_bucket_versioning", {"Bucket": "versioned"}),
    ("glue", "get_tables", {"DatabaseName": "lake"}),
    ("athena", "list_query_executions", {}),
    ("athena", "list_tags_for_resource", {"ResourceARN": "arn:aws:athena:us-east-1:123456789012:workgroup/group"}),
    ("athena", "get_prepared_statement", {"WorkGroup": "group", "StatementName": "prepared"}),
    ("sagemaker", "describe_training_job", {"TrainingJobName": "done"}),
    ("sagemaker", "describe_model", {"ModelName": "served"}),
    ("sagemaker", "describe_endpoint_config", {"EndpointConfigName": "served"}),
    ("sagemaker", "list_model_packages", {"ModelPackageGroupName": "packages"}),
    ("logs", "filter_log_events", {"logGroupName": "lines"}),
    ("cloudwatch", "describe_alarms", {}),
    ("cloudwatch", "describe_alarm_history", {}),
    (
        "cloudwatch",
        "get_metric_statistics",
        {
            "Namespace": "/aws/sagemaker/TrainingJobs",
            "MetricName": "loss",
            "Dimensions": [{"Name": "TrainingJobName", "Value": "done"}],
            "StartTime": NOW - timedelta(minutes=10),
            "EndTime": NOW + timedelta(minutes=10),
            "Period": 1200,
            "Statistics": ["Average", "SampleCount"],
        },
    ),
    ("iam", "get_role", {"RoleName": "role"}),
    ("ssm", "get_parameter", {"Name": "/parameter"}),
    ("ssm", "list_tags_for_resource", {"ResourceType": "Parameter", "ResourceId": "/parameter"}),
    ("kms", "list_keys", {}),
    ("secretsmanager", "get_secret_value", {"SecretId": "secret"}),
    ("sns", "list_topics", {}),
    ("dynamodb", "scan", {"TableName": "table"}),
    ("events", "list_rules", {}),
    ("ecr", "describe_repositories", {}),
    ("ec2", "describe_vpcs", {}),
    ("acm", "list_certificates", {}),
    ("lambda", "list_functions", {}),
    ("stepfunctions", "list_state_machines", {}),
]
ENDPOINT: tuple[str, str, dict[str, Any]] = ("sagemaker", "describe_endpoint", {"EndpointName": "served"})


class World:
    """A server that has been ended and started again, and what it answered before."""

    def __init__(self, server: OwnServer, how: str) -> None:
        self.server = server
        self.name = f"until-{how}"
        _begin(self.name)
        self.before = [look(*named) for named in LOOKS]
        self.endpoint_before = look(*ENDPOINT)
        server.end(how)
        server.start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with pytest.MonkeyPatch.context() as patch:
        started = OwnServer(tmp_path_factory.mktemp("local_aws") / "state", patch)
        try:
            _fill()
            yield started
        finally:
            started.process.kill()
            started.process.wait()


@pytest.fixture(scope="module", params=["SIGKILL", "SIGTERM"])
def world(server: OwnServer, request: pytest.FixtureRequest) -> World:
    return World(server, request.param)


def look(service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    answer = getattr(boto3.client(service), operation)(**request)  # type: ignore[call-overload]
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _fill() -> None:
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    endpoints = Endpoints()
    metrics = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}]}
    done = training_job(s3, "done", PRINTS_A_METRIC)
    done["AlgorithmSpecification"] |= metrics
    sagemaker.create_training_job(**done)
    endpoints.create("served")
    sagemaker.create_model_package_group(ModelPackageGroupName="packages")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/served/model.tar.gz"}
    package = sagemaker.create_model_package(
        ModelPackageGroupName="packages",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    sagemaker.update_model_package(ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved")
    _fill_s3(s3)
    _fill_athena()
    _fill_others()
    assert finished(sagemaker, "done")["TrainingJobStatus"] == "Completed"


def _begin(name: str) -> None:
    """What is at work when the server ends, each of that name: a job, an upload in parts, an alarm."""
    s3, sagemaker, cloudwatch = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("cloudwatch")
    sagemaker.create_training_job(**training_job(s3, name, ENDLESS))
    named = {"Bucket": "versioned", "Key": name}
    s3.upload_part(**named, **_upload(s3, named), PartNumber=1, Body=FIVE_MB)
    cloudwatch.put_metric_alarm(**metric_alarm(name, TreatMissingData="ignore"))
    cloudwatch.put_composite_alarm(AlarmName=f"composite-{name}", AlarmRule=f"ALARM({name})")
    put(cloudwatch, name, 1)
    alarm_in(cloudwatch, name, "OK")
    alarm_in(cloudwatch, f"composite-{name}", "OK")
    eventually(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"],
        lambda status: status == "Training",
    )


def _upload(s3: Any, named: dict[str, str]) -> dict[str, str]:
    return {"UploadId": s3.create_multipart_upload(**named)["UploadId"]}


def _fill_s3(s3: Any) -> None:
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket="versioned", Key="kept", Body=body, Tagging="team=ml", Metadata={"made": "by hand"})
    s3.put_object(Bucket="versioned", Key="deleted", Body=b"gone")
    s3.delete_object(Bucket="versioned", Key="deleted")
    named = {"Bucket": "versioned", "Key": "in/parts"}
    upload = named | _upload(s3, named)
    part = s3.upload_part(**upload, PartNumber=1, Body=FIVE_MB)
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})


def _fill_athena() -> None:
    boto3.client("glue").create_database(DatabaseInput={"Name": "lake"})
    athena = boto3.client("athena")
    configuration = {
        "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"},
        "EnforceWorkGroupConfiguration": False,
    }
    athena.create_work_group(Name="group", Configuration=configuration)
    athena.create_prepared_statement(WorkGroup="group", StatementName="prepared", QueryStatement="select ?")
    for sql in (f"create table t with (external_location = 's3://{BUCKET}/t/') as select 1 as n", "select n from t"):
        context = {"Database": "lake"}
        started = athena.start_query_execution(QueryString=sql, QueryExecutionContext=context, WorkGroup="group")
        eventually(lambda i=started["QueryExecutionId"]: state(i), lambda found: found == "SUCCEEDED")


def state(query_id: str) -> str:
    found = boto3.client("athena").get_query_execution(QueryExecutionId=query_id)
    return str(found["QueryExecution"]["Status"]["State"])


def _fill_others() -> None:
    boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    tags: Any = [{"Key": "team", "Value": "ml"}]
    boto3.client("ssm").put_parameter(Name="/parameter", Value="value", Type="String", Tags=tags)
    boto3.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    boto3.client("secretsmanager").create_secret(Name="secret", SecretString="of mine")
    boto3.client("sns").create_topic(Name="topic")
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="table", Item={"id": {"S": "a"}, "n": {"N": "1"}})
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="lines")
    logs.create_log_stream(logGroupName="lines", logStreamName="stream")
    lines: Any = [{"timestamp": int(NOW.timestamp() * 1000), "message": "a line"}]
    logs.put_log_events(logGroupName="lines", logStreamName="stream", logEvents=lines)
    boto3.client("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    boto3.client("ecr").create_repository(repositoryName="repository")
    boto3.client("acm").request_certificate(DomainName="example.com")


@pytest.mark.parametrize("number", range(len(LOOKS)), ids=[f"{service}.{operation}" for service, operation, _ in LOOKS])
def test_every_answer_is_the_one_of_before(world: World, number: int) -> None:
    assert look(*LOOKS[number]) == world.before[number]


def test_objects_have_their_bytes(world: World) -> None:
    s3 = boto3.client("s3")
    versions = s3.list_object_versions(Bucket="versioned", Prefix="kept")["Versions"]
    bodies = [s3.get_object(Bucket="versioned", Key="kept", VersionId=v["VersionId"])["Body"].read() for v in versions]
    assert bodies == [b"second", b"first"]
    assert s3.get_object(Bucket="versioned", Key="in/parts")["Body"].read() == FIVE_MB


def test_an_upload_in_parts_goes_on(world: World) -> None:
    s3 = boto3.client("s3")
    (upload,) = s3.list_multipart_uploads(Bucket="versioned")["Uploads"]
    named = {"Bucket": "versioned", "Key": upload["Key"], "UploadId": upload["UploadId"]}
    (part,) = s3.list_parts(**named)["Parts"]
    parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**named, MultipartUpload=parts)
    assert s3.get_object(Bucket="versioned", Key=world.name)["Body"].read() == FIVE_MB


def test_an_endpoint_serves_again_by_itself(world: World) -> None:
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="served", Body=b"{}", ContentType="application/json")
    assert b'"version": "served"' in answer["Body"].read()
    assert look(*ENDPOINT) == world.endpoint_before


def test_a_job_that_was_running_has_failed_with_that_reason(world: World) -> None:
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName=world.name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "InternalServerError: local AWS ended while the job was running"
    assert job["TrainingEndTime"] > job["TrainingStartTime"]


def test_a_result_of_before_can_be_read_and_its_table_queried(world: World) -> None:
    athena = boto3.client("athena")
    for query_id in athena.list_query_executions(WorkGroup="group")["QueryExecutionIds"]:
        rows = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
        assert [row["Data"][0]["VarCharValue"] for row in rows] in (["n", "1"], ["n", "2"], [])
    context = {"Database": "lake"}
    again = athena.start_query_execution(
        QueryString="select n + 1 as n from t", QueryExecutionContext=context, WorkGroup="group"
    )["QueryExecutionId"]
    eventually(lambda: state(again), lambda found: found == "SUCCEEDED")
    rows = athena.get_query_results(QueryExecutionId=again)["ResultSet"]["Rows"]
    assert rows[1]["Data"][0]["VarCharValue"] == "2"


def test_alarms_go_on(world: World) -> None:
    cloudwatch = boto3.client("cloudwatch")
    put(cloudwatch, world.name, 12)
    alarm_in(cloudwatch, f"composite-{world.name}", "ALARM")


def test_nothing_was_complained_of(world: World) -> None:
    assert world.server.errors() == []
