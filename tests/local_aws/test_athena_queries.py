"""What a client of Athena sees of queries: rows, pages, states, reasons."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import awswrangler as wr
import pytest
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from botocore.exceptions import ClientError

SYNTAX = "line 1:1: mismatched input 'SELEKT'"
COLUMN = "COLUMN_NOT_FOUND: line 1:8: Column '{}' cannot be resolved or requester is not authorized to access"


def test_a_csv_table_keeps_empty_fields_as_empty_text_and_has_its_partition_values(flights: Any) -> None:
    assert flights.rows("select * from flights order by carrier") == [
        ("AA, inc", "", "2013", "01"),
        ("DL", "-3.5", "2013", "02"),
        ("UA", "5", "2013", "01"),
    ]


def test_a_filter_on_partition_keys_reads_only_those_partitions(flights: Any) -> None:
    everything = flights.run("select * from flights")["Statistics"]["DataScannedInBytes"]
    february = flights.run("select * from flights f where f.month = '02' and carrier <> ''")["Statistics"]
    assert (everything, february["DataScannedInBytes"]) == (52, 22)


def test_a_partition_filter_on_the_far_side_of_an_outer_join_keeps_the_unmatched_rows(flights: Any) -> None:
    sql = (
        "select a.carrier, b.carrier from flights a left join flights b on a.carrier = b.carrier "
        "where a.month = '01' and b.month is null"
    )
    assert flights.rows(sql) == []


@pytest.mark.parametrize("modes", [{}, {"ctas_approach": False}, {"ctas_approach": False, "unload_approach": True}])
def test_awswrangler_reads_the_same_frame_in_each_of_its_modes(flights: Any, modes: dict[str, bool]) -> None:
    if "unload_approach" in modes:
        modes = {**modes, "s3_output": f"s3://{flights.bucket}/unloaded/"}  # type: ignore[dict-item]
    frame = wr.athena.read_sql_query(
        "select carrier, try_cast(delay as double) as delay, date '2013-01-01' as day, "
        "timestamp '2013-01-01 05:00:00' as at, array[1, 2] as list, cast(1.5 as decimal(10, 2)) as price "
        "from flights order by carrier",
        database=flights.database,
        athena_query_wait_polling_delay=0.05,
        **modes,
    )
    assert frame["carrier"].tolist() == ["AA, inc", "DL", "UA"]
    assert frame["delay"].fillna(0).tolist() == [0, -3.5, 5]
    assert str(frame["day"][0]) == "2013-01-01"
    assert str(frame["at"][0]) == "2013-01-01 05:00:00"
    assert str(frame["price"][0]) == "1.50"


def test_awswrangler_gets_an_empty_frame_with_columns_for_no_rows(flights: Any) -> None:
    frame = wr.athena.read_sql_query("select carrier from flights where false", database=flights.database)
    assert (len(frame), list(frame.columns)) == (0, ["carrier"])


def test_chunks_have_the_size_asked_for(flights: Any) -> None:
    chunks = wr.athena.read_sql_query(
        "select carrier from flights", database=flights.database, ctas_approach=False, chunksize=2
    )
    assert [len(chunk) for chunk in chunks] == [2, 1]


@pytest.mark.parametrize(
    ("sql", "params", "style"),
    [
        ("select delay from flights where carrier = :carrier", {"carrier": "UA"}, "named"),
        ("select delay from flights where carrier = ? and 1 = ?", ["'UA'", "1"], "qmark"),
    ],
)
def test_parameters_take_their_places(flights: Any, sql: str, params: Any, style: Any) -> None:
    frame = wr.athena.read_sql_query(
        sql, database=flights.database, ctas_approach=False, params=params, paramstyle=style
    )
    assert frame["delay"].tolist() == ["5"]


def test_a_prepared_statement_is_executed_with_its_values(flights: Any) -> None:
    wr.athena.create_prepared_statement(
        "select delay from flights where carrier = ?", statement_name=f"by_{flights.database}", workgroup="primary"
    )
    assert flights.rows(f"execute by_{flights.database} using 'DL'") == [("-3.5",)]


def test_results_come_in_pages_with_null_apart_from_empty_text(lake: Any) -> None:
    query = lake.run("select n, if(n = 2, '', if(n = 3, null, 'a\"b')) from unnest(sequence(1, 5)) as t(n)")
    first = lake.athena.get_query_results(QueryExecutionId=query["QueryExecutionId"], MaxResults=3)
    second = lake.athena.get_query_results(
        QueryExecutionId=query["QueryExecutionId"], MaxResults=3, NextToken=first["NextToken"]
    )
    assert [row["Data"] for row in first["ResultSet"]["Rows"]] == [
        [{"VarCharValue": "n"}, {"VarCharValue": "_col1"}],
        [{"VarCharValue": "1"}, {"VarCharValue": 'a"b'}],
        [{"VarCharValue": "2"}, {"VarCharValue": ""}],
    ]
    assert second["ResultSet"]["Rows"][0]["Data"] == [{"VarCharValue": "3"}, {}]
    assert "NextToken" not in second


def test_the_result_file_is_quoted_as_athena_quotes_it(lake: Any) -> None:
    query = lake.run("select 1 as a, 'x\"y' as b, cast(null as varchar) as c")
    location = query["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{lake.bucket}/results/{query['QueryExecutionId']}.csv"
    body = lake.s3.get_object(Bucket=lake.bucket, Key=f"results/{query['QueryExecutionId']}.csv")["Body"].read()
    assert body == b'"a","b","c"\n"1","x""y",\n'


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select x from flights", COLUMN.format("x")),
        ("select f.x from flights f", COLUMN.format("f.x")),
        ("select g.carrier from flights f", COLUMN.format("g.carrier")),
        ("select\n  1 from nope", "TABLE_NOT_FOUND: line 2:10: Table 'awsdatacatalog.{database}.nope' does not exist"),
        ("select 1 from nope.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
        ("select nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
        (
            "select sum(carrier) from flights",
            "TYPE_MISMATCH: line 1:8: Unexpected parameters (varchar) for function sum",
        ),
        ("select delay + 1 from flights", "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar + integer"),
        (
            "select cast(carrier as integer) from flights where carrier = 'UA'",
            "INVALID_CAST_ARGUMENT: Cannot cast 'UA' to INT",
        ),
        ("select carrier, count(*) from flights", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'carrier' must be an aggregate"),
        ("select 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("delete from flights", "NOT_SUPPORTED: local Athena does not support Iceberg tables (DELETE)"),
        ("deallocate prepare p", "NOT_SUPPORTED: local Athena does not support this DEALLOCATE statement"),
    ],
)
def test_a_bad_query_fails_with_athenas_reason(flights: Any, sql: str, reason: str) -> None:
    assert flights.reason(sql).startswith(reason.replace("{database}", flights.database))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEKT garbage", SYNTAX),
        (
            "CREATE TABLE lake.garbage WITH (format = 'PARQUET') AS SELEKT garbage",
            "line 1:56: mismatched input 'SELEKT'",
        ),
        (
            "CREATE TABLE lake.garbage WITH (format = 'PARQUET') AS\nselect 1 as x from (select 1) as t were 1 = 1",
            "line 2:36: mismatched input 'were'",
        ),
        ("select 1 from", "line 1:14: mismatched input '<EOF>'"),
        ("select 1,\n  from (", "line 2:9: mismatched input"),
        ("select 1; select 2", "Only one sql statement is allowed. Got: select 1; select 2"),
        (" -- nothing", "line 1:1: mismatched input '<EOF>'"),
        ("select decimal 'x'", "line 1:8: 'x' is not a valid DECIMAL literal"),
        ("unload (selekt 1) to 's3://b/x/' with (format = 'PARQUET')", "line 1:9: mismatched input 'selekt'"),
    ],
)
def test_what_is_no_statement_is_refused_before_it_is_a_query(flights: Any, sql: str, message: str) -> None:
    with pytest.raises(ClientError) as refused:
        flights.start(sql)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "InvalidRequestException"
    assert answer["Error"]["Message"].startswith(message)
    assert answer["AthenaErrorCode"] == "MALFORMED_QUERY"


def test_awswrangler_and_airflow_see_a_syntax_error_as_on_athena(flights: Any) -> None:
    with pytest.raises(ClientError, match="InvalidRequestException.*mismatched input 'SELEKT'"):
        wr.athena.start_query_execution("SELEKT 1", database=flights.database)
    with pytest.raises(wr.exceptions.InvalidArgumentValue, match="Exception parsing query"):
        wr.athena.unload("SELEKT 1", path=f"s3://{flights.bucket}/unloaded/", database=flights.database)
    output = f"s3://{flights.bucket}/results/"
    bad = AthenaOperator(task_id="bad", query="SELEKT 1", database=flights.database, aws_conn_id=None)
    with pytest.raises(ClientError, match="mismatched input 'SELEKT'"):
        bad.hook.run_query(bad.query, {"Database": bad.database}, {"OutputLocation": output})


def test_airflows_operator_fails_with_the_reason_of_a_query_that_failed(flights: Any) -> None:
    output = f"s3://{flights.bucket}/results/"
    hook = AthenaHook(aws_conn_id=None)
    query = hook.run_query("select nope", {"Database": flights.database}, {"OutputLocation": output})
    assert hook.poll_query_status(query, sleep_time=0) == "FAILED"
    assert str(hook.get_state_change_reason(query)).startswith(COLUMN.format("nope"))


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("select nope", 1006), ("select 1 from nope", 1118), ("select 1 / 0", 1001), ("drop table nope", 1003)],
)
def test_a_failure_is_of_a_type_in_athenas_error_catalog(flights: Any, sql: str, kind: int) -> None:
    status = flights.finished(flights.start(sql))["Status"]
    assert status["AthenaError"] == {
        "ErrorCategory": 2,
        "ErrorType": kind,
        "Retryable": False,
        "ErrorMessage": status["StateChangeReason"],
    }


def test_awswrangler_raises_the_reason(flights: Any) -> None:
    with pytest.raises(wr.exceptions.QueryFailed, match="COLUMN_NOT_FOUND: line .* Column 'nope' cannot be resolved"):
        wr.athena.read_sql_query("select nope from flights", database=flights.database)


def test_a_running_query_is_cancelled(lake: Any) -> None:
    numbers = "unnest(sequence(1, 5000000))"
    started = lake.start(f"select count(*) from {numbers} as a(x) cross join {numbers} as b(y) where x * y % 7 = 3")
    time.sleep(0.3)
    lake.athena.stop_query_execution(QueryExecutionId=started)
    assert lake.finished(started)["Status"]["State"] == "CANCELLED"


def test_fifty_queries_at_once_all_answer_their_own_question(flights: Any) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda n: flights.rows(f"select {n}, count(*) from flights"), range(50))
    assert list(answers) == [[(str(n), "3")] for n in range(50)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda athena: athena.get_query_execution(QueryExecutionId="nope"), "QueryExecution nope was not found"),
        (
            lambda athena: athena.start_query_execution(QueryString="select 1", WorkGroup="nope"),
            "WorkGroup nope is not found",
        ),
        (lambda athena: athena.start_query_execution(QueryString="select 1"), "No output location provided"),
    ],
)
def test_a_request_about_nothing_is_refused(lake: Any, call: Any, message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        call(lake.athena)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_results_of_a_failed_query_are_refused(lake: Any) -> None:
    failed = lake.finished(lake.start("select nope"))["QueryExecutionId"]
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        lake.athena.get_query_results(QueryExecutionId=failed)


def test_a_workgroup_that_enforces_its_location_gets_the_results(lake: Any) -> None:
    lake.athena.create_work_group(
        Name=lake.database,
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{lake.bucket}/enforced/"},
        },
    )
    query = lake.run("select 1", WorkGroup=lake.database)
    assert lake.keys("enforced/")[0] == f"enforced/{query['QueryExecutionId']}.csv"


def test_the_same_client_token_starts_one_query(lake: Any) -> None:
    token = "t" * 40 + lake.database
    assert lake.start("select 1", ClientRequestToken=token) == lake.start("select 1", ClientRequestToken=token)
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        lake.start("select 2", ClientRequestToken=token)


def test_the_metadata_beside_a_result_is_the_message_that_drivers_read(lake: Any) -> None:
    execution = lake.run("select array[1] as ary, cast(1 as decimal(5, 2)) as d, 'x' as s")
    key = execution["ResultConfiguration"]["OutputLocation"].partition(f"{lake.bucket}/")[2] + ".metadata"
    query_id = execution["QueryExecutionId"].encode()
    columns = [
        b'\n\x04hive"\x03ary*\x03ary2\x05arrayH\x03',  # as in a file of Athena's own
        b'\n\x04hive"\x01d*\x01d2\x07decimal8\x05@\x02H\x03',
        b'\n\x04hive"\x01s*\x01s2\x07varchar8\xff\xff\xff\xff\x07H\x03P\x01',
    ]
    message = b"\n$" + query_id + b"".join(b'"' + bytes([len(column)]) + column for column in columns)
    assert lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read() == message
