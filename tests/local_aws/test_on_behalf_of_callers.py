"""With --enforce-iam, queries do only what their caller may do, objects under a key are for whom the key is for, and
services do for themselves what resources' policies let them."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from roles import ACCOUNT, ARN, BUCKET, Somebody, Statements, allow, by_s3, encrypted_bucket, not_allowed, role, without
from sagemaker_requests import eventually

GLUE = f"arn:aws:glue:us-east-1:{ACCOUNT}"


@pytest.fixture(scope="module")
def key(enforced: object) -> str:
    """The ARN of the key that everything in the bucket is under."""
    return encrypted_bucket({"flights/a.csv": b"UA,1\n"})


@pytest.fixture(scope="module")
def of_an_analyst(key: str) -> Statements:
    """All that it takes to query the table flights, to change it, and to read the results."""
    lake = [f"{GLUE}:catalog", f"{GLUE}:database/lake"]
    return {
        "query": allow("athena:*", "*"),
        "default": allow("glue:GetDatabase", f"{GLUE}:catalog", f"{GLUE}:database/default"),
        "database": allow("glue:GetDatabase", *lake),
        "table": allow("glue:GetTable", *lake, f"{GLUE}:table/lake/flights"),
        "partitions": allow("glue:GetPartitions", *lake, f"{GLUE}:table/lake/flights"),
        "drop": allow("glue:DeletePartition", *lake, f"{GLUE}:table/lake/flights"),
        "find": allow("s3:ListBucket", ARN, StringLike={"s3:prefix": "flights/*"}),
        "read": allow("s3:GetObject", f"{ARN}/flights/*"),
        "results": allow("s3:GetObject", f"{ARN}/results/*"),
        "locate": allow("s3:GetBucketLocation", ARN),
        "write": allow("s3:PutObject", f"{ARN}/results/*"),
        "decrypt": by_s3("Decrypt", key),
        "encrypt": by_s3("GenerateDataKey", key),
    }


@pytest.fixture(scope="module")
def flights(key: str) -> None:
    """The table, with a partition of one row, which root has queried before anybody else."""
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}
    storage = {
        "Columns": [{"Name": "carrier", "Type": "string"}, {"Name": "delay", "Type": "string"}],
        "Location": f"s3://{BUCKET}/flights/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": serde,
    }
    table = {"Name": "flights", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "month", "Type": "string"}]}
    glue.create_table(DatabaseName="lake", TableInput=table)
    glue.create_partition(
        DatabaseName="lake", TableName="flights", PartitionInput={"Values": ["1"], "StorageDescriptor": storage}
    )
    assert query(boto3.client("athena"))["State"] == "SUCCEEDED"


def query(athena: Any, sql: str = "select carrier from flights") -> dict[str, Any]:
    """The Status of the query once it has ended, and its id."""
    started = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": "lake"},
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
    )
    query_id = started["QueryExecutionId"]
    ended: dict[str, Any] = eventually(
        lambda: boto3.client("athena").get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"],
        lambda status: status["State"] in ("SUCCEEDED", "FAILED"),
    )
    return {**ended, "Id": query_id}


def glue_says(name: str, action: str, resource: str) -> str:
    """What Athena hands on of Glue's refusal."""
    said = not_allowed(f"{name}/somebody", f"glue:{action}", resource)
    return f"{said} (Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException; Request ID: "


INSUFFICIENT = "Insufficient permissions to execute the query. "
UNWRITTEN = "Access denied when writing output to url: s3://on-behalf/results/"
QUERIES = {
    "default": INSUFFICIENT + glue_says("asks-default", "GetDatabase", f"{GLUE}:database/default"),
    "database": INSUFFICIENT + glue_says("asks-database", "GetDatabase", f"{GLUE}:database/lake"),
    "table": INSUFFICIENT + glue_says("asks-table", "GetTable", f"{GLUE}:catalog"),
    "partitions": INSUFFICIENT + glue_says("asks-partitions", "GetPartitions", f"{GLUE}:catalog"),
    "find": "Permission denied on S3 path: s3://on-behalf/flights/",
    "read": "Permission denied on S3 path: s3://on-behalf/flights/a.csv",
    "decrypt": "Permission denied on S3 path: s3://on-behalf/flights/a.csv",
    "write": UNWRITTEN,
    "encrypt": UNWRITTEN,
}


@pytest.mark.parametrize("missing", QUERIES)
def test_a_query_fails_without_a_permission_of_its_caller(
    of_an_analyst: Statements, flights: None, missing: str
) -> None:
    analyst = Somebody(role(f"asks-{missing}", without(of_an_analyst, missing)))
    status = query(analyst.client("athena"))
    assert status["State"] == "FAILED" and status["StateChangeReason"].startswith(QUERIES[missing])


def test_a_query_needs_no_more_than_that(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("analyst", of_an_analyst)).client("athena")
    rows = athena.get_query_results(QueryExecutionId=query(athena)["Id"])["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["carrier", "UA"]


def test_results_are_read_with_the_permissions_of_whoever_asks(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("blind-analyst", without(of_an_analyst, "results"))).client("athena")
    with pytest.raises(ClientError, match="Access denied when reading results from s3://on-behalf/results/"):
        athena.get_query_results(QueryExecutionId=query(athena)["Id"])


def test_a_query_is_not_started_without_the_place_of_its_results_bucket(
    of_an_analyst: Statements, flights: None
) -> None:
    athena = Somebody(role("lost", without(of_an_analyst, "locate"))).client("athena")
    with pytest.raises(ClientError, match="Unable to verify/create output bucket on-behalf"):
        query(athena)


def test_ddl_fails_as_hives_does(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("dropper", without(of_an_analyst, "drop"))).client("athena")
    status = query(athena, "alter table flights drop partition (month = '1')")
    assert status["StateChangeReason"].startswith(
        "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. MetaException(message:"
        + glue_says("dropper", "DeletePartition", f"{GLUE}:catalog")
    )


def test_athenas_catalog_is_glues_with_glues_permissions(of_an_analyst: Statements, flights: None) -> None:
    athena = Somebody(role("looker", without(of_an_analyst, "table"))).client("athena")
    asked = {"CatalogName": "AwsDataCatalog", "DatabaseName": "lake"}
    assert athena.get_database(**asked)["Database"]["Name"] == "lake"
    with pytest.raises(ClientError) as refused:
        athena.get_table_metadata(**asked, TableName="flights")
    assert refused.value.response["Error"]["Code"] == "MetadataException"
    assert refused.value.response["Error"]["Message"].startswith(glue_says("looker", "GetTable", f"{GLUE}:catalog"))


# Keys


def test_an_object_is_read_by_whoever_may_use_its_key(key: str) -> None:
    reads = {"read": allow(["s3:GetObject", "s3:PutObject"], f"{ARN}/*")}
    blind, reader = Somebody(role("keyless", reads)), Somebody(role("reader", {**reads, "key": by_s3("Decrypt", key)}))
    place = {"Bucket": BUCKET, "Key": "flights/a.csv"}
    assert blind.client("s3").head_object(**place)["SSEKMSKeyId"] == key
    with pytest.raises(ClientError, match=r"\(AccessDenied\).*keyless/somebody is not authorized to perform: kms:Dec"):
        blind.client("s3").get_object(**place)
    assert reader.client("s3").get_object(**place)["Body"].read() == b"UA,1\n"
    with pytest.raises(ClientError, match=r"\(AccessDenied\).*reader/somebody is not authorized to perform: kms:Gen"):
        reader.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"")


def test_a_keys_own_policy_may_let_a_role_use_it_or_nobody(key: str) -> None:
    s3, kms = boto3.client("s3"), boto3.client("kms")
    arn = role("named", {"read": allow(["s3:GetObject", "s3:PutObject"], f"{ARN}/*"), "key": allow("kms:*", "*")})
    manage = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:Put*"}
    own = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [{**manage, "Resource": "*"}]}))
    own_arn = own["KeyMetadata"]["Arn"]
    s3.put_object(Bucket=BUCKET, Key="closed", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=own_arn)
    client = Somebody(arn).client("s3")
    with pytest.raises(ClientError, match="because no resource-based policy allows the kms:Decrypt action"):
        client.get_object(Bucket=BUCKET, Key="closed")
    use = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [{**manage, "Resource": "*"}, use]}
    kms.put_key_policy(KeyId=own_arn, PolicyName="default", Policy=json.dumps(policy))
    assert client.get_object(Bucket=BUCKET, Key="closed")["Body"].read() == b"x"


# Services for themselves


def test_an_alarm_publishes_as_the_topics_policy_and_that_of_its_key_let_it(key: str) -> None:
    sns, cloudwatch = boto3.client("sns"), boto3.client("cloudwatch")
    lets = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    outcomes = []
    for name, statement, attributes in (
        ("open", lets, {}),
        ("closed", {**lets, "Principal": {"Service": "events.amazonaws.com"}}, {}),
        ("locked", lets, {"KmsMasterKeyId": key}),
    ):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        topic = sns.create_topic(Name=name, Attributes={**attributes, "Policy": policy})["TopicArn"]
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmActions=[topic],
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
        history = eventually(lambda name=name: actions(cloudwatch, name), bool)
        outcomes.append(history[0]["HistorySummary"].replace(topic, "T"))
    denied = 'Failed to execute action T. Received error: "CloudWatch Alarms is not authorized to perform:'
    assert outcomes[0] == "Successfully executed action T"
    assert outcomes[1].startswith(f"{denied} sns:Publish on resource: T because no resource-based policy allows")
    assert outcomes[2].startswith(f"{denied} kms:GenerateDataKey on resource: {key} because no resource-based policy")


def actions(cloudwatch: Any, alarm: str) -> list[dict[str, Any]]:
    """What the alarm has done."""
    found: list[dict[str, Any]] = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    return found


def test_a_log_group_is_under_a_key_that_lets_cloudwatch_logs_use_it(key: str) -> None:
    kms, logs = boto3.client("kms"), boto3.client("logs")
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:secret"
    with pytest.raises(ClientError) as refused:
        logs.create_log_group(logGroupName="secret", kmsKeyId=key)
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
    }
    use = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:*"}},
    }
    letting = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [use]}))["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="secret", kmsKeyId=letting)
    assert logs.describe_log_groups(logGroupNamePrefix="secret")["logGroups"][0]["kmsKeyId"] == letting
