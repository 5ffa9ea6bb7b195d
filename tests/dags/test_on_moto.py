"""The steps that talk to AWS, on moto's mock."""

import io
import json
import os
import signal
import tarfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends

from flight_delay import spec
from silverline import bronze, evaluation, rollout, silver, source, sql
from silverline.platform import Platform
from silverline.rollout import Objection
from silverline.smoke_test import smoke_test

PLATFORM = Platform(
    environment="test",
    bronze_bucket="bronze",
    silver_bucket="silver",
    gold_bucket="gold",
    artifacts_bucket="artifacts",
    kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/k",
    bronze_database="test_bronze",
    silver_database="test_silver",
    gold_database="test_gold",
    athena_workgroup="primary",
    airflow_role_arn="arn:aws:iam::123456789012:role/airflow",
    sagemaker_jobs_role_arn="arn:aws:iam::123456789012:role/jobs",
    sagemaker_endpoint_role_arn="arn:aws:iam::123456789012:role/endpoint",
    endpoint_alarms={"flight_delay": ["canary-5xx"]},
    canary_seconds=0,
    model_package_groups={"flight_delay": "test-flight-delay"},
    alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms",
    log_group="/silverline/test/pipelines",
    sagemaker_image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
)
STAGE = spec.stages[-1]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in ("bronze", "silver", "artifacts"):
            s3.create_bucket(Bucket=bucket)
        boto3.client("glue").create_database(DatabaseInput={"Name": "test_silver"})
        yield


def put(key: str, body: str, bucket: str = "bronze") -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def keys(bucket: str) -> list[str]:
    return [item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def inventory(*tables: str) -> dict[str, dict[str, str]]:
    return bronze.inventory(bronze.files(PLATFORM, tables), tables)


def test_bronze_is_inventoried_by_month_and_table() -> None:
    put("flights/year=2013/month=01/flights.csv", "a")
    put("flights/year=2013/month=02/flights.csv", "b")
    put("weather/year=2013/month=01/weather.jsonl", "c")
    put("flights/README.txt", "not a month")
    months = inventory("flights", "weather")
    assert {month: sorted(tables) for month, tables in months.items()} == {
        "2013-01": ["flights", "weather"],
        "2013-02": ["flights"],
    }


def test_a_second_file_of_a_month_changes_its_hash() -> None:
    put("flights/year=2013/month=01/a.csv", "a")
    before = inventory("flights")
    put("flights/year=2013/month=01/b.csv", "b")
    assert inventory("flights") != before


def test_an_empty_file_is_no_file() -> None:
    put("flights/year=2013/month=01/flights.csv", "")
    assert inventory("flights") == {}


def test_a_reference_table_without_a_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="bronze.planes has no file under s3://bronze/planes/"):
        bronze.references(PLATFORM, [], ["planes"])


def test_files_that_came_went_or_were_replaced_since_the_plan_are_named() -> None:
    january, february = (f"flights/year=2013/month=0{number}/a.csv" for number in (1, 2))
    for key in (january, february, "planes/a.csv"):
        put(key, "as planned")
    manifest = bronze.manifest(PLATFORM, bronze.files(PLATFORM, ["flights", "planes"]), ["planes"], "2013-02")
    assert bronze.changed(PLATFORM, manifest, {None, "2013-01", "2013-02"}) == []
    put(january, "replaced")
    put("planes/b.csv", "came")
    boto3.client("s3").delete_object(Bucket="bronze", Key=february)
    assert bronze.changed(PLATFORM, manifest, {None, "2013-01", "2013-02"}) == [january, february, "planes/b.csv"]
    assert bronze.changed(PLATFORM, manifest, {"2013-03"}) == []


def stage_table(name: str, location: str, columns: tuple[str, ...] = ("distance_miles",)) -> None:
    boto3.client("glue").create_table(
        DatabaseName="test_silver",
        TableInput={
            "Name": name,
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": "double"} for column in columns],
                "Location": location,
            },
            "PartitionKeys": [{"Name": "month", "Type": "string"}],
        },
    )


def location_of(month: str) -> str:
    glue = boto3.client("glue")
    partition = glue.get_partition(DatabaseName="test_silver", TableName=STAGE.published[0], PartitionValues=[month])
    return partition["Partition"]["StorageDescriptor"]["Location"]


def test_publishing_moves_each_month_to_what_was_staged_and_leaves_the_others() -> None:
    table = STAGE.published[0]
    stage_table("first", "s3://silver/run-1/")
    silver.publish(PLATFORM, spec, STAGE, {"2013-01": "f1", "2013-02": "f2"}, {table: "first"})
    stage_table("second", "s3://silver/run-2", ("distance_miles", "seats"))
    silver.publish(PLATFORM, spec, STAGE, {"2013-02": "f3"}, {table: "second"})
    assert location_of("2013-01") == "s3://silver/run-1/month=2013-01/"
    assert location_of("2013-02") == "s3://silver/run-2/month=2013-02/"
    assert silver.published_months(PLATFORM, table) == {"2013-01": "f1", "2013-02": "f3"}
    columns = boto3.client("glue").get_table(DatabaseName="test_silver", Name=table)["Table"]["StorageDescriptor"]
    assert [column["Name"] for column in columns["Columns"]] == ["distance_miles", "seats"]


def test_each_month_tells_which_run_computed_it() -> None:
    table, runs = STAGE.published[0], "s3://silver/flight_delay/runs"
    stage_table("first", f"{runs}/20130201-000000-abcd-1/first/")
    silver.publish(PLATFORM, spec, STAGE, {"2013-01": "f1", "2013-02": "f2"}, {table: "first"})
    stage_table("second", f"{runs}/20130301-000000-abcd-2/second/")
    silver.publish(PLATFORM, spec, STAGE, {"2013-02": "f3"}, {table: "second"})
    assert silver.runs(PLATFORM, table) == {"2013-01": "20130201-000000-abcd-1", "2013-02": "20130301-000000-abcd-2"}


def test_a_silver_that_was_never_published_has_no_months() -> None:
    assert silver.published_months(PLATFORM, "flight_features") == {}


def test_a_month_is_made_where_all_tables_have_it_from_the_same_sources() -> None:
    stage_table("staged", "s3://silver/run-1/")
    for stage in spec.stages:
        staged = {table: "staged" for table in stage.published}
        silver.publish(PLATFORM, spec, stage, {"2013-01": "f1", "2013-02": "f1", "2013-03": "f1"}, staged)
    assert silver.made_months(PLATFORM, spec).keys() == {"2013-01", "2013-02", "2013-03"}
    # A run whose second stage was not published: the first one's tables have moved on.
    staged = {table: "staged" for table in spec.stages[0].published}
    silver.publish(PLATFORM, spec, spec.stages[0], {"2013-02": "f2", "2013-04": "f2"}, staged)
    assert silver.made_months(PLATFORM, spec) == {"2013-01": "f1", "2013-03": "f1"}


def test_a_silver_without_tables_has_made_no_month() -> None:
    assert silver.made_months(PLATFORM, spec) == {}


def test_staged_tables_are_forgotten_and_nothing_else_is() -> None:
    stage_table("staged__flight_delay__20130101_1__flights", "s3://silver/flight_delay/runs/a/")
    stage_table("staged__another_pipeline__20130101_1__flights", "s3://silver/b/")
    stage_table("flights", "s3://silver/c/")
    put("flight_delay/runs/a/month=2013-01/part", "rejected", "silver")
    put("c/month=2013-01/part", "another's", "silver")
    assert silver.drop_staged(PLATFORM, spec) == ["staged__flight_delay__20130101_1__flights"]
    assert keys("silver") == ["c/month=2013-01/part"]
    tables = boto3.client("glue").get_tables(DatabaseName="test_silver")["TableList"]
    assert sorted(table["Name"] for table in tables) == ["flights", "staged__another_pipeline__20130101_1__flights"]


def test_what_was_published_stays_when_its_staged_table_is_forgotten() -> None:
    table = STAGE.published[0]
    stage_table("staged__flight_delay__1__x", "s3://silver/flight_delay/runs/1")
    put("flight_delay/runs/1/month=2013-01/part", "published", "silver")
    silver.publish(PLATFORM, spec, STAGE, {"2013-01": "f1"}, {table: "staged__flight_delay__1__x"})
    silver.drop_staged(PLATFORM, spec)
    assert keys("silver") == ["flight_delay/runs/1/month=2013-01/part"]


def test_the_data_of_a_staged_table_stays_where_it_lies_elsewhere_than_with_the_runs() -> None:
    stage_table("staged__flight_delay__1__requests", "s3://silver/somebodys/")
    put("somebodys/data.jsonl", "{}", "silver")
    assert silver.drop_staged(PLATFORM, spec) == ["staged__flight_delay__1__requests"]
    assert keys("silver") == ["somebodys/data.jsonl"]


def test_publishing_what_was_dropped_says_which_task_to_clear() -> None:
    with pytest.raises(RuntimeError, match="clear its task `stage`"):
        silver.publish(PLATFORM, spec, STAGE, {"2013-01": "f1"}, {STAGE.published[0]: "gone"})


def interrupted(_query: str) -> None:
    raise KeyboardInterrupt


def terminated(_query: str) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("waiting", "error"), [(interrupted, KeyboardInterrupt), (terminated, SystemExit)])
def test_a_query_is_stopped_with_the_task_that_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, waiting: Callable[[str], None], error: type[BaseException]
) -> None:
    monkeypatch.setattr(sql.wr.athena, "wait_query", waiting)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(error):
        sql.execute("insert into flights select 1", "test_silver", PLATFORM)
    athena = boto3.client("athena")
    (query,) = athena.list_query_executions(WorkGroup="primary")["QueryExecutionIds"]
    status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
    assert (status["State"], signal.getsignal(signal.SIGTERM)) == ("CANCELLED", handler)


def test_scripts_that_were_never_deployed_are_named_with_the_command_that_deploys_them() -> None:
    with pytest.raises(FileNotFoundError, match="sagemaker_scripts/flight_delay is not in .*`make deploy ENV=test`"):
        source.find(PLATFORM, "flight_delay")


def test_a_run_finds_the_archive_of_the_scripts_that_it_has() -> None:
    key = source.key("flight_delay")
    boto3.client("s3").put_object(Bucket="artifacts", Key=key, Body=source.archive("flight_delay"))
    assert source.find(PLATFORM, "flight_delay") == f"s3://artifacts/{key}"


def test_the_outputs_of_a_training_job_are_read_beside_its_model() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("evaluation.json")
        content = json.dumps({"splits": {}}).encode()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    boto3.client("s3").put_object(Bucket="artifacts", Key="job/output/output.tar.gz", Body=buffer.getvalue())
    assert evaluation.read_outputs("s3://artifacts/job/output/model.tar.gz") == {"evaluation": {"splits": {}}}


@pytest.mark.parametrize(("status", "previous"), [("Failed", None), ("InService", "c")])
def test_only_a_failed_endpoint_is_deleted_before_a_roll_out(status: str, previous: str | None) -> None:
    sagemaker = boto3.client("sagemaker")
    container = {"Image": PLATFORM.sagemaker_image, "ModelDataUrl": "s3://artifacts/model.tar.gz"}
    put("model.tar.gz", "model", "artifacts")
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=PLATFORM.sagemaker_endpoint_role_arn, PrimaryContainer=container
    )
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    sagemaker_backends["123456789012"]["us-east-1"].endpoints["e"].endpoint_status = status
    assert rollout.prepare("e") == previous
    assert len(sagemaker.list_endpoints()["Endpoints"]) == (previous is not None)


def test_an_endpoint_that_does_not_exist_is_nothing_to_delete() -> None:
    assert rollout.prepare("nobody") is None


def answering(monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
    """Let every endpoint answer as a Mock does that is told this."""
    runtime = boto3.client("sagemaker-runtime")
    monkeypatch.setattr(runtime, "invoke_endpoint", Mock(**answer))
    monkeypatch.setattr(boto3, "client", lambda name: runtime)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"predictions": [0.6]}', r"1 wrong answers; the first: answer.predictions\[0\] is 0.6, .* computed 0.5"),
        (b"body", "endpoint shop does not answer known rows in JSON"),
    ],
)
def test_an_endpoint_that_answers_something_else_fails_the_smoke_test(
    monkeypatch: pytest.MonkeyPatch, body: bytes, said: str
) -> None:
    answering(monkeypatch, return_value={"Body": io.BytesIO(body)})
    with pytest.raises(Objection, match=said):
        smoke_test("shop", {"request": [{}], "response": {"predictions": [0.5]}})


def refusal(code: str) -> ClientError:
    shape = boto3.client("sagemaker-runtime").exceptions.from_code(code)
    return shape({"Error": {"Code": code, "Message": "no"}}, "InvokeEndpoint")


@pytest.mark.parametrize("code", ["ServiceUnavailable", "ValidationError", "ModelNotReadyException", None])
def test_an_endpoint_that_gives_no_answer_is_an_objection_to_the_model_at_the_last_try(
    monkeypatch: pytest.MonkeyPatch, code: str | None
) -> None:
    error = refusal(code) if code else ReadTimeoutError(endpoint_url="u")
    answering(monkeypatch, side_effect=error)
    with pytest.raises(type(error)):
        smoke_test("shop", {"request": [{}]}, last=False)
    with pytest.raises(Objection, match="endpoint shop gives no answer to known rows"):
        smoke_test("shop", {"request": [{}]}, last=True)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", None])
def test_an_error_that_is_not_the_endpoints_says_nothing_of_the_model(
    monkeypatch: pytest.MonkeyPatch, code: str | None
) -> None:
    error = refusal(code) if code else EndpointConnectionError(endpoint_url="u")
    answering(monkeypatch, side_effect=error)
    with pytest.raises(type(error)):
        smoke_test("shop", {"request": [{}]}, last=True)
