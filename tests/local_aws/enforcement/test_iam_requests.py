"""What a request is about, as policies see it: conditions, objects, keys, roles handed on, tags."""

import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from judged import BUCKET, METRIC, OBJECT, REGION, ROLE, User, allow, answer, arn, document
from own_server import OwnServer


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
