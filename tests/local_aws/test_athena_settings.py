"""A workgroup's settings, and those of a request, are obeyed by the queries they are about."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.athena.engine import Request
from local_aws.athena.queries import QueryExecution
from raw_requests import send


def make_group(lake: Any, **configuration: Any) -> str:
    """Name of a new workgroup with that configuration."""
    lake.athena.create_work_group(Name=lake.database, Configuration=configuration)
    return str(lake.database)


def head(lake: Any, location: str) -> dict[str, Any]:
    return dict(lake.s3.head_object(Bucket=lake.bucket, Key=location.split("/", 3)[3]))


def test_a_query_that_would_scan_more_than_the_cutoff_is_cancelled(lake: Any) -> None:
    group = make_group(lake, BytesScannedCutoffPerQuery=10_000_000)
    lake.run("create external table t (line string) partitioned by (day string) location 's3://{bucket}/t/'")
    for day, size in (("1", 10_000_000), ("2", 10)):
        lake.put(f"t/day={day}/a.txt", "x" * (size - 1) + "\n")
    lake.run("msck repair table t")
    done = lake.finished(lake.start("select max(length(line)) from t", WorkGroup=group))
    assert done["Status"]["State"] == "CANCELLED"
    assert done["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"
    assert lake.rows("select max(length(line)) from t where day = '1'", WorkGroup=group) == [("9999999",)]


def test_what_is_no_member_of_a_workgroups_configuration_is_not_kept(lake: Any, local_aws: Any) -> None:
    output = {"OutputLocation": f"s3://{lake.bucket}/results/"}
    asked = {
        "NoSuchMember": 1,
        "BytesScannedCutoffPerQuery": None,
        "ResultConfiguration": {**output, "NoSuchMember": 2},
    }
    for operation, name, member in (
        ("Create", "Name", "Configuration"),
        ("Update", "WorkGroup", "ConfigurationUpdates"),
    ):
        status, answer = send(local_aws.url, "athena", f"{operation}WorkGroup", {name: lake.database, member: asked})
        assert status == 200, answer
        _, answer = send(local_aws.url, "athena", "GetWorkGroup", {"WorkGroup": lake.database})
        assert b"NoSuchMember" not in answer
        assert json.loads(answer)["WorkGroup"]["Configuration"]["ResultConfiguration"] == output


@pytest.mark.parametrize(("option", "algorithm"), [("SSE_S3", "AES256"), ("SSE_KMS", "aws:kms")])
def test_results_and_new_tables_are_encrypted_as_asked(lake: Any, option: str, algorithm: str) -> None:
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"EncryptionOption": option} | ({"KmsKey": key} if option == "SSE_KMS" else {})
    output = f"s3://{lake.bucket}/enforced/"
    results = {"OutputLocation": output, "EncryptionConfiguration": encryption}
    group = make_group(lake, EnforceWorkGroupConfiguration=True, ResultConfiguration=results)
    done = lake.run("select 1", WorkGroup=group)
    assert done["ResultConfiguration"]["EncryptionConfiguration"] == encryption
    found = head(lake, done["ResultConfiguration"]["OutputLocation"])
    assert (found["ServerSideEncryption"], found.get("SSEKMSKeyId")) == (algorithm, encryption.get("KmsKey"))
    lake.run("create table copied as select 1 as a", WorkGroup=group)
    assert head(lake, f"s3://{lake.bucket}/{lake.keys('enforced/tables/')[0]}")["ServerSideEncryption"] == algorithm


def test_a_workgroup_that_says_where_results_lie_lets_no_query_place_a_table(lake: Any) -> None:
    own = {"OutputLocation": f"s3://{lake.bucket}/enforced/"}
    group = make_group(lake, EnforceWorkGroupConfiguration=True, ResultConfiguration=own)
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="enforces a centralized output location"):
        lake.start("create table t with (external_location = 's3://{bucket}/t/') as select 1 as a", WorkGroup=group)
    lake.run("create external table t (a int) stored as parquet location 's3://{bucket}/t/'", WorkGroup=group)
    lake.run("insert into t select 1", WorkGroup=group)
    assert len(lake.keys("t/")) == 1


def test_the_request_decides_where_the_workgroup_does_not_enforce(lake: Any) -> None:
    own = {"OutputLocation": f"s3://{lake.bucket}/own/", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    group = make_group(lake, EnforceWorkGroupConfiguration=False, ResultConfiguration=own)
    done = lake.run("select 1", WorkGroup=group)["ResultConfiguration"]
    assert done["OutputLocation"].startswith(f"s3://{lake.bucket}/results/")
    assert done["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}


def test_a_bucket_of_another_owner_than_expected_gets_no_result(lake: Any) -> None:
    started = lake.athena.start_query_execution(
        QueryString="select 1",
        ResultConfiguration={"OutputLocation": f"s3://{lake.bucket}/r/", "ExpectedBucketOwner": "999999999999"},
    )
    status = lake.finished(started["QueryExecutionId"])["Status"]
    assert (status["State"], status["AthenaError"]["ErrorType"]) == ("FAILED", 401)
    assert status["StateChangeReason"].startswith("Access denied when writing output to url")


def test_an_output_bucket_that_does_not_exist_is_refused(lake: Any) -> None:
    with pytest.raises(ClientError, match="Unable to verify/create output bucket nope-nope"):
        lake.athena.start_query_execution(
            QueryString="select 1", ResultConfiguration={"OutputLocation": "s3://nope-nope/"}
        )


def test_metrics_of_a_workgroups_queries_are_published_where_it_says_so(lake: Any) -> None:
    group = make_group(lake, PublishCloudWatchMetricsEnabled=True)
    lake.put("t/a.txt", "0123456789\n")
    lake.run("create external table t (line string) location 's3://{bucket}/t/'")
    lake.run("select * from t", WorkGroup=group)
    dimensions = {"QueryState": "SUCCEEDED", "QueryType": "DML", "WorkGroup": group}
    now = datetime.now(UTC)
    statistics = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Athena",
        MetricName="ProcessedBytes",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    assert [(point["Sum"], point["SampleCount"]) for point in statistics] == [(11.0, 1.0)]


def test_a_result_is_reused_only_where_the_request_allows_it(lake: Any) -> None:
    allowed = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    first = lake.run("select 1")
    again = lake.run("select 1")
    reused = lake.run("select 1", ResultReuseConfiguration=allowed)
    assert [query["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] for query in (again, reused)] == [
        False,
        True,
    ]
    assert reused["ResultConfiguration"]["OutputLocation"] == again["ResultConfiguration"]["OutputLocation"]
    assert reused["QueryExecutionId"] not in (first["QueryExecutionId"], again["QueryExecutionId"])
    assert reused["ResultReuseConfiguration"] == allowed
    assert lake.rows("select 1", ResultReuseConfiguration=allowed) == [("1",)]


def test_the_statistics_of_a_query_are_those_of_its_run(lake: Any) -> None:
    lake.put("t/a.txt", "one\ntwo\n")
    lake.run("create external table t (line string) location 's3://{bucket}/t/'")
    query = lake.run("select * from t")
    found = lake.athena.get_query_runtime_statistics(QueryExecutionId=query["QueryExecutionId"])
    statistics = found["QueryRuntimeStatistics"]
    assert statistics["Rows"] == {"InputBytes": 8, "OutputRows": 2}
    timeline = statistics["Timeline"]
    assert timeline["TotalExecutionTimeInMillis"] >= timeline["EngineExecutionTimeInMillis"]
    assert timeline["EngineExecutionTimeInMillis"] >= timeline["QueryPlanningTimeInMillis"]


def test_a_query_that_had_not_ended_has_failed_when_its_record_is_read_again() -> None:
    request = Request("id", "select 1", "default", "s3://b/")
    query = QueryExecution(request, {}, {}, "primary", {"Enabled": False})
    described = pickle.loads(pickle.dumps(query)).describe()
    assert described["Status"]["State"] == "FAILED"
    assert "local AWS ended while the query was running" in described["Status"]["StateChangeReason"]
