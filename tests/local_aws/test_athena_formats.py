"""The formats and compressions that Athena reads and writes, and buckets."""

from typing import Any

import awswrangler as wr
import pandas as pd
import pytest

VALUES = (
    "1 as a, cast(2.5 as decimal(5, 2)) as d, timestamp '2020-01-01 10:00:00.123' as at, date '2020-02-03' as day, "
    "cast(-3 as bigint) as b, cast(1 as tinyint) as t, 1.5e0 as f, cast(2.5 as real) as r, true as ok, "
    "'caf\u00e9' as s, to_utf8('x') as bytes, array['x', null] as xs, map(array['k'], array[1]) as m, "
    "cast(row(1, timestamp '2020-01-01 00:00:00') as row(n integer, at timestamp)) as o"
)
ROW = (
    *("1", "2.50", "2020-01-01 10:00:00.123", "2020-02-03", "-3", "1", "1.5", "2.5", "true", "caf\u00e9", "78"),
    *("[x, null]", "{k=1}", "{n=1, at=2020-01-01 00:00:00.000}"),
)
COMPRESSIONS = {
    "PARQUET": ["GZIP", "SNAPPY", "ZSTD", "NONE"],
    "ORC": ["ZLIB", "SNAPPY", "LZ4", "ZSTD", "NONE"],
    "AVRO": ["DEFLATE", "BZIP2", "SNAPPY", "ZSTD", "NONE"],
}
MAGIC = {"PARQUET": b"PAR1", "ORC": b"ORC", "AVRO": b"Obj\x01"}


@pytest.mark.parametrize("form", COMPRESSIONS)
def test_a_binary_format_keeps_rows_whatever_their_types_under_each_compression(lake: Any, form: str) -> None:
    for codec in COMPRESSIONS[form]:
        lake.run(
            f"create table {codec} with (format = '{form}', write_compression = '{codec}', "
            f"partitioned_by = array['p'], external_location = 's3://{{bucket}}/{codec}/') "
            f"as select {VALUES}, 'p1' as p"
        )
        body = lake.s3.get_object(Bucket=lake.bucket, Key=lake.keys(f"{codec}/")[0])["Body"].read()
        assert body.startswith(MAGIC[form]), codec
    lake.run(f"insert into none select {', '.join(['null'] * len(ROW))}, 'p2'")
    tables = " union all ".join(f"select * from {codec}" for codec in COMPRESSIONS[form])
    assert lake.rows(f"select * from ({tables}) order by a") == [
        *[(*ROW, "p1")] * len(COMPRESSIONS[form]),
        (*[None] * len(ROW), "p2"),
    ]


@pytest.mark.parametrize("form", ["JSON", "TEXTFILE"])
def test_text_is_compressed_as_its_suffix_says_and_read_again(lake: Any, form: str) -> None:
    suffixes = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst", "SNAPPY": ".snappy", "LZ4": ".lz4"}
    for codec, suffix in suffixes.items():
        lake.run(
            f"create table {codec} with (format = '{form}', write_compression = '{codec}', "
            f"external_location = 's3://{{bucket}}/{codec}/') as select 'x' as s, 2 as n"
        )
        assert [key.endswith(suffix) for key in lake.keys(f"{codec}/")] == [True]
    rows = lake.rows(" union all ".join(f"select s, n from {codec}" for codec in suffixes))
    assert rows == [("x", "2")] * len(suffixes)


def test_an_insert_goes_by_the_tables_delimiter_and_compression(lake: Any) -> None:
    lake.run(
        "create external table t (a int, b string) row format delimited fields terminated by '|' "
        "location 's3://{bucket}/t/' tblproperties ('write.compression' = 'NONE')"
    )
    lake.run("insert into t values (1, 'x')")
    (key,) = lake.keys("t/")
    assert lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read() == b"1|x\n"
    assert lake.rows("select * from t") == [("1", "x")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            "format = 'PARQUET', write_compression = 'LZ4'",
            "HIVE_UNSUPPORTED_FORMAT: Compression codec LZ4 not supported",
        ),
        ("format = 'ORC', write_compression = 'GZIP'", "HIVE_UNSUPPORTED_FORMAT: Compression codec GZIP not supported"),
        (
            "format = 'AVRO', write_compression = 'GZIP'",
            "HIVE_UNSUPPORTED_FORMAT: Compression codec GZIP not supported",
        ),
        ("format = 'ION'", "NOT_SUPPORTED: local Athena does not support format ION; use one of PARQUET"),
        ("compression_level = 3", "INVALID_TABLE_PROPERTY: compression_level is for ZSTD alone"),
        ("nonsense = 3", "INVALID_TABLE_PROPERTY: line 1:1: CREATE TABLE property 'nonsense' does not exist"),
        (
            "bucketed_by = array['a']",
            "INVALID_TABLE_PROPERTY: line 1:1: bucketed_by and bucket_count must be specified",
        ),
        ("bucketed_by = array['z'], bucket_count = 2", "INVALID_TABLE_PROPERTY: line 1:1: Bucketing columns ['z'] not"),
        (
            "bucketed_by = array['d'], bucket_count = 2",
            "NOT_SUPPORTED: local Athena does not support bucketed_by a column",
        ),
    ],
)
def test_what_athena_can_not_write_is_refused(lake: Any, options: str, reason: str) -> None:
    query = f"create table t with ({options}, external_location = 's3://{{bucket}}/t/') as select 1 as a, 2.5 as d"
    assert lake.reason(query).startswith(reason)
    assert lake.keys("t/") == []


def test_the_rows_of_a_bucket_lie_in_its_files_in_each_partition(lake: Any) -> None:
    lake.run(
        "create table t with (format = 'ORC', bucketed_by = array['n', 's'], bucket_count = 4, "
        "partitioned_by = array['p'], external_location = 's3://{bucket}/t/') as "
        "select n, chr(97 + n % 3) as s, if(n < 50, 'a', 'b') as p from unnest(sequence(0, 99)) as x(n)"
    )
    storage = lake.glue.get_table(DatabaseName=lake.database, Name="t")["Table"]["StorageDescriptor"]
    assert (storage["BucketColumns"], storage["NumberOfBuckets"]) == (["n", "s"], 4)
    assert {key.rpartition("/")[2][:9] for key in lake.keys("t/")} == {f"00000{bucket}_0_" for bucket in range(4)}
    # bucketing version 1: (31 * n + hash of the text) % buckets, where the hash of one character is its code
    assert lake.rows(
        """select count(*) from t where regexp_extract("$path", 't/p=[ab]/0*([0-9])', 1) """
        "= cast((31 * n + codepoint(cast(s as varchar(1)))) % 4 as varchar)"
    ) == [("100",)]
    assert "CLUSTERED BY" in "".join(line for (line,) in lake.rows("show create table t"))
    assert lake.reason("insert into t values (1, 'a', 'a')").startswith("NOT_SUPPORTED: Inserting into bucketed tables")


def test_an_avro_table_made_by_ddl_reads_fields_by_name(lake: Any) -> None:
    lake.run(
        "create table src with (format = 'AVRO', external_location = 's3://{bucket}/a/') as select 1 as a, 'x' as b"
    )
    lake.run("create external table t (b string, added double, a bigint) stored as avro location 's3://{bucket}/a/'")
    assert lake.rows("select * from t") == [("x", None, "1")]


def test_rows_lie_in_the_buckets_that_awswrangler_puts_them_in(lake: Any) -> None:
    rows = pd.DataFrame(
        {"n": [0, 7, -9, 2**31, 2**40 + 3], "s": ["UA", "AA", "Dora", "", "x"], "b": [True, False] * 2 + [True]}
    )
    place = f"s3://{lake.bucket}"
    wr.s3.to_parquet(rows, f"{place}/given/", dataset=True, database=lake.database, table="given")
    for column in rows:
        written = wr.s3.to_parquet(rows, f"{place}/{column}/", dataset=True, bucketing_info=([column], 3))["paths"]
        wanted = {int(path.split("_bucket-")[1][:5]): set(wr.s3.read_parquet(path)[column]) for path in written}
        lake.run(
            f"create table in_{column} with (bucketed_by = array['{column}'], bucket_count = 3, "
            f"external_location = '{place}/in_{column}/') as select {column} from given"
        )
        made = [f"{place}/{key}" for key in lake.keys(f"in_{column}/")]
        assert {int(path.split("/")[-1][:6]): set(wr.s3.read_parquet(path)[column]) for path in made} == wanted, column
