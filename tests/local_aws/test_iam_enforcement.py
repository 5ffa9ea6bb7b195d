"""Calls judged by the policies of their callers: what is allowed, what is refused, and how."""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from own_server import OwnServer

REGION, ACCOUNT = "us-east-1", "123456789012"
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
TRUSTING_ACCOUNT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


class Caller:
    """Somebody with access keys, and clients that sign by them."""

    def __init__(self, keys: Any) -> None:
        self._session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"), region_name=REGION
        )

        self._clients: dict[str, Any] = {}

    def client(self, service: str, **config: Any) -> Any:
        name = f"{service} {config}"
        if name not in self._clients:
            once = Config(retries={"total_max_attempts": 1}, **config)
            self._clients[name] = self._session.client(service, config=once)
        return self._clients[name]


class User(Caller):
    """A user with one policy."""

    def __init__(self, name: str) -> None:
        self.name, self.iam = name, boto3.client("iam")
        self.arn = self.iam.create_user(UserName=name)["User"]["Arn"]
        super().__init__(self.iam.create_access_key(UserName=name)["AccessKey"])

    def may(self, *statements: dict[str, Any]) -> "User":
        """This user, who may do just that from now on."""
        allowed = document(*statements or [allow("none:Nothing")])
        self.iam.put_user_policy(UserName=self.name, PolicyName="only", PolicyDocument=allowed)
        return self


@pytest.fixture(scope="module")
def calls_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("calls") / "calls.jsonl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, calls_file: Any) -> Iterator[OwnServer]:
    with pytest.MonkeyPatch.context() as patch:
        options = ("--enforce-iam", "--record-calls", str(calls_file))
        own = OwnServer(tmp_path_factory.mktemp("local_aws") / "state", patch, *options)
        yield own
        own.end("SIGTERM")


@pytest.fixture(scope="module")
def platform(server: OwnServer) -> dict[str, str]:
    """What the calls are about, laid by the root user."""
    boto3.client("s3").create_bucket(Bucket="data")
    boto3.client("s3").put_object(Bucket="data", Key="silver/a", Body=b"content")
    boto3.client("glue").create_database(DatabaseInput={"Name": "db"})
    boto3.client("glue").create_table(DatabaseName="db", TableInput={"Name": "t", "StorageDescriptor": {"Columns": []}})
    boto3.client("athena").create_work_group(Name="wg")
    boto3.client("ssm").put_parameter(Name="/app/x", Value="1", Type="String")
    boto3.client("logs").create_log_group(logGroupName="/app")
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    boto3.client("kms").create_alias(AliasName="alias/app", TargetKeyId=key)
    boto3.client("sns").create_topic(Name="topic")
    boto3.client("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
    boto3.client("iam").create_role(
        RoleName="jobs", Path="/app/", AssumeRolePolicyDocument=trust({"Service": "sagemaker.amazonaws.com"})
    )
    return {"key": key}


@pytest.fixture(scope="module")
def user(platform: dict[str, str]) -> User:
    return User("alice")


def answer(call: Any, **arguments: Any) -> tuple[str, str]:
    """The code and text of the error that a call answers with; empty where it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return "", ""


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


TABLE = [arn("glue", name) for name in ("catalog", "database/db", "table/db/t")]
METRIC = {"Namespace": "App", "MetricData": [{"MetricName": "m", "Value": 1.0}]}
OBJECT, BUCKET = "arn:aws:s3:::data/silver/a", "arn:aws:s3:::data"
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


def new_role(trusted: str, *statements: dict[str, Any]) -> str:
    """The ARN of a role with one policy, if any."""
    name, iam = f"role-{uuid.uuid4().hex[:8]}", boto3.client("iam")
    role_arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=document(*statements))
    return str(role_arn)


def assume(who: Any, role_arn: str, **arguments: Any) -> Caller:
    assumed = who.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="night-run", **arguments)
    return Caller(assumed["Credentials"])


def test_a_role_is_assumed_by_its_trust_and_the_callers_policies(user: User) -> None:
    trusting = new_role(trust(TRUSTING_ACCOUNT), allow("s3:ListAllMyBuckets"))
    by_name, other = new_role(trust({"AWS": user.arn})), new_role(trust({"Service": "sagemaker.amazonaws.com"}))
    sts = user.may(allow("s3:*")).client("sts")
    assert answer(sts.assume_role, RoleArn=trusting, RoleSessionName="run")[1].endswith(
        "because no identity-based policy allows the sts:AssumeRole action"
    )
    assert answer(sts.assume_role, RoleArn=by_name, RoleSessionName="run") == ("", "")
    user.may(allow("sts:AssumeRole", f"{ROLE}/role-*"))
    assert answer(sts.assume_role, RoleArn=trusting, RoleSessionName="run") == ("", "")
    assert answer(sts.assume_role, RoleArn=other, RoleSessionName="run")[1].endswith(
        "because no resource-based policy allows the sts:AssumeRole action"
    )
    assert answer(sts.assume_role, RoleArn=f"{ROLE}/role-of-nobody", RoleSessionName="run")[0] == "AccessDenied"


def test_a_session_may_what_its_role_may_and_is_named_in_messages(user: User) -> None:
    role_arn = new_role(trust(TRUSTING_ACCOUNT), allow("s3:GetObject", OBJECT))
    session = assume(user.may(allow("sts:AssumeRole", role_arn)), role_arn)
    assert session.client("s3").get_object(Bucket="data", Key="silver/a")["ContentLength"] > 0
    name = role_arn.rpartition("/")[2]
    assert answer(session.client("s3").list_buckets)[1].startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/night-run is not authorized to perform: s3:ListAllMyBuckets"
    )


def test_the_root_user_assumes_roles_too(platform: Any) -> None:
    role_arn = new_role(trust({"Service": "sagemaker.amazonaws.com"}), allow("ssm:DescribeParameters"))
    session = assume(Caller({"AccessKeyId": "test", "SecretAccessKey": "test"}), role_arn)
    assert answer(session.client("ssm").describe_parameters) == ("", "")
    assert answer(session.client("iam").list_roles)[0] == "AccessDenied"


def test_a_trust_policys_conditions_hold(user: User) -> None:
    secret = {"StringEquals": {"sts:ExternalId": "secret"}}
    role_arn = new_role(trust({"AWS": user.arn}, Condition=secret))
    sts = user.may().client("sts")
    assert answer(sts.assume_role, RoleArn=role_arn, RoleSessionName="run")[0] == "AccessDenied"
    assert answer(sts.assume_role, RoleArn=role_arn, RoleSessionName="run", ExternalId="secret") == ("", "")


@pytest.mark.parametrize("how", ["Policy", "PolicyArns"])
def test_a_session_policy_narrows_a_session(platform: Any, how: str) -> None:
    role_arn, narrow = new_role(trust(TRUSTING_ACCOUNT), allow("s3:*")), document(allow("s3:GetObject", OBJECT))
    if how == "PolicyArns":
        made = boto3.client("iam").create_policy(PolicyName=f"n-{uuid.uuid4().hex[:8]}", PolicyDocument=narrow)
    policy: Any = narrow if how == "Policy" else [{"arn": made["Policy"]["Arn"]}]
    session = assume(boto3, role_arn, **{how: policy})
    assert answer(session.client("s3").get_object, Bucket="data", Key="silver/a") == ("", "")
    assert answer(session.client("s3").list_buckets)[1].endswith(
        "because no session policy allows the s3:ListAllMyBuckets action"
    )


def test_a_sessions_tags_fill_policies_variables(platform: Any) -> None:
    own = allow("s3:PutObject", "arn:aws:s3:::data/teams/${aws:PrincipalTag/team}/*")
    role_arn = new_role(trust(TRUSTING_ACCOUNT, ["sts:AssumeRole", "sts:TagSession"]), own)
    session = assume(boto3, role_arn, Tags=[{"Key": "team", "Value": "red"}])
    assert answer(session.client("s3").put_object, Bucket="data", Key="teams/red/x") == ("", "")
    assert answer(session.client("s3").put_object, Bucket="data", Key="teams/blue/x")[0] == "AccessDenied"


def test_a_session_token_has_to_be_its_keys_and_of_this_hour(platform: Any) -> None:
    role_arn = new_role(trust(TRUSTING_ACCOUNT), allow("*"))
    keys = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="run")["Credentials"]
    wrong = Caller({**keys, "SessionToken": "other"})
    assert answer(wrong.client("s3").list_buckets)[0] == "InvalidToken"
    assert answer(wrong.client("ssm").describe_parameters)[0] == "UnrecognizedClientException"
    short = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="run", DurationSeconds=900)["Credentials"]
    assert 800 < short["Expiration"].timestamp() - time.time() <= 900


def test_a_users_own_session_is_the_users(user: User) -> None:
    keys = user.may(allow("s3:ListAllMyBuckets")).client("sts").get_session_token()["Credentials"]
    session = Caller(keys)
    assert session.client("sts").get_caller_identity()["Arn"] == user.arn
    assert answer(session.client("s3").list_buckets) == ("", "")
    assert answer(session.client("ssm").describe_parameters)[0] == "AccessDeniedException"


def test_a_permissions_boundary_limits_a_role(platform: Any) -> None:
    iam, role_arn = boto3.client("iam"), new_role(trust(TRUSTING_ACCOUNT), allow("*"))
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role_arn.rpartition("/")[2], PermissionsBoundary=limit)
    session = assume(boto3, role_arn)
    assert answer(session.client("s3").list_buckets) == ("", "")
    assert answer(session.client("ssm").describe_parameters)[1].endswith(
        "because no permissions boundary allows the ssm:DescribeParameters action"
    )


def test_a_groups_and_an_attached_policy_count(user: User) -> None:
    iam = boto3.client("iam")
    user.may()
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document(allow("ssm:DescribeParameters")))
    attached = iam.create_policy(PolicyName="lists", PolicyDocument=document(allow("iam:ListRoles")))["Policy"]["Arn"]
    iam.add_user_to_group(GroupName="readers", UserName=user.name)
    iam.attach_user_policy(UserName=user.name, PolicyArn=attached)
    assert answer(user.client("ssm").describe_parameters) == answer(user.client("iam").list_roles) == ("", "")
    iam.remove_user_from_group(GroupName="readers", UserName=user.name)
    iam.detach_user_policy(UserName=user.name, PolicyArn=attached)
    assert answer(user.client("ssm").describe_parameters)[0] == "AccessDeniedException"
    assert answer(user.client("iam").list_roles)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "namespace", "allowed"),
    [
        ({"StringEquals": {"cloudwatch:namespace": "App"}}, "App", True),
        ({"StringEquals": {"cloudwatch:namespace": "App"}}, "Other", False),
        ({"StringLike": {"cloudwatch:namespace": "Ap*"}}, "App", True),
        ({"Bool": {"aws:SecureTransport": "true"}}, "App", True),
        ({"StringEquals": {"aws:RequestedRegion": REGION}}, "App", True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "App", False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "App", True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "App", False),
        ({"StringEquals": {"aws:username": "alice"}}, "App", True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/bob"}}, "App", False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, "App", True),
    ],
)
def test_a_condition_is_about_the_request(user: User, condition: Any, namespace: str, allowed: bool) -> None:
    user.may(allow("cloudwatch:PutMetricData", Condition=condition))
    answered = answer(user.client("cloudwatch").put_metric_data, **{**METRIC, "Namespace": namespace})
    assert (answered == ("", "")) is allowed


def test_a_model_of_an_endpoint_is_named_in_a_header(user: User) -> None:
    user.may(allow("sagemaker:InvokeEndpoint", Condition={"StringEquals": {"sagemaker:TargetModel": "a.tar.gz"}}))
    invoke = user.client("sagemaker-runtime").invoke_endpoint
    for model, refused in (("a.tar.gz", False), ("b.tar.gz", True)):
        code = answer(invoke, EndpointName="e", Body=b"not Base64!", TargetModel=model)[0]
        assert (code == "AccessDeniedException") is refused


def test_a_request_that_its_client_has_compressed_is_read_too(user: User) -> None:
    user.may(allow("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "App"}}))
    many = [{"MetricName": f"a-rather-long-name-of-a-metric-{number}", "Value": 1.0} for number in range(400)]
    put = user.client("cloudwatch", request_min_compression_size_bytes=100).put_metric_data
    assert answer(put, Namespace="App", MetricData=many) == ("", "")
    assert answer(put, Namespace="Other", MetricData=many)[0] == "AccessDenied"


def test_a_bucket_is_listed_under_the_allowed_prefix_only(user: User) -> None:
    prefix = {"StringLike": {"s3:prefix": "silver/*"}}
    s3 = user.may(allow("s3:ListBucket", BUCKET, Condition=prefix)).client("s3")
    assert s3.list_objects_v2(Bucket="data", Prefix="silver/")["KeyCount"] >= 1
    assert answer(s3.list_objects_v2, Bucket="data", Prefix="gold/")[0] == "AccessDenied"
    assert answer(s3.list_objects_v2, Bucket="data")[0] == "AccessDenied"


def test_a_copy_needs_leave_to_read_and_to_write(user: User) -> None:
    copy = {"Bucket": "data", "Key": "copy", "CopySource": {"Bucket": "data", "Key": "silver/a"}}
    read, write = allow("s3:GetObject", OBJECT), allow("s3:PutObject", f"{BUCKET}/copy")
    assert "s3:GetObject" in answer(user.may(write).client("s3").copy_object, **copy)[1]
    assert "s3:PutObject" in answer(user.may(read).client("s3").copy_object, **copy)[1]
    assert answer(user.may(read, write).client("s3").copy_object, **copy) == ("", "")


def test_of_many_objects_those_are_deleted_that_may_be(user: User) -> None:
    root = boto3.client("s3")
    for key in ("del/a", "keep/a"):
        root.put_object(Bucket="data", Key=key, Body=b"")
    s3 = user.may(allow("s3:DeleteObject", f"{BUCKET}/del/*")).client("s3")
    deleted = s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "del/a"}, {"Key": "keep/a"}]})
    assert [one["Key"] for one in deleted["Deleted"]] == ["del/a"]
    assert [(one["Key"], one["Code"]) for one in deleted["Errors"]] == [("keep/a", "AccessDenied")]
    assert root.head_object(Bucket="data", Key="keep/a")["ContentLength"] == 0


def test_that_an_object_is_missing_is_told_to_who_may_list(user: User) -> None:
    missing = {"Bucket": "data", "Key": "silver/missing"}
    read = allow("s3:GetObject", f"{BUCKET}/*")
    assert "s3:ListBucket" in answer(user.may(read).client("s3").get_object, **missing)[1]
    assert answer(user.client("s3").head_object, **missing)[0] == "403"
    s3 = user.may(read, allow("s3:ListBucket", BUCKET)).client("s3")
    assert answer(s3.get_object, **missing)[0] == "NoSuchKey"
    assert answer(s3.head_object, **missing)[0] == "404"


def test_a_version_has_actions_of_its_own(user: User) -> None:
    root = boto3.client("s3")
    root.create_bucket(Bucket="versioned")
    root.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    version = {"Bucket": "versioned", "Key": "k"}
    version["VersionId"] = root.put_object(**version, Body=b"1")["VersionId"]
    s3 = user.may(allow(["s3:GetObject", "s3:DeleteObject"])).client("s3")
    assert "s3:GetObjectVersion" in answer(s3.get_object, **version)[1]
    assert "s3:DeleteObjectVersion" in answer(s3.delete_object, **version)[1]
    user.may(allow(["s3:GetObjectVersion", "s3:DeleteObjectVersion"]))
    assert answer(s3.get_object, **version) == answer(s3.delete_object, **version) == ("", "")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_may_what_its_signer_may(user: User, version: str) -> None:
    s3 = user.may(allow("s3:GetObject", OBJECT)).client("s3", signature_version=version)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "data", "Key": "silver/a"})
    with urllib.request.urlopen(url) as got:
        assert got.status == 200
    user.may()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    assert refused.value.code == 403 and b"<Code>AccessDenied</Code>" in refused.value.read()


def test_who_does_not_sign_reads_what_a_bucket_gives_everybody(server: OwnServer, platform: Any) -> None:
    root, url = boto3.client("s3"), boto3.client("s3").meta.endpoint_url
    root.create_bucket(Bucket="open")
    root.put_object(Bucket="open", Key="k", Body=b"hello")
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(f"{url}/open/k")
    assert b"<Message>Access Denied</Message>" in refused.value.read()
    everybody = {**allow("s3:GetObject", "arn:aws:s3:::open/*"), "Principal": "*"}
    root.put_bucket_policy(Bucket="open", Policy=document(everybody))
    assert urllib.request.urlopen(f"{url}/open/k").read() == b"hello"


def test_a_buckets_policy_gives_and_denies_by_name(user: User) -> None:
    root, theirs = boto3.client("s3"), {"Bucket": "named", "Key": "k"}
    root.create_bucket(Bucket="named")
    root.put_object(**theirs, Body=b"")
    s3, named = user.may().client("s3"), {"Principal": {"AWS": user.arn}}
    objects = allow("s3:GetObject", "arn:aws:s3:::named/*")
    root.put_bucket_policy(Bucket="named", Policy=document({**objects, **named}))
    assert answer(s3.get_object, **theirs) == ("", "")
    root.put_bucket_policy(Bucket="named", Policy=document({**objects, **named, "Effect": "Deny"}))
    user.may(allow("*"))
    assert answer(s3.get_object, **theirs)[1].endswith("with an explicit deny in a resource-based policy")
    assert answer(root.get_object, **theirs) == ("", "")


def test_a_key_is_used_by_its_own_policy_and_the_callers(user: User, platform: dict[str, str]) -> None:
    kms, use = user.may(allow("kms:Encrypt", platform["key"])).client("kms"), {"Plaintext": b"p"}
    for name in (platform["key"], platform["key"].rpartition("/")[2], "alias/app"):
        assert answer(kms.encrypt, KeyId=name, **use) == ("", "")
    blob = kms.encrypt(KeyId="alias/app", **use)["CiphertextBlob"]
    assert f"kms:Decrypt on resource: {platform['key']}" in answer(kms.decrypt, CiphertextBlob=blob)[1]
    locked = document({**allow("kms:*"), "Principal": {"AWS": f"{ROLE}/nobody"}})
    own = boto3.client("kms").create_key(Policy=locked)["KeyMetadata"]["Arn"]
    user.may(allow("kms:*"))
    assert answer(kms.encrypt, KeyId=own, **use)[1].endswith(
        "because no resource-based policy allows the kms:Encrypt action"
    )


MODEL = {"ModelName": "m", "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1"}}


def test_a_role_is_handed_to_a_service_by_leave_for_that_service(user: User) -> None:
    create = user.may(allow("sagemaker:CreateModel", arn("sagemaker", "model/m"))).client("sagemaker").create_model
    request = {**MODEL, "ExecutionRoleArn": f"{ROLE}/app/jobs"}
    assert f"iam:PassRole on resource: {ROLE}/app/jobs" in answer(create, **request)[1]
    for service, allowed in (("lambda.amazonaws.com", False), ("sagemaker.amazonaws.com", True)):
        to_service = {"StringEquals": {"iam:PassedToService": service}}
        user.may(allow("sagemaker:CreateModel"), allow("iam:PassRole", f"{ROLE}/app/*", Condition=to_service))
        code, message = answer(create, **request)
        assert (code != "AccessDeniedException") is allowed, message


def test_tags_given_with_a_resource_need_leave_and_then_decide_about_it(user: User) -> None:
    sagemaker, tags = user.client("sagemaker"), [{"Key": "team", "Value": "red"}]
    group = {"ModelPackageGroupName": "tagged", "Tags": tags}
    user.may(allow("sagemaker:CreateModelPackageGroup"))
    assert "sagemaker:AddTags" in answer(sagemaker.create_model_package_group, **group)[1]
    red = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    user.may(allow(["sagemaker:CreateModelPackageGroup", "sagemaker:AddTags"], Condition=red))
    assert answer(sagemaker.create_model_package_group, **group) == ("", "")
    other = {**group, "ModelPackageGroupName": "other", "Tags": [{"Key": "team", "Value": "blue"}]}
    assert answer(sagemaker.create_model_package_group, **other)[0] == "AccessDeniedException"
    for team, code in (("blue", "AccessDeniedException"), ("red", "")):
        owned = {"StringEquals": {"aws:ResourceTag/team": team}}
        user.may(allow("sagemaker:DescribeModelPackageGroup", Condition=owned))
        assert answer(sagemaker.describe_model_package_group, ModelPackageGroupName="tagged")[0] == code


def test_an_insights_querys_results_are_its_log_groups(user: User) -> None:
    root, logs = boto3.client("logs"), user.client("logs")
    query = {"queryString": "limit 1", "startTime": 0, "endTime": 1}
    results = {"queryId": root.start_query(logGroupName="/app", **query)["queryId"]}
    user.may(allow("logs:GetQueryResults", arn("logs", "log-group:/other:*")))
    assert arn("logs", "log-group:/app:log-stream:") in answer(logs.get_query_results, **results)[1]
    user.may(allow("logs:GetQueryResults", arn("logs", "log-group:/app:*")))
    assert answer(logs.get_query_results, **results) == ("", "")


def test_an_athena_query_is_its_workgroups(user: User) -> None:
    root, athena = boto3.client("athena"), user.client("athena")
    started = root.start_query_execution(
        QueryString="SELECT 1", WorkGroup="wg", ResultConfiguration={"OutputLocation": "s3://data/results/"}
    )
    query = {"QueryExecutionId": started["QueryExecutionId"]}
    user.may(allow("athena:GetQueryExecution", arn("athena", "workgroup/primary")))
    assert arn("athena", "workgroup/wg") in answer(athena.get_query_execution, **query)[1]
    user.may(allow("athena:GetQueryExecution", arn("athena", "workgroup/wg")))
    assert answer(athena.get_query_execution, **query) == ("", "")


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
