"""bronze/*.sql: the raw files, read as they are, with the month from the prefix."""

from typing import Any

import awswrangler as wr
import pytest
from sql_lake import Athena, raw_flight, raw_weather


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
    frame = wr.athena.read_sql_query(
        f"select * from {table}",
        database=athena.bronze,
        ctas_approach=False,
        s3_output=f"s3://{athena.silver_bucket}/results/",
    )
    (found,) = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert {name: found[name] for name in expected} == expected
