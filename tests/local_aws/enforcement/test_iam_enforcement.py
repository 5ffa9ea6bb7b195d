"""Calls judged by the policies of their callers: each service's, and the codes of refusals."""

import json
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from judged import ACCOUNT, BUCKET, DENIED, METRIC, OBJECT, ROLE, Caller, User, allow, answer, arn

TABLE = [arn("glue", name) for name in ("catalog", "database/db", "table/db/t")]
# A service's operation with its arguments, the action that it needs, and on what.
CALLS: list[tuple[str, str, dict[str, Any], str, list[str]]] = [
    ("s3", "get_object", {"Bucket": "data", "Key": "silver/a"}, "s3:GetObject", [OBJECT]),
    ("s3", "head_object", {"Bucket": "data", "Key": "silver/a"}, "s3:GetObject", [OBJECT]),
    ("s3", "put_object", {"Bucket": "data", "Key": "silver/a", "Body": b"2"}, "s3:PutObject", [OBJECT]),
    ("s3", "put_object", {"Bucket": "data", "Key": "b c+d"}, "s3:PutObject", [f"{BUCKET}/b c+d"]),
    ("s3", "delete_object", {"Bucket": "data", "Key": "silver/b"}, "s3:DeleteObject", [f"{BUCKET}/silver/b"]),
    ("s3", "create_multipart_upload", {"Bucket": "data", "Key": "m"}, "s3:PutObject", [f"{BUCKET}/m"]),
    ("s3", "get_object_tagging", {"Bucket": "data", "Key": "silver/a"}, "s3:GetObjectTagging", [OBJECT]),
    ("s3", "list_objects_v2", {"Bucket": "data"}, "s3:ListBucket", [BUCKET]),
    ("s3", "list_object_versions", {"Bucket": "data"}, "s3:ListBucketVersions", [BUCKET]),
    ("s3", "head_bucket", {"Bucket": "data"}, "s3:ListBucket", [BUCKET]),
    ("s3", "get_bucket_location", {"Bucket": "data"}, "s3:GetBucketLocation", [BUCKET]),
    ("s3", "get_bucket_encryption", {"Bucket": "data"}, "s3:GetEncryptionConfiguration", [BUCKET]),
    ("s3", "get_bucket_lifecycle_configuration", {"Bucket": "data"}, "s3:GetLifecycleConfiguration", [BUCKET]),
    ("s3", "create_bucket", {"Bucket": "alices-own"}, "s3:CreateBucket", ["arn:aws:s3:::alices-own"]),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets", ["*"]),
    ("athena", "get_work_group", {"WorkGroup": "wg"}, "athena:GetWorkGroup", [arn("athena", "workgroup/wg")]),
    ("athena", "list_work_groups", {}, "athena:ListWorkGroups", ["*"]),
    ("athena", "list_query_executions", {}, "athena:ListQueryExecutions", [arn("athena", "workgroup/primary")]),
    ("glue", "get_table", {"DatabaseName": "db", "Name": "t"}, "glue:GetTable", TABLE),
    ("glue", "get_partitions", {"DatabaseName": "db", "TableName": "t"}, "glue:GetPartitions", TABLE),
    ("glue", "update_table", {"DatabaseName": "db", "TableInput": {"Name": "t"}}, "glue:UpdateTable", TABLE),
    ("glue", "get_database", {"Name": "db"}, "glue:GetDatabase", TABLE[:2]),
    ("glue", "get_tables", {"DatabaseName": "db"}, "glue:GetTables", [*TABLE[:2], arn("glue", "table/db/*")]),
    ("ssm", "get_parameter", {"Name": "/app/x"}, "ssm:GetParameter", [arn("ssm", "parameter/app/x")]),
    ("ssm", "get_parameter", {"Name": "plain"}, "ssm:GetParameter", [arn("ssm", "parameter/plain")]),
    ("ssm", "get_parameters_by_path", {"Path": "/app"}, "ssm:GetParametersByPath", [arn("ssm", "parameter/app")]),
    ("ssm", "describe_parameters", {}, "ssm:DescribeParameters", ["*"]),
    ("cloudwatch", "put_metric_data", METRIC, "cloudwatch:PutMetricData", ["*"]),
    ("cloudwatch", "list_metrics", {}, "cloudwatch:ListMetrics", ["*"]),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a"]}, "cloudwatch:DeleteAlarms", [arn("cloudwatch", "alarm:a")]),
    (
        *("cloudwatch", "get_dashboard", {"DashboardName": "d"}, "cloudwatch:GetDashboard"),
        [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/d"],
    ),
    (
        *("logs", "create_log_stream", {"logGroupName": "/app", "logStreamName": "s"}, "logs:CreateLogStream"),
        [arn("logs", "log-group:/app:log-stream:s")],
    ),
    (
        *("logs", "filter_log_events", {"logGroupName": "/app"}, "logs:FilterLogEvents"),
        [arn("logs", "log-group:/app:log-stream:")],
    ),
    (
        *("logs", "start_query", {"logGroupName": "/app", "queryString": "limit 1", "startTime": 0, "endTime": 1}),
        *("logs:StartQuery", [arn("logs", "log-group:/app:log-stream:")]),
    ),
    ("logs", "stop_query", {"queryId": "q"}, "logs:StopQuery", ["*"]),
    ("logs", "describe_queries", {"logGroupName": "/app"}, "logs:DescribeQueries", ["*"]),
    ("logs", "describe_query_definitions", {}, "logs:DescribeQueryDefinitions", ["*"]),
    ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", [arn("logs", "log-group::log-stream:")]),
    (
        *("sagemaker", "describe_training_job", {"TrainingJobName": "j"}, "sagemaker:DescribeTrainingJob"),
        [arn("sagemaker", "training-job/j")],
    ),
    (
        *("sagemaker", "update_endpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
        *("sagemaker:UpdateEndpoint", [arn("sagemaker", "endpoint/e"), arn("sagemaker", "endpoint-config/c")]),
    ),
    (
        *("sagemaker", "describe_model_package", {"ModelPackageName": arn("sagemaker", "model-package/g/1")}),
        *("sagemaker:DescribeModelPackage", [arn("sagemaker", "model-package/g/1")]),
    ),
    ("sagemaker", "list_models", {}, "sagemaker:ListModels", ["*"]),
    (
        *("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}, "sagemaker:InvokeEndpoint"),
        [arn("sagemaker", "endpoint/e")],
    ),
    (
        *("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1,2", "ContentType": "text/csv"}),
        *("sagemaker:InvokeEndpoint", [arn("sagemaker", "endpoint/e")]),
    ),
    (
        *("sagemaker-runtime", "invoke_endpoint"),
        {"EndpointName": "e", "Body": b"a=1", "ContentType": "application/x-www-form-urlencoded"},
        *("sagemaker:InvokeEndpoint", [arn("sagemaker", "endpoint/e")]),
    ),
    ("iam", "get_role", {"RoleName": "jobs"}, "iam:GetRole", [f"{ROLE}/app/jobs"]),
    ("iam", "list_roles", {}, "iam:ListRoles", ["*"]),
    ("sns", "publish", {"TopicArn": arn("sns", "topic"), "Message": "m"}, "sns:Publish", [arn("sns", "topic")]),
    ("events", "describe_rule", {"Name": "rule"}, "events:DescribeRule", [arn("events", "rule/rule")]),
    ("ecr", "describe_images", {"repositoryName": "rep"}, "ecr:DescribeImages", [arn("ecr", "repository/rep")]),
    ("stepfunctions", "list_state_machines", {}, "states:ListStateMachines", ["*"]),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "action", "resources"), CALLS)
def test_a_call_needs_its_action_on_its_resources(
    user: User, service: str, operation: str, arguments: dict[str, Any], action: str, resources: list[str]
) -> None:
    call = getattr(user.may(allow(action, resources)).client(service), operation)
    assert answer(call, **arguments)[0] not in DENIED
    for resource in resources:
        others = (
            {"Effect": "Allow", "Action": "*", "NotResource": resource} if resource != "*" else allow("none:Nothing")
        )
        user.may(others)
        code, message = answer(call, **arguments)
        assert code in DENIED
        if message != "Forbidden":  # HEAD's answers have no body
            assert message.replace('"', "") == (
                f"User: {user.arn} is not authorized to perform: {action} on resource: {resource} because no "
                f"identity-based policy allows the {action} action"
            )


def test_s3_and_the_protocols_refuse_with_the_codes_that_aws_has(user: User) -> None:
    user.may()
    refused = {
        "s3": lambda client: client.list_buckets(),
        "iam": lambda client: client.list_roles(),
        "sns": lambda client: client.list_topics(),
        "ssm": lambda client: client.describe_parameters(),
        "cloudwatch": lambda client: client.list_metrics(),
        "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="e", Body=b""),
        "lambda": lambda client: client.list_functions(),
    }
    answers = {}
    for service, call in refused.items():
        with pytest.raises(ClientError) as error:
            call(user.client(service))
        answers[service] = (
            error.value.response["Error"]["Code"],
            error.value.response["ResponseMetadata"]["HTTPStatusCode"],
        )
    assert answers == {
        "s3": ("AccessDenied", 403),
        "iam": ("AccessDenied", 403),
        "sns": ("AuthorizationError", 403),
        "ssm": ("AccessDeniedException", 400),
        "cloudwatch": ("AccessDenied", 403),
        "sagemaker-runtime": ("AccessDeniedException", 403),
        "lambda": ("AccessDeniedException", 403),
    }


def test_keys_that_aws_has_not_given_out_are_refused_and_others_are_the_root_users(platform: Any) -> None:
    nobody = Caller({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"})
    assert answer(nobody.client("s3").list_buckets)[0] == "InvalidAccessKeyId"
    assert answer(nobody.client("ssm").describe_parameters)[0] == "UnrecognizedClientException"
    assert answer(nobody.client("iam").list_roles)[0] == "InvalidClientTokenId"
    assert answer(nobody.client("lambda").list_functions)[0] == "UnrecognizedClientException"
    anybody = Caller({"AccessKeyId": "local", "SecretAccessKey": "x"})
    assert anybody.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert answer(anybody.client("iam").list_roles) == ("", "")


def test_a_users_key_that_is_off_or_deleted_is_refused(platform: Any) -> None:
    iam, bob = boto3.client("iam"), User("bob").may(allow("*"))
    [key] = [key["AccessKeyId"] for key in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]]
    for change in (iam.update_access_key, iam.delete_access_key):
        assert answer(bob.client("ssm").describe_parameters) == ("", "")
        change(UserName="bob", AccessKeyId=key, **({"Status": "Inactive"} if change == iam.update_access_key else {}))
        assert answer(bob.client("ssm").describe_parameters)[0] == "UnrecognizedClientException"
        if change == iam.update_access_key:
            iam.update_access_key(UserName="bob", AccessKeyId=key, Status="Active")


def test_nobody_has_to_be_allowed_to_ask_who_they_are(user: User) -> None:
    assert user.may().client("sts").get_caller_identity()["Arn"] == user.arn


def test_a_refused_call_changes_nothing_and_is_refused_before_it_is_looked_at(user: User) -> None:
    user.may(allow("s3:GetObject"))
    assert answer(user.client("s3").put_object, Bucket="data", Key="silver/a", Body=b"spoilt")[0] == "AccessDenied"
    assert boto3.client("s3").get_object(Bucket="data", Key="silver/a")["Body"].read() != b"spoilt"
    unchecked = user.client("sagemaker", parameter_validation=False)
    assert answer(unchecked.create_training_job, TrainingJobName="!")[0] == "AccessDeniedException"
    assert answer(boto3.client("sagemaker").list_training_jobs) == ("", "")
    assert boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_what_is_in_no_region_and_another_account_is_judged_too(user: User) -> None:
    sagemaker = user.may(allow("*")).client("sagemaker")
    nowhere = {"ResourceArn": "arn:aws:sagemaker:mars-1:123456789012:model/m"}
    assert answer(sagemaker.list_tags, **nowhere)[0] == "ValidationException"
    theirs = {"ResourceArn": "arn:aws:sagemaker:us-east-1:210987654321:model/m"}
    assert answer(sagemaker.list_tags, **theirs)[1].endswith(
        "because no resource-based policy allows the sagemaker:ListTags action"
    )


def test_an_operation_that_no_table_knows_is_judged_by_its_name(user: User) -> None:
    sfn, args = user.client("secretsmanager"), {"SecretId": "s"}
    assert (
        answer(user.may(allow("secretsmanager:GetSecretValue")).client("secretsmanager").get_secret_value, **args)[0]
        == "ResourceNotFoundException"
    )
    assert answer(user.may(allow("secretsmanager:ListSecrets")) and sfn.get_secret_value, **args)[0] in DENIED


def test_each_call_is_a_line_of_the_record(user: User, calls_file: Any) -> None:
    user.may(allow("s3:ListAllMyBuckets"))
    user.client("s3", user_agent_extra="recorded/1").list_buckets()
    answer(user.client("ssm", user_agent_extra="recorded/1").get_parameter, Name="/app/x")
    boto3.client("sts", config=Config(user_agent_extra="recorded/1")).get_caller_identity()
    lines = [json.loads(line) for line in calls_file.read_text().splitlines()]
    mine = [line for line in lines if "recorded/1" in line.pop("user_agent")]
    times = [line.pop("time") for line in lines]
    assert times == sorted(times) and times[-1].endswith("Z")
    listed = {"caller": user.arn, "action": "s3:ListAllMyBuckets", "resource": "*", "allowed": True, "service": "s3"}
    parameter = arn("ssm", "parameter/app/x")
    got = {"caller": user.arn, "action": "ssm:GetParameter", "resource": parameter, "allowed": False, "service": "ssm"}
    assert mine == [listed, got]
