"""What queries leave in Glue and S3: tables, partitions, views, files."""

import gzip
from typing import Any

import awswrangler as wr
import pytest

CTAS = (
    "create table {name} with (external_location = 's3://{bucket}/{name}/', format = 'PARQUET', "
    "write_compression = 'SNAPPY', partitioned_by = array['month']) as {query}"
)
SELECT = "select carrier, try_cast(delay as double) as delay, year || '-' || month as month from flights"


def ctas(name: str, query: str = SELECT) -> str:
    return CTAS.replace("{name}", name).replace("{query}", query)


def test_ctas_writes_partitions_and_registers_them_with_athenas_types(flights: Any) -> None:
    wr.athena.create_ctas_table(
        "select carrier, 1 as i, cast(2 as bigint) as b, 1.5e0 as d, true as t, date '2013-01-01' as day, "
        "count(*) as n, timestamp '2013-01-01 00:00:00' as at, cast(1 as decimal(9, 2)) as price, array['x'] as list, "
        "sum(1) as total, month from flights group by carrier, month",
        database=flights.database,
        ctas_table="typed",
        s3_output=f"s3://{flights.bucket}/run1/",
        storage_format="parquet",
        write_compression="snappy",
        partitioning_info=["month"],
        wait=True,
    )
    assert wr.catalog.get_table_types(flights.database, "typed") == {
        **{"carrier": "string", "i": "int", "b": "bigint", "d": "double", "t": "boolean", "day": "date", "n": "bigint"},
        **{"at": "timestamp", "price": "decimal(9,2)", "list": "array<string>", "total": "bigint", "month": "string"},
    }
    assert wr.catalog.get_partitions(flights.database, "typed") == {
        f"s3://{flights.bucket}/run1/typed/month=01/": ["01"],
        f"s3://{flights.bucket}/run1/typed/month=02/": ["02"],
    }
    frame = wr.s3.read_parquet(f"s3://{flights.bucket}/run1/typed/", dataset=True)
    assert sorted(frame["carrier"]) == ["AA, inc", "DL", "UA"]


def test_moving_a_partitions_location_in_glue_moves_what_readers_see(flights: Any) -> None:
    flights.run(ctas("old"))
    flights.run(ctas("new", "select 'new' as carrier, 1e0 as delay, '2013-01' as month"))
    flights.run("alter table old partition (month = '2013-01') set location 's3://{bucket}/new/month=2013-01/'")
    assert flights.rows("select carrier from old order by 1") == [("DL",), ("new",)]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select cast(carrier as integer) as n, month from flights", "INVALID_CAST_ARGUMENT: Cannot cast"),
        ("select 1, month from flights", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        ("select null as n, month from flights", "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: n"),
        (
            "select 1 as a, 2 as a, month from flights",
            "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more",
        ),
        ("select month, carrier from flights", "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns"),
        (
            "select from_iso8601_timestamp('2013-01-01T00:00:00Z') as at, month from flights",
            "NOT_SUPPORTED: Unsupported Hive",
        ),
        (
            "select n, cast(n as varchar) as month from unnest(sequence(1, 101)) as t(n)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
        ),
    ],
)
def test_a_failed_ctas_leaves_no_table_and_no_objects(flights: Any, query: str, reason: str) -> None:
    assert flights.reason(ctas("broken", query)).startswith(reason)
    assert flights.keys("broken/") == []
    assert not wr.catalog.does_table_exist(database=flights.database, table="broken")


def test_ctas_refuses_a_table_that_exists_and_a_place_that_is_not_empty(flights: Any) -> None:
    flights.run(ctas("taken"))
    assert "TABLE_ALREADY_EXISTS" in flights.reason(ctas("taken"))
    wr.catalog.delete_table_if_exists(database=flights.database, table="taken")
    assert "HIVE_PATH_ALREADY_EXISTS" in flights.reason(ctas("taken"))


def test_unload_writes_parquet_and_a_manifest_and_refuses_a_place_that_is_not_empty(flights: Any) -> None:
    sql = f"unload ({SELECT} where month = '01') to 's3://{{bucket}}/train/' with (format = 'PARQUET')"
    done = flights.run(sql)
    frame = wr.s3.read_parquet(f"s3://{flights.bucket}/train/")
    assert sorted(frame["month"]) == ["2013-01", "2013-01"]
    bucket, key = done["Statistics"]["DataManifestLocation"].removeprefix("s3://").split("/", 1)
    manifest = flights.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().split()
    assert manifest == [f"s3://{flights.bucket}/{name}" for name in flights.keys("train/")]
    assert "HIVE_PATH_ALREADY_EXISTS" in flights.reason(sql)


def test_awswrangler_unloads_into_partitions(flights: Any) -> None:
    wr.athena.unload(
        SELECT,
        path=f"s3://{flights.bucket}/parts/",
        database=flights.database,
        file_format="PARQUET",
        partitioned_by=["month"],
    )
    assert {key.split("/")[1] for key in flights.keys("parts/month")} == {"month=2013-01", "month=2013-02"}


def test_unload_as_json_is_gzipped_lines(flights: Any) -> None:
    flights.run("unload (select 'x' as a, 1 as b) to 's3://{bucket}/json/' with (format = 'JSON')")
    (key,) = flights.keys("json/")
    body = flights.s3.get_object(Bucket=flights.bucket, Key=key)["Body"].read()
    assert gzip.decompress(body) == b'{"a":"x","b":1}\n'


def test_insert_into_adds_rows_and_partitions_and_checks_types(flights: Any) -> None:
    flights.run(ctas("target"))
    flights.run("insert into target select 'ZZ', 1.0e0, '2013-03'")
    flights.run("insert into target (month, carrier) values ('2013-03', 'YY')")
    assert flights.rows("select carrier, delay from target where month = '2013-03' order by 1") == [
        ("YY", None),
        ("ZZ", "1.0"),
    ]
    assert flights.reason("insert into target select 1, 2.0e0, 'x'").startswith(
        "TYPE_MISMATCH: line 1:1: Insert query has"
    )


def test_a_view_is_stored_in_glue_and_queried(flights: Any) -> None:
    flights.run(
        "create or replace view punctual as with f as (select * from flights) select carrier as c, month from f"
    )
    assert flights.rows("select c from {database}.punctual where month = '02'") == [("DL",)]
    assert flights.rows("show views") == [("punctual",)]
    assert "select carrier as c" in wr.athena.generate_create_query("punctual", database=flights.database)
    flights.run("drop view punctual")
    assert "TABLE_NOT_FOUND" in flights.reason("select * from punctual")


def test_a_cte_hides_a_table_of_its_name_but_not_inside_itself(flights: Any) -> None:
    sql = "with flights as (select * from flights where month = '02') select carrier from flights"
    assert flights.rows(sql) == [("DL",)]


def test_repair_registers_new_prefixes_and_says_which(flights: Any) -> None:
    flights.put("flights/year=2013/month=03/a.csv", "carrier,delay\nWN,1\n")
    assert flights.rows("select count(*) from flights") == [("3",)]
    assert wr.athena.repair_table("flights", database=flights.database) == "SUCCEEDED"
    assert flights.rows("select count(*) from flights") == [("4",)]
    assert len(wr.catalog.get_partitions(flights.database, "flights")) == 3


def test_partitions_are_added_dropped_and_shown(flights: Any) -> None:
    flights.run("alter table flights drop partition (year = '2013', month = '01')")
    assert flights.rows("show partitions flights") == [("year=2013/month=02",)]
    assert "Partition not found" in flights.reason("alter table flights drop partition (year = '2013', month = '01')")
    flights.run(
        "alter table flights add if not exists partition (year = '2013', month = '01') "
        "location 's3://{bucket}/flights/year=2013/month=01/' partition (year = '2013', month = '02')"
    )
    assert flights.rows("select count(*) from flights") == [("3",)]


def test_the_catalog_is_described(flights: Any) -> None:
    assert flights.rows("show tables") == [("flights",)]
    assert (flights.database,) in flights.rows("show databases")
    described = wr.athena.describe_table("flights", database=flights.database)
    assert described["Column Name"].tolist() == ["carrier", "delay", "year", "month"]
    assert described["Partition"].tolist() == [False, False, True, True]
    assert "OpenCSVSerde" in wr.athena.show_create_table("flights", database=flights.database)


def test_databases_are_made_and_dropped(lake: Any) -> None:
    name = f"made_{lake.database}"
    lake.run(f"create database if not exists {name} location 's3://{{bucket}}/{name}/'")
    lake.run(f"create database if not exists {name}")
    lake.run(f"create external table {name}.t (a int) stored as parquet location 's3://{{bucket}}/t/'")
    assert "is not empty" in lake.reason(f"drop database {name}")
    lake.run(f"drop database {name} cascade")
    assert name not in [found["Name"] for found in lake.glue.get_databases()["DatabaseList"]]


def test_json_lines_have_null_for_missing_keys(lake: Any) -> None:
    lake.put("weather/a.jsonl", '{"origin":"JFK","temp":39.5,"n":1}\n{"origin":"EWR","temp":null}\n')
    lake.run(
        "create external table weather (origin string, temp double, n bigint) "
        "row format serde 'org.openx.data.jsonserde.JsonSerDe' location 's3://{bucket}/weather/'"
    )
    assert lake.rows("select * from weather") == [("JFK", "39.5", "1"), ("EWR", None, None)]


def test_delimited_text_makes_null_of_what_does_not_parse(lake: Any) -> None:
    lake.put("lazy/a.csv", "1|x|2013-01-01 05:00:00\nnope|\\N|never\n3.5\n")
    lake.run(
        "create external table lazy (n int, s string, at timestamp) row format delimited fields terminated by '|' "
        "location 's3://{bucket}/lazy/'"
    )
    assert lake.rows("select * from lazy") == [
        ("1", "x", "2013-01-01 05:00:00.000"),
        (None, None, None),
        (None, None, None),
    ]


def test_a_parquet_column_of_another_type_than_declared_fails(lake: Any) -> None:
    lake.run("create table numbers with (external_location = 's3://{bucket}/numbers/') as select 'a' as n")
    lake.run("create external table wrong (n bigint, added string) stored as parquet location 's3://{bucket}/numbers/'")
    assert lake.reason("select * from wrong").startswith("HIVE_BAD_DATA: Field n's type VARCHAR in parquet file")
    lake.run("create external table wider (n string, added string) stored as parquet location 's3://{bucket}/numbers/'")
    assert lake.rows("select * from wider") == [("a", None)]


@pytest.mark.parametrize(
    ("sql", "way"),
    [
        ("create table t with (table_type = 'ICEBERG', location = 's3://{bucket}/i/') as select 1 as a", "table_type"),
        ("create table t (a int) location 's3://{bucket}/i/' tblproperties ('table_type'='ICEBERG')", "CREATE TABLE"),
        (
            "create external table t (a int) stored as parquet location 's3://{bucket}/i/' "
            "tblproperties ('table_type'='iceberg')",
            "'table_type'='ICEBERG'",
        ),
        ("merge into t using u on t.a = u.a when matched then delete", "MERGE"),
        ("delete from t where a = 1", "DELETE"),
        ("update t set a = 1", "UPDATE"),
        ("vacuum t", "VACUUM"),
        ("optimize t rewrite data using bin_pack", "OPTIMIZE"),
        ("select * from ice", "{database}.ice"),
    ],
)
def test_iceberg_is_refused_by_name_however_it_is_asked_for(lake: Any, sql: str, way: str) -> None:
    made = {"Name": "ice", "Parameters": {"table_type": "ICEBERG"}, "StorageDescriptor": {"Columns": []}}
    lake.glue.create_table(DatabaseName=lake.database, TableInput=made)
    refusal = f"NOT_SUPPORTED: local Athena does not support Iceberg tables ({way.format(database=lake.database)}"
    assert lake.reason(sql).startswith(refusal)


def test_the_hidden_columns_say_where_a_row_comes_from(flights: Any) -> None:
    place = f"s3://{flights.bucket}/flights/year=2013/month=02/a.csv"
    assert flights.rows("""select carrier, "$path", "$file_size" from flights where month = '02'""") == [
        ("DL", place, "22")
    ]
    assert flights.rows("""select * from flights where "$path" like '%month=02%'""") == [("DL", "-3.5", "2013", "02")]


def test_of_parquet_only_the_columns_that_a_query_needs_are_scanned(flights: Any) -> None:
    flights.run(
        "create table wide with (external_location = 's3://{bucket}/wide/') as "
        "select n, cast(n as varchar) || 'xxxxxxxxxxxx' as s from unnest(sequence(1, 5000)) as t(n)"
    )
    (key,) = flights.keys("wide/")
    size = flights.s3.head_object(Bucket=flights.bucket, Key=key)["ContentLength"]
    scanned = [
        flights.run(sql)["Statistics"]["DataScannedInBytes"]
        for sql in (
            "select count(*) from wide",
            "select sum(n) from wide",
            "select s from wide where n > 3",
            "select * from wide",
            "select w.s from (select * from wide) w",
        )
    ]
    assert scanned[0] == 0 < scanned[1] < scanned[4] < scanned[3] < size
    assert scanned[2] == scanned[3] == scanned[1] + scanned[4]


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("orc", "no ORC", "HIVE_CANNOT_OPEN_SPLIT: {object} is not a valid ORC file"),
        ("avro", "no Avro", "HIVE_CANNOT_OPEN_SPLIT: {object} is not a valid Avro file"),
        ("parquet", "ab", "HIVE_BAD_DATA: Not valid Parquet file: {object} expected magic number: PAR1 got: ab"),
        (
            "parquet",
            "a,b\n" * 9,
            "HIVE_BAD_DATA: Not valid Parquet file: {object} expected magic number: PAR1 got: a,b",
        ),
    ],
    ids=["orc", "avro", "short", "csv as parquet"],
)
def test_an_object_of_another_format_fails_the_query_by_its_name(lake: Any, kind: str, body: str, reason: str) -> None:
    lake.put("broken/a", body)
    lake.run(f"create external table t (a int) stored as {kind} location 's3://{{bucket}}/broken/'")
    assert lake.reason("select * from t").startswith(reason.format(object=f"s3://{lake.bucket}/broken/a"))
