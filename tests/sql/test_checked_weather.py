"""staging/checked_weather.sql: what becomes of a raw observation, and why one can't be used."""

import json
from datetime import datetime
from typing import Any

import pytest
from sql_lake import Athena, raw_weather

MONTHS = ["2013-01"]
UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"origin": None}, "unparseable: origin"),
    ({"time_hour": "noon"}, "unparseable: time_hour"),
    ({"temp": "warm"}, "unparseable: temp"),
    ({"precip": "trace", "visib": "far"}, "unparseable: precip, visib"),
    ({"wind_speed": 1048.36}, "out of range: wind_speed (0 to 250)"),
    ({"temp": "NaN", "dewp": "Infinity"}, "out of range: temp (-80 to 140), dewp (-100 to 100)"),
    ({"humid": -1, "wind_dir": 361}, "out of range: humid (0 to 101), wind_dir (0 to 360)"),
    ({"wind_gust": 301, "precip": 21}, "out of range: wind_gust (0 to 300), precip (0 to 20)"),
    ({"pressure": 0, "visib": -1}, "out of range: pressure (850 to 1100), visib (0 to 100)"),
    ({"time_hour": "2012-01-05T14:00:00Z"}, "out of range: time_hour"),
    ({"time_hour": "2013-01-05T14:30:00Z"}, "out of range: time_hour"),
]


def checked(athena: Athena, *observations: dict[str, Any]) -> list[dict[str, Any]]:
    athena.given("bronze.weather", observations)
    return athena.rows("staging/checked_weather.sql", months=MONTHS)


def test_a_usable_observation_is_typed_and_known_when_its_hour_is_over(athena: Athena) -> None:
    (row,) = checked(athena, raw_weather("2013-01-05 14:00"))
    assert row["quarantine_reason"] is None and row["raw_row"] is None
    assert row["observed_hour_at"] == datetime(2013, 1, 5, 14)
    assert row["known_at"] == datetime(2013, 1, 5, 15)
    assert (row["temperature_fahrenheit"], row["wind_gust_mph"], row["pressure_millibars"]) == (39.02, None, 1012.0)


@pytest.mark.parametrize(("change", "reason"), UNUSABLE)
def test_an_observation_that_cannot_be_used_says_why(athena: Athena, change: dict[str, Any], reason: str) -> None:
    (row,) = checked(athena, raw_weather(**change))
    assert row["quarantine_reason"] == reason
    assert json.loads(row["raw_row"])["pressure"] == str(change.get("pressure", 1012))


def test_of_an_hour_that_comes_twice_one_row_is_used(athena: Athena) -> None:
    rows = checked(athena, raw_weather(), raw_weather(temp=50))
    assert sorted(str(row["quarantine_reason"]) for row in rows) == ["None", "duplicate key"]


@pytest.mark.parametrize("change", [{"humid": 60}, {"wind_gust": 20}])
def test_which_row_of_an_hour_is_used_does_not_depend_on_their_order(athena: Athena, change: dict[str, Any]) -> None:
    pair = raw_weather(), raw_weather(**change)

    def used(*rows: dict[str, Any]) -> dict[str, Any]:
        (row,) = (r for r in checked(athena, *({**row} for row in rows)) if r["quarantine_reason"] is None)
        return row

    assert used(*pair) == used(*reversed(pair))


@pytest.mark.parametrize("time_hour", ["2013-01-01T00:00:00Z", "2013-02-01T04:00:00Z"])
def test_an_hour_of_the_month_on_some_clock_is_of_the_month(athena: Athena, time_hour: str) -> None:
    (row,) = checked(athena, raw_weather(time_hour=time_hour))
    assert row["quarantine_reason"] is None


def test_readings_that_are_missing_stay_missing(athena: Athena) -> None:
    (row,) = checked(athena, raw_weather(temp=None, precip="NA"))
    assert row["quarantine_reason"] is None
    assert row["temperature_fahrenheit"] is None and row["precipitation_inches"] is None


def test_a_line_that_is_no_json_is_quarantined(athena: Athena) -> None:
    athena.given("bronze.weather", [raw_weather()])
    athena.given_text("weather/year=2013/month=01/more", '{"origin": "JFK", "temp": \n')
    rows = athena.rows("staging/checked_weather.sql", months=MONTHS)
    broken = [row["quarantine_reason"] for row in rows if row["quarantine_reason"]]
    assert broken == ["unparseable: origin, time_hour"]
    assert len(rows) == 2
