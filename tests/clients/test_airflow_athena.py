"""Athena's operator and sensor of Airflow's Amazon provider, and the sensors for what queries read and write: S3 keys
and catalog partitions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from typing import Any

import boto3
import pytest
from airflow.exceptions import AirflowException
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.sensors.athena import AthenaSensor
from airflow.providers.amazon.aws.sensors.glue_catalog_partition import GlueCatalogPartitionSensor
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow_tasks import MODES, run
from sagemaker_requests import BUCKET, eventually

DATABASE = "airflow_athena"


@pytest.fixture(autouse=True, scope="module")
def flights(s3: Any, airflow_connection: None) -> None:
    """A database with a partitioned table of one partition."""
    boto3.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    s3.put_object(Bucket=BUCKET, Key="flights/month=2013-01/a.csv", Body=b"AA,5\nUA,-3\n")
    table = f"""
        create external table flights (carrier string, delay int) partitioned by (month string)
        row format delimited fields terminated by ',' location 's3://{BUCKET}/flights/'
    """
    run(query(table))
    run(query("alter table flights add partition (month = '2013-01')"))


def query(sql: str, **arguments: Any) -> AthenaOperator:
    settings = {"output_location": f"s3://{BUCKET}/results/", "sleep_time": 1, **arguments}
    return AthenaOperator(task_id="query", query=sql, database=DATABASE, **settings)


@MODES
def test_a_query_task_returns_the_id_of_an_execution_that_has_rows(s3: Any, deferrable: bool) -> None:
    done = run(query("select carrier, delay from flights order by delay", deferrable=deferrable))
    rows = AthenaHook().get_query_results(done)["ResultSet"]["Rows"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in rows] == [
        ["carrier", "delay"],
        ["UA", "-3"],
        ["AA", "5"],
    ]
    bucket, _, key = AthenaHook().get_output_location(done).removeprefix("s3://").partition("/")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b'"carrier","delay"\n"UA","-3"\n"AA","5"\n'


@pytest.mark.parametrize(
    ("deferrable", "said"),
    [
        (False, "Final state of Athena job is FAILED.*Error: TABLE_NOT_FOUND.*nothing"),
        (True, "(?s)Error while.*FAILED"),
    ],
    ids=["waiting", "deferred"],
)
def test_a_query_task_fails_with_athenas_reason(deferrable: bool, said: str) -> None:
    with pytest.raises(AirflowException, match=said):
        run(query("select * from nothing", deferrable=deferrable))


def test_a_query_task_of_a_workgroup_writes_where_the_workgroup_says(s3: Any) -> None:
    boto3.client("athena").create_work_group(
        Name="airflow",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/workgroup/"}},
    )
    done = run(query("select 1", workgroup="airflow", output_location=None))
    assert AthenaHook().get_output_location(done) == f"s3://{BUCKET}/workgroup/{done}.csv"


def test_a_token_makes_a_repeated_query_task_the_same_execution() -> None:
    token = "a-token-of-thirty-two-characters-or-more"
    first, second = (run(query("select 1", client_request_token=token)) for _ in range(2))
    assert first == second


def test_the_hook_pages_through_results(s3: Any) -> None:
    done = run(query("select * from unnest(sequence(1, 5)) as t (number)"))
    pages = AthenaHook().get_query_results_paginator(done, page_size=2)
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [2, 2, 2]


def test_a_killed_query_task_stops_its_query() -> None:
    numbers = "unnest(sequence(1, 10000))"
    endless = f"select sum(a * b * c) from {numbers} as x (a), {numbers} as y (b), {numbers} as z (c)"
    task = query(endless)
    with ThreadPoolExecutor(1) as background:
        running = background.submit(run, task)
        eventually(lambda: task.query_execution_id, bool)
        task.on_kill()
        with pytest.raises(AirflowException, match="Final state of Athena job is CANCELLED"):
            running.result(timeout=120)


def test_a_query_sensor_sees_success_and_failure() -> None:
    athena = boto3.client("athena")
    started = [
        athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
        )["QueryExecutionId"]
        for sql in ("select count(*) from flights", "select * from nothing")
    ]
    run(AthenaSensor(task_id="sensor", query_execution_id=started[0], sleep_time=1))
    with pytest.raises(AirflowException, match="Athena sensor failed"):
        run(AthenaSensor(task_id="sensor", query_execution_id=started[1], sleep_time=1))


@MODES
def test_a_partition_sensor_waits_for_what_ddl_adds(deferrable: bool) -> None:
    month = f"201{int(deferrable)}-01"
    late = Timer(0.5, run, [query(f"alter table flights add partition (month = '{month}')")])
    late.start()
    arguments = {"database_name": DATABASE, "table_name": "flights", "poke_interval": 1, "deferrable": deferrable}
    run(GlueCatalogPartitionSensor(task_id="sensor", expression=f"month='{month}'", **arguments))
    late.join()
    assert AthenaHook().check_query_status(late.args[0].query_execution_id) == "SUCCEEDED"


@MODES
def test_a_key_sensor_waits_for_what_a_query_writes(s3: Any, deferrable: bool) -> None:
    place = f"s3://{BUCKET}/sensed/{deferrable}/"
    late = Timer(0.5, run, [query("select count(*) from flights", output_location=place)])
    late.start()
    arguments = {"wildcard_match": True, "poke_interval": 1, "deferrable": deferrable}
    run(S3KeySensor(task_id="sensor", bucket_key=f"{place}*.csv", **arguments))
    late.join()
    keys = [f"{place}{late.args[0].query_execution_id}{suffix}" for suffix in (".csv", ".csv.metadata")]
    run(S3KeySensor(task_id="sensor", bucket_key=keys, deferrable=deferrable))
