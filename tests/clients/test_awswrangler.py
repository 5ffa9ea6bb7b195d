"""Every function of awswrangler's `athena` and `catalog` that makes sense offline, with default arguments, in the
default workgroup and in one that was made."""

import inspect
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd
import pytest
from botocore.exceptions import ClientError

# What makes no sense here, each with its reason.
ELSEWHERE = {
    "catalog.extract_athena_types": "makes no call: pandas and awswrangler alone",
    "catalog.drop_duplicated_columns": "likewise",
    "catalog.rename_duplicated_columns": "likewise",
    "catalog.sanitize_column_name": "likewise",
    "catalog.sanitize_dataframe_columns_names": "likewise",
    "catalog.sanitize_table_name": "likewise",
}
FLIGHTS = pd.DataFrame(
    {
        "carrier": ["UA", "AA", "DL"],
        "delay": [1.5, None, -3.0],
        "seats": pd.array([100, 200, None], dtype="Int64"),
        "departed_at": pd.to_datetime(["2020-01-01 10:00", "2020-01-02 11:00", "2020-01-03 12:00"]),
        "month": ["01", "01", "02"],
    }
)
QUERY = "select carrier, delay, seats, departed_at, month from flights order by carrier desc"


def test_every_function_is_called_here_or_is_named_with_the_reason() -> None:
    functions = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in (wr.athena, wr.catalog)
        for name in module.__all__
        if not name.startswith("_")
    }
    called = {".".join(found) for found in re.findall(r"wr\.(athena|catalog)\.(\w+)", Path(__file__).read_text())}
    assert functions - called == set(ELSEWHERE)


@pytest.fixture(scope="module")
def bucket(local_aws: Any) -> str:
    boto3.client("s3").create_bucket(Bucket="wrangled")
    return "wrangled"


@pytest.fixture(scope="module", params=["primary", "made"])
def workgroup(request: pytest.FixtureRequest, bucket: str) -> str:
    """The default workgroup, which has no location, or one that forces its own on its queries."""
    if request.param == "made":
        encryption = {"EncryptionOption": "SSE_S3"}
        location = {"OutputLocation": f"s3://{bucket}/results/", "EncryptionConfiguration": encryption}
        configuration = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": location}
        boto3.client("athena").create_work_group(Name="made", Configuration=configuration)
    return str(request.param)


@pytest.fixture(scope="module")
def database(workgroup: str, bucket: str) -> str:
    """A database with `flights`, written by awswrangler."""
    name = f"wrangled_{workgroup}"
    wr.catalog.create_database(name)
    path = f"s3://{bucket}/{name}/flights/"
    wr.s3.to_parquet(FLIGHTS, path, dataset=True, database=name, table="flights", partition_cols=["month"])
    return name


@pytest.fixture
def place(bucket: str) -> str:
    """A location with nothing in it."""
    return f"s3://{bucket}/{uuid.uuid4().hex}/"


@pytest.fixture
def arguments(database: str, workgroup: str) -> dict[str, str]:
    return {"database": database, "workgroup": workgroup}


def same(frame: pd.DataFrame) -> bool:
    """Whether a frame holds the rows of FLIGHTS."""
    rows = frame.sort_values("carrier", ascending=False).reset_index(drop=True)[list(FLIGHTS)]
    wanted = FLIGHTS.sort_values("carrier", ascending=False).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, wanted, check_dtype=False)
    return True


# Reading


@pytest.mark.parametrize("mode", ["ctas", "unload", "plain"])
def test_a_query_gives_the_same_frame_in_each_mode(arguments: Any, place: str, mode: str) -> None:
    modes: dict[str, dict[str, Any]] = {
        "ctas": {},
        "unload": {"ctas_approach": False, "unload_approach": True, "s3_output": place},
        "plain": {"ctas_approach": False},
    }
    assert same(wr.athena.read_sql_query(QUERY, **modes[mode], **arguments))


@pytest.mark.parametrize("ctas_approach", [True, False])
def test_chunks_hold_all_rows(arguments: Any, ctas_approach: bool) -> None:
    chunks = list(wr.athena.read_sql_query(QUERY, ctas_approach=ctas_approach, chunksize=2, **arguments))
    assert [len(chunk) for chunk in chunks] == [2, 1] and same(pd.concat(chunks))


@pytest.mark.parametrize(
    ("sql", "params", "style"),
    [("carrier = :carrier", {"carrier": "UA"}, "named"), ("carrier = ?", ["'UA'"], "qmark")],
    ids=["named", "qmark"],
)
def test_parameters_take_their_places(arguments: Any, sql: str, params: Any, style: Any) -> None:
    query = f"select seats from flights where {sql}"
    assert list(wr.athena.read_sql_query(query, params=params, paramstyle=style, **arguments)["seats"]) == [100]


def test_a_result_is_reused_by_awswranglers_cache_and_by_athenas(arguments: Any) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    cached = [
        wr.athena.read_sql_query(QUERY, athena_cache_settings={"max_cache_seconds": 900}, **arguments) for _ in range(2)
    ]
    reused = [
        wr.athena.read_sql_query(QUERY, ctas_approach=False, result_reuse_configuration=reuse, **arguments)
        for _ in range(2)
    ]
    assert all(same(frame) for frame in cached + reused)
    assert cached[0].query_metadata["QueryExecutionId"] == cached[1].query_metadata["QueryExecutionId"]
    assert reused[1].query_metadata["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] is True


@pytest.mark.parametrize("kind", ["parquet", "csv", "json", "orc", "projected"])
def test_a_table_that_awswrangler_wrote_is_read_back(database: str, workgroup: str, place: str, kind: str) -> None:
    table = {"dataset": True, "database": database, "table": f"written_{kind}"}
    if kind == "csv":
        wr.s3.to_csv(FLIGHTS, place, index=False, **table)
    elif kind == "orc":
        wr.s3.to_orc(FLIGHTS, place, partition_cols=["month"], **table)
    elif kind == "json":
        wr.s3.to_json(FLIGHTS, place, index=False, orient="records", lines=True, date_format="iso", **table)
    else:
        month = {"projection_types": {"month": "enum"}, "projection_values": {"month": "01,02"}}
        projected = {"athena_partition_projection_settings": month} if kind == "projected" else {}
        wr.s3.to_parquet(FLIGHTS, place, partition_cols=["month"], **projected, **table)
    frame = wr.athena.read_sql_table(f"written_{kind}", database=database, workgroup=workgroup)
    assert list(frame["carrier"]) == list(FLIGHTS["carrier"]) and frame["seats"].sum() == 300


@pytest.mark.parametrize(
    ("kind", "values", "settings"),
    [
        ("integer", [1, 2], {"projection_ranges": {"p": "0,5"}, "projection_intervals": {"p": "1"}}),
        (
            "date",
            ["2020-01-01", "2020-01-02"],
            {"projection_ranges": {"p": "2020-01-01,2020-01-05"}, "projection_formats": {"p": "yyyy-MM-dd"}},
        ),
        ("injected", ["a", "b"], {}),
    ],
    ids=["integer", "date", "injected"],
)
def test_projected_partitions_are_found_without_the_catalog(
    arguments: Any, place: str, kind: str, values: list[Any], settings: dict[str, Any]
) -> None:
    table = {"database": arguments["database"], "table": f"projected_{kind}"}
    projection = {"projection_types": {"p": kind}, **settings}
    rows = pd.DataFrame({"a": [10, 20], "p": values})
    wr.s3.to_parquet(
        rows, place, dataset=True, partition_cols=["p"], athena_partition_projection_settings=projection, **table
    )
    wr.catalog.delete_all_partitions(**table)
    query = f"select a from {table['table']} where p = :p"
    assert list(wr.athena.read_sql_query(query, params={"p": values[1]}, **arguments)["a"]) == [20]


def test_a_view_and_rows_that_were_inserted_are_read(arguments: Any) -> None:
    wr.athena.create_ctas_table("select carrier, seats from flights", ctas_table="grows", wait=True, **arguments)
    for sql in ("insert into grows values ('XX', 7)", "create or replace view small as select * from grows"):
        wr.athena.start_query_execution(sql, wait=True, **arguments)
    assert wr.athena.read_sql_query("select sum(seats) as s from small", **arguments)["s"][0] == 307
    assert "grows" in wr.athena.generate_create_query("small", database=arguments["database"])


# Writing


CTAS_OPTIONS: list[dict[str, Any]] = [
    {},
    {"storage_format": "orc", "write_compression": "zlib"},
    {"storage_format": "avro"},
    {"storage_format": "avro", "write_compression": "snappy", "partitioning_info": ["month"]},
    {"storage_format": "json", "write_compression": "zstd"},
    {"storage_format": "textfile", "field_delimiter": ",", "write_compression": "bzip2"},
    {"write_compression": "zstd"},
    {"bucketing_info": (["carrier"], 2)},
    {"bucketing_info": (["carrier", "seats"], 3), "partitioning_info": ["month"], "storage_format": "avro"},
    {"schema_only": True},
    {"ctas_database": "elsewhere", "data_source": "AwsDataCatalog", "categories": ["carrier"]},
    {"s3_output": "s3://wrangled/told/", "encryption": "SSE_KMS", "kms_key": "alias/aws/s3"},
    {"params": {"seats": 1}},
    {"params": ["1"], "paramstyle": "qmark"},
]


def test_every_option_of_a_ctas_is_tried() -> None:
    known = set(inspect.signature(wr.athena.create_ctas_table).parameters)
    tried = {name for options in CTAS_OPTIONS for name in options} | {"sql", "ctas_table", "wait"}
    ours = {"athena_query_wait_polling_delay", "boto3_session", "execution_params"}  # the last raises: deprecated
    assert known - tried - ours == {"database", "workgroup"}  # in `arguments`


@pytest.mark.parametrize("options", CTAS_OPTIONS, ids=str)
def test_a_ctas_with_an_option_makes_that_table(arguments: Any, workgroup: str, options: dict[str, Any]) -> None:
    name, database = f"made_{uuid.uuid4().hex[:8]}", options.get("ctas_database", arguments["database"])
    wr.catalog.create_database(database, exist_ok=True)
    above = {"named": " where coalesce(seats, 5) > :seats", "qmark": " where coalesce(seats, 5) > ?"}
    where = above[options.get("paramstyle", "named")] if "params" in options else ""
    query = f"select carrier, seats, month from flights{where}"
    wr.athena.create_ctas_table(query, ctas_table=name, wait=True, **options, **arguments)
    query = f"select * from {name}"
    frame = wr.athena.read_sql_query(query, database, ctas_approach=False, workgroup=workgroup)
    assert list(frame) == ["carrier", "seats", "month"]
    assert len(frame) == (0 if options.get("schema_only") else 3)


@pytest.mark.parametrize("options", [{"bucketing_info": (["carrier"], 2)}, {"compression": "snappy"}], ids=str)
def test_a_query_goes_by_a_ctas_with_options(arguments: Any, options: dict[str, Any]) -> None:
    assert same(wr.athena.read_sql_query(QUERY, ctas_parameters=options, **arguments))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"file_format": "ORC"},
        {"file_format": "JSON"},
        {"file_format": "TEXTFILE", "field_delimiter": "|"},
        {"file_format": "AVRO", "compression": "deflate"},
        {"compression": "gzip"},
        {"partitioned_by": ["month"]},
    ],
    ids=str,
)
def test_unload_puts_the_rows_where_it_is_told(arguments: Any, place: str, options: dict[str, Any]) -> None:
    wr.athena.unload("select carrier, month from flights", path=place, **options, **arguments)
    # In the default workgroup awswrangler asks for the manifest in the same place.
    written = [path for path in wr.s3.list_objects(place) if not path.endswith(("-manifest.csv", ".metadata"))]
    assert written and all("month=0" in path for path in written) == ("partitioned_by" in options)
    if options.get("file_format", "PARQUET") == "PARQUET":
        assert len(wr.s3.read_parquet(written)) == 3


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda a: _ctas(a, write_compression="brotli"), "HIVE_UNSUPPORTED_FORMAT: Compression codec BROTLI not"),
        (
            lambda a: wr.athena.to_iceberg(
                FLIGHTS, table="ice", temp_path="s3://wrangled/tmp/", table_location="s3://wrangled/ice/", **a
            ),
            "NOT_SUPPORTED: .*Iceberg",
        ),
        (
            lambda a: wr.athena.delete_from_iceberg_table(
                FLIGHTS, table="flights", merge_cols=["carrier"], temp_path="s3://wrangled/tmp2/", **a
            ),
            r"NOT_SUPPORTED: .*Iceberg tables \(MERGE\); use Parquet tables",
        ),
        (lambda a: wr.athena.create_spark_session(a["workgroup"]), "NotImplementedException.*Run Spark"),
        (lambda a: wr.athena.run_spark_calculation("1", a["workgroup"]), "NotImplementedException.*Run Spark"),
    ],
    ids=["brotli", "to_iceberg", "delete_from_iceberg_table", "spark session", "spark calculation"],
)
def test_what_local_athena_has_not_is_refused_by_name(arguments: Any, call: Callable[[Any], Any], refusal: str) -> None:
    with pytest.raises((wr.exceptions.QueryFailed, ClientError), match=refusal):
        call(arguments)


def _ctas(arguments: dict[str, str], **options: Any) -> Any:
    name = f"refused_{uuid.uuid4().hex[:8]}"
    return wr.athena.create_ctas_table(
        "select carrier from flights", ctas_table=name, wait=True, **options, **arguments
    )


# Queries


def test_a_query_is_started_described_and_its_results_are_fetched(arguments: Any, workgroup: str) -> None:
    query_id = wr.athena.start_query_execution("select 1 as one", **arguments)
    assert wr.athena.wait_query(query_id)["Status"]["State"] == "SUCCEEDED"
    assert wr.athena.get_query_columns_types(query_id) == {"one": "integer"}
    assert wr.athena.get_query_results(query_id)["one"][0] == 1
    assert wr.athena.get_query_execution(query_id)["WorkGroup"] == workgroup
    assert query_id in wr.athena.list_query_executions(workgroup=workgroup)
    known, unknown = wr.athena.get_query_executions([query_id, str(uuid.uuid4())], return_unprocessed=True)
    assert (len(known), len(unknown)) == (1, 1)
    assert wr.athena.get_work_group(workgroup)["WorkGroup"]["State"] == "ENABLED"


def test_results_lie_where_the_workgroup_says(arguments: Any, workgroup: str, place: str) -> None:
    default = "s3://aws-athena-query-results-123456789012-us-east-1/"
    given, told = (
        wr.athena.start_query_execution("select 1", s3_output=output, wait=True, **arguments)["ResultConfiguration"]
        for output in (None, place)
    )
    wanted = ("s3://wrangled/results/",) * 2 if workgroup == "made" else (default, place)
    assert given["OutputLocation"].startswith(wanted[0]) and told["OutputLocation"].startswith(wanted[1])


def test_a_query_that_never_ends_is_stopped(arguments: Any) -> None:
    thousands = " cross join ".join(f"unnest(sequence(1, 10000)) as t{n}(x{n})" for n in range(3))
    query_id = wr.athena.start_query_execution(f"select count(*) from {thousands}", **arguments)
    wr.athena.stop_query_execution(query_id)
    with pytest.raises(wr.exceptions.QueryCancelled):
        wr.athena.wait_query(query_id)


def test_prepared_and_named_statements_are_kept(arguments: Any, workgroup: str) -> None:
    wr.athena.create_prepared_statement("select seats from flights where carrier = ?", "by_carrier", workgroup)
    frame = wr.athena.read_sql_query(
        "execute by_carrier", params=["'UA'"], paramstyle="qmark", ctas_approach=False, **arguments
    )
    assert list(frame["seats"]) == [100]
    names = [statement["StatementName"] for statement in wr.athena.list_prepared_statements(workgroup)]
    wr.athena.delete_prepared_statement("by_carrier", workgroup)
    left = [statement["StatementName"] for statement in wr.athena.list_prepared_statements(workgroup)]
    assert sorted(names) == sorted([*left, "by_carrier"])
    named = {"Name": "n", "Database": arguments["database"], "QueryString": "select 2", "WorkGroup": workgroup}
    named_id = boto3.client("athena").create_named_query(**named)["NamedQueryId"]
    assert wr.athena.get_named_query_statement(named_id) == "select 2"


def test_a_table_is_repaired_described_and_shown(arguments: Any) -> None:
    assert wr.athena.repair_table("flights", **arguments) == "SUCCEEDED"
    described = wr.athena.describe_table("flights", **arguments)
    assert dict(zip(described["Column Name"], described["Partition"], strict=True))["month"]
    assert "PARTITIONED BY" in wr.athena.show_create_table("flights", **arguments)
    assert "PARTITIONED BY" in wr.athena.generate_create_query("flights", database=arguments["database"])
    assert wr.athena.create_athena_bucket() == "s3://aws-athena-query-results-123456789012-us-east-1/"


# The catalog


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "orc"])
def test_tables_and_their_partitions_are_made_and_dropped(database: str, place: str, kind: str) -> None:
    create = {
        "csv": wr.catalog.create_csv_table,
        "json": wr.catalog.create_json_table,
        "parquet": wr.catalog.create_parquet_table,
        "orc": wr.catalog.create_orc_table,
    }
    add = {
        "csv": wr.catalog.add_csv_partitions,
        "json": wr.catalog.add_json_partitions,
        "parquet": wr.catalog.add_parquet_partitions,
        "orc": wr.catalog.add_orc_partitions,
    }
    get = {"csv": wr.catalog.get_csv_partitions, "parquet": wr.catalog.get_parquet_partitions}
    table = f"of_{kind}"
    create[kind](database, table, place, columns_types={"a": "int"}, partitions_types={"p": "string"})
    add[kind](database, table, {f"{place}p={value}/": [value] for value in "xyz"})
    assert len(get.get(kind, wr.catalog.get_partitions)(database, table)) == 3
    wr.catalog.delete_partitions(table, database, [["x"]])
    assert len(wr.catalog.delete_all_partitions(table, database)) == 2
    assert wr.catalog.delete_table_if_exists(database, table)
    assert not wr.catalog.does_table_exist(database, table)


def test_columns_and_parameters_are_changed_and_versions_kept(database: str, place: str) -> None:
    wr.catalog.create_csv_table(database, "changes", place, columns_types={"a": "int"}, description="what changes")
    wr.catalog.add_column(database, "changes", "extra", column_comment="more")
    assert wr.catalog.get_table_types(database, "changes") == {"a": "int", "extra": "string"}
    assert wr.catalog.get_columns_comments(database, "changes")["extra"] == "more"
    assert set(wr.catalog.get_columns_parameters(database, "changes")) == {"a", "extra"}
    wr.catalog.delete_column(database, "changes", "extra")
    wr.catalog.upsert_table_parameters({"owner": "me"}, database, "changes")
    assert wr.catalog.get_table_parameters(database, "changes")["owner"] == "me"
    wr.catalog.overwrite_table_parameters({"only": "this"}, database, "changes")
    assert wr.catalog.get_table_parameters(database, "changes") == {"only": "this"}
    count = wr.catalog.get_table_number_of_versions(database, "changes")
    assert count == len(list(wr.catalog.get_table_versions(database, "changes"))) >= 4


def test_databases_and_tables_are_listed_found_and_deleted(database: str, place: str) -> None:
    assert database in list(wr.catalog.databases(limit=10_000)["Database"])
    assert database in [found["Name"] for found in wr.catalog.get_databases()]
    assert "flights" in list(wr.catalog.tables(database=database)["Table"])
    assert [t["Name"] for t in wr.catalog.get_tables(database=database, name_prefix="fli")] == ["flights"]
    assert list(wr.catalog.table(database, "flights")["Column Name"]) == list(FLIGHTS)
    assert wr.catalog.get_table_location(database, "flights").endswith("/flights/")
    wr.catalog.create_csv_table(database, "told", place, columns_types={"a": "int"}, description="a tale")
    assert wr.catalog.get_table_description(database, "told") == "a tale"
    assert "told" in [found["Name"] for found in wr.catalog.search_tables("tale")]
    wr.catalog.create_database("passing")
    wr.catalog.delete_database("passing")
    assert "passing" not in list(wr.catalog.databases(limit=10_000)["Database"])


def test_a_connection_is_got(database: str) -> None:
    properties = {"JDBC_CONNECTION_URL": "jdbc:postgresql://host:5432/db", "USERNAME": "me"}
    connection = {"Name": database, "ConnectionType": "JDBC", "ConnectionProperties": properties}
    boto3.client("glue").create_connection(ConnectionInput=connection)
    assert wr.catalog.get_connection(database)["ConnectionProperties"] == properties


def test_metadata_of_what_lies_in_s3_becomes_a_table(database: str, bucket: str, workgroup: str) -> None:
    path = f"s3://{bucket}/{database}/flights/"
    wr.s3.store_parquet_metadata(path, database=database, table="stored", dataset=True)
    assert len(wr.athena.read_sql_table("stored", database=database, workgroup=workgroup)) == 3
    assert same(wr.s3.read_parquet_table(database=database, table="stored"))
