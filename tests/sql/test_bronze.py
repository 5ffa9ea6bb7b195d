"""bronze/*.json: the raw files, read as they are, with the month from the prefix."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import awswrangler as wr
import pytest
from sql_lake import Athena, raw_flight, raw_weather

from laptop import bronze
from laptop.services import ServiceError


def rows(athena: Athena, statement: str) -> list[dict[str, Any]]:
    frame = wr.athena.read_sql_query(
        statement,
        database=athena.bronze,
        ctas_approach=False,
        s3_output=f"s3://{athena.silver_bucket}/results/",
    )
    return list(frame.astype(object).where(frame.notna(), None).to_dict("records"))


@pytest.mark.parametrize(
    ("table", "row", "expected"),
    [
        ("flights", raw_flight(tailnum="N1"), {"tailnum": "N1", "year": "2013", "month": "01", "flight_month": "1"}),
        ("weather", raw_weather(wind_gust=None), {"origin": "JFK", "wind_gust": None, "year": "2013", "month": "01"}),
        ("planes", {"tailnum": "N1", "seats": 200}, {"tailnum": "N1", "seats": "200"}),
        ("airports", {"faa": "JFK", "tz": "-5"}, {"faa": "JFK", "tz": "-5"}),
        ("airlines", {"carrier": "B6", "name": "JetBlue Airways"}, {"carrier": "B6", "name": "JetBlue Airways"}),
    ],
)
def test_a_row_of_a_raw_file_is_a_row_of_its_table(
    athena: Athena, table: str, row: dict[str, Any], expected: dict[str, Any]
) -> None:
    athena.given(f"bronze.{table}", [row])
    (found,) = rows(athena, f"select * from {table}")
    assert {name: found[name] for name in expected} == expected


def test_every_bronze_table_of_the_repository_has_the_form_and_the_columns_of_its_files() -> None:
    assert {"airlines", "airports", "flights", "planes", "weather"} <= bronze.tables().keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "parquet"}, "['format']: 'parquet' is not one of ['csv', 'json']"),
        ({"partitioned": "yes"}, "['partitioned']: 'yes' is not of type 'boolean'"),
        ({"columns": []}, "['columns']: [] "),
        ({"columns": [{"name": "Year", "type": "string"}]}, "['columns'][0]['name']: 'Year' does not match"),
        ({"surprise": 1}, ": Additional properties are not allowed ('surprise' was unexpected)"),
    ],
)
def test_a_table_of_another_form_is_refused_by_its_place(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "planes.json"
    path.write_text(json.dumps({**bronze.tables()["planes"], **change}))
    with pytest.raises(ServiceError, match=re.escape(str(path)) + ".*" + re.escape(said)):
        bronze.contract(path)


def test_a_table_that_is_no_json_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "planes.json"
    path.write_text('{\n "format": "csv"\n "columns": []}')
    with pytest.raises(ServiceError, match=r"planes.json is no JSON: .* line 3 column 2"):
        bronze.contract(path)


@pytest.mark.parametrize("year", ["1900", str(datetime.now(UTC).year + 1)])
def test_years_of_long_ago_and_the_next_one_have_months(athena: Athena, year: str) -> None:
    athena.given("bronze.flights", [raw_flight()])
    athena.given_text(f"flights/year={year}/month=12/old.csv", f"header\n{year},12,5\n")
    assert rows(athena, f"select distinct year from flights where year = '{year}'") == [{"year": year}]


def test_a_file_is_found_as_soon_as_it_has_come_in_its_months_folder(athena: Athena) -> None:
    athena.given("bronze.flights", [raw_flight()])
    athena.given_text("flights/year=2014/month=11/late.csv", "header\n2014,11,5\n")
    assert rows(athena, "select distinct year, month from flights where year = '2014'") == [
        {"year": "2014", "month": "11"}
    ]


@pytest.mark.parametrize("path", ["staging/checked_flights.sql", "staging/checked_weather.sql"])
def test_a_query_of_one_month_reads_the_files_of_that_month_only(athena: Athena, path: str) -> None:
    name = path.removeprefix("staging/checked_").removesuffix(".sql")
    raw = raw_flight if name == "flights" else raw_weather
    athena.given("bronze.airports", [])
    months = ("2012-02", "2013-01", "2013-02", "2014-02")
    athena.given(f"bronze.{name}", [raw(f"{month}-05 16:00") for month in months])
    own = athena.s3.head_object(Bucket=athena.bronze_bucket, Key=f"{name}/year=2013/month=02/data")["ContentLength"]
    assert athena.scanned_bytes(path, months=["2013-02"]) == own
