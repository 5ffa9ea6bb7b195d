"""Partition projection: partitions follow from a table's properties, and only those that a query needs are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import awswrangler as wr
import pandas as pd
import pytest


def make_table(lake: Any, keys: str, properties: dict[str, str], template: str = "") -> None:
    """A projected text table `t` of one column, with those partition keys and projection.* properties."""
    found = {"projection.enabled": "true"} | {f"projection.{name}": value for name, value in properties.items()}
    if template:
        found["storage.location.template"] = template.replace("{bucket}", lake.bucket)
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in found.items())
    lake.run(
        f"create external table t (line string) partitioned by ({keys}) location 's3://{{bucket}}/t/' "
        f"tblproperties ({listed})"
    )


@pytest.mark.parametrize(
    ("key", "properties", "values"),
    [
        ("k string", {"type": "enum", "values": "a, b"}, ["a", "b"]),
        ("k int", {"type": "integer", "range": "1,5", "interval": "2"}, ["1", "3", "5"]),
        ("k string", {"type": "integer", "range": "9,10", "digits": "3"}, ["009", "010"]),
        (
            "k string",
            {"type": "date", "format": "yyyy-MM-dd", "range": "2013-01-30,2013-02-01"},
            ["2013-01-30", "2013-01-31", "2013-02-01"],
        ),
        (
            "k string",
            {"type": "date", "format": "yyyyMM", "range": "201301,201305", "interval": "2", "interval.unit": "MONTHS"},
            ["201301", "201303", "201305"],
        ),
        (
            "k string",
            {
                "type": "date",
                "format": "yyyy-MM-dd\\'T\\'HH",
                "range": "2013-01-01T22,2013-01-02T00",
                "interval": "1",
                "interval.unit": "HOURS",
            },
            ["2013-01-01T22", "2013-01-01T23", "2013-01-02T00"],
        ),
    ],
)
def test_a_key_has_the_values_that_its_properties_give(
    lake: Any, key: str, properties: dict[str, str], values: list[str]
) -> None:
    make_table(lake, key, {f"k.{name}": value for name, value in properties.items()})
    for value in [*values, "elsewhere"]:
        lake.put(f"t/k={value}/a.txt", "x\n")
    assert lake.rows("select k from t order by k") == [(value,) for value in values]


def test_a_range_to_now_ends_today(lake: Any) -> None:
    make_table(lake, "day string", {"day.type": "date", "day.format": "yyyy/MM/dd", "day.range": "NOW-2DAYS,NOW"})
    days = [(datetime.now(UTC) + timedelta(days=ago)).strftime("%Y/%m/%d") for ago in (-3, -2, -1, 0, 1)]
    for day in days:
        lake.put(f"t/day={day}/a.txt", "x\n")
    assert lake.rows("select day from t order by day") == [(day,) for day in days[1:4]]


def test_a_location_template_says_where_a_partition_is_and_a_filter_which_are_read(lake: Any) -> None:
    make_table(
        lake,
        "region string, n int",
        {"region.type": "enum", "region.values": "eu,us", "n.type": "integer", "n.range": "0,9"},
        template="s3://{bucket}/data/${region}-${n}/",
    )
    for region, n, text in (("eu", 1, "aa\n"), ("us", 1, "bbbb\n"), ("us", 2, "c\n"), ("us", 99, "d\n")):
        lake.put(f"data/{region}-{n}/a.txt", text)
    query = lake.run("select line from (select * from t) where region = 'us' and n between 1 and 1")
    assert query["Statistics"]["DataScannedInBytes"] == 5
    assert lake.rows("select region, n, line from t order by 1, 2") == [
        ("eu", "1", "aa"),
        ("us", "1", "bbbb"),
        ("us", "2", "c"),
    ]


def test_an_injected_key_takes_its_values_from_the_query_and_fails_without(lake: Any) -> None:
    make_table(lake, "device string", {"device.type": "injected"})
    for device in ("a", "b", "c"):
        lake.put(f"t/device={device}/a.txt", f"{device}{device}\n")
    lake.run("create view v as select * from t")
    assert lake.rows("select line from t where device = 'b'") == [("bb",)]
    assert lake.rows("select line from v where device in ('a', 'c', 'none') order by 1") == [("aa",), ("cc",)]
    assert lake.reason("select line from t where device like 'a%'") == (
        "CONSTRAINT_VIOLATION: For the injected projected partition column device, the WHERE clause must contain only "
        "static equality conditions, and at least one such condition must be present."
    )


def test_partitions_in_glue_do_not_count_where_they_are_projected(lake: Any) -> None:
    make_table(lake, "k string", {"k.type": "enum", "k.values": "a"})
    lake.put("t/k=a/a.txt", "a\n")
    lake.put("t/k=b/a.txt", "b\n")
    lake.run("alter table t add partition (k = 'b')")
    assert lake.rows("select line from t") == [("a",)]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "are missing projection configuration: [k]"),
        ({"k.type": "enum"}, "Property 'projection.k.values': it is missing"),
        ({"k.type": "list"}, "Property 'projection.k.type': 'list' is not one of enum, integer, date, injected"),
        ({"k.type": "integer", "k.range": "1"}, "Property 'projection.k.range': it must be two values"),
        ({"k.type": "integer", "k.range": "a,b"}, "Property 'projection.k.range': invalid literal for int()"),
        (
            {"k.type": "date", "k.format": "yyyy-MM-dd HH", "k.range": "2013-01-01 00,NOW"},
            "Property 'projection.k.interval.unit': it is missing",
        ),
        ({"k.type": "integer", "k.range": "0,99999999"}, "more than 1000000 projected partitions (k)"),
    ],
)
def test_a_projection_that_says_no_partitions_fails(lake: Any, properties: dict[str, str], reason: str) -> None:
    make_table(lake, "k string", properties)
    assert reason in lake.reason("select * from t")


def test_awswranglers_projection_arguments_make_such_a_table(lake: Any) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "kind": ["a", "b", "b"], "year": [2012, 2013, 2014]})
    wr.s3.to_parquet(
        frame,
        f"s3://{lake.bucket}/p/",
        dataset=True,
        database=lake.database,
        table="p",
        partition_cols=["kind", "year"],
        athena_partition_projection_settings={
            "projection_types": {"kind": "enum", "year": "integer"},
            "projection_values": {"kind": "a,b"},
            "projection_ranges": {"year": "2012,2013"},
        },
    )
    read = wr.athena.read_sql_query(
        "select n from p order by n", database=lake.database, ctas_approach=False, s3_output=f"s3://{lake.bucket}/r/"
    )
    assert read["n"].tolist() == [1, 2]
