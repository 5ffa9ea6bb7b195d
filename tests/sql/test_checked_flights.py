"""staging/checked_flights.sql: what becomes of a raw line, and why one can't be used."""

import json
from datetime import datetime
from typing import Any

import pytest
from sql_lake import AIRPORTS, Athena, raw_flight

MONTHS = ["2013-01"]
UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"carrier": ""}, "unparseable: carrier"),
    ({"flight": "B6-1"}, "unparseable: flight"),
    ({"origin": None}, "unparseable: origin"),
    ({"dest": None}, "unparseable: dest"),
    ({"distance": "far"}, "unparseable: distance"),
    ({"dep_delay": "late"}, "unparseable: dep_delay"),
    ({"arr_delay": "1h"}, "unparseable: arr_delay"),
    ({"air_time": "?"}, "unparseable: air_time"),
    ({"hour": "noon"}, "unparseable: hour"),
    ({"minute": "?"}, "unparseable: minute"),
    ({"time_hour": "yesterday"}, "unparseable: time_hour"),
    ({"sched_arr_time": None}, "unparseable: sched_arr_time"),
    ({"day": "31", "month": "2", "file_month": "2013-01"}, "unparseable: day"),
    ({"hour": "x", "distance": "y"}, "unparseable: distance, hour"),
    ({"month": "2", "file_month": "2013-01"}, "unparseable: month is not that of the file"),
    ({"day": "305"}, "unparseable: day"),
    ({"sched_arr_time": "17000"}, "unparseable: sched_arr_time"),
    ({"sched_arr_time": "-100"}, "unparseable: sched_arr_time"),
    ({"dep_delay": None}, "unparseable: dep_delay"),
    ({"hour": "2147483647"}, "unparseable: hour"),
    ({"arr_delay": "2147483647"}, "unparseable: arr_delay"),
    ({"arr_delay": "2000000000"}, "unparseable: arr_delay"),
    ({"hour": "25"}, "out of range: hour (0 to 23)"),
    ({"minute": "61"}, "out of range: minute (0 to 59)"),
    ({"sched_arr_time": "9999"}, "out of range: sched_arr_time"),
    ({"sched_arr_time": "1260"}, "out of range: sched_arr_time"),
    ({"sched_arr_time": "2401"}, "out of range: sched_arr_time"),
    ({"distance": "NaN"}, "out of range: distance (1 to 13000)"),
    ({"distance": "Infinity"}, "out of range: distance (1 to 13000)"),
    ({"distance": "-187"}, "out of range: distance (1 to 13000)"),
    ({"distance": "0"}, "out of range: distance (1 to 13000)"),
    ({"dep_delay": "-120"}, "out of range: dep_delay (-119 to 3000)"),
    ({"arr_delay": "3001"}, "out of range: arr_delay (-119 to 3000)"),
    ({"air_time": "-1"}, "out of range: air_time (1 to 1440)"),
    ({"time_hour": "2012-01-05T21:00:00Z"}, "out of range: time_hour"),
    ({"time_hour": "2013-01-06T05:00:00Z"}, "out of range: time_hour"),
    ({"time_hour": "2013-01-05T21:30:00Z"}, "out of range: time_hour"),
    ({"dest": "SJU"}, "no such airport: SJU"),
    ({"origin": "XXX"}, "no such airport: XXX"),
    ({"dep_delay": None, "arr_delay": None, "air_time": None}, "no label: cancelled"),
    ({"arr_delay": None, "air_time": None}, "no label: diverted"),
]


@pytest.fixture
def lake(athena: Athena) -> Athena:
    """A lake that knows a few airports."""
    athena.given("bronze.airports", AIRPORTS)
    return athena


def checked(lake: Athena, *flights: dict[str, Any], months: list[str] = MONTHS) -> list[dict[str, Any]]:
    lake.given("bronze.flights", flights)
    return lake.rows("staging/checked_flights.sql", months=months)


def reasons(lake: Athena, *flights: dict[str, Any]) -> list[str | None]:
    return sorted((row["quarantine_reason"] for row in checked(lake, *flights)), key=str)


def test_a_usable_flight_is_typed_and_in_utc(lake: Athena) -> None:
    (row,) = checked(lake, raw_flight("2013-01-05 16:30", delays=(5, 20)))
    assert row["quarantine_reason"] is None and row["raw_row"] is None
    assert row["scheduled_departure_at"] == datetime(2013, 1, 5, 21, 30)
    assert row["departed_at"] == datetime(2013, 1, 5, 21, 35)
    assert row["arrived_at"] == datetime(2013, 1, 5, 22, 50)
    assert (row["flight_number"], row["distance_miles"], row["month"]) == (1, 187.0, "2013-01")


@pytest.mark.parametrize(("delay", "is_late"), [(15, False), (16, True), (-30, False)])
def test_more_than_fifteen_minutes_is_late(lake: Athena, delay: int, is_late: bool) -> None:
    (row,) = checked(lake, raw_flight(delays=(0, delay)))
    assert row["is_late"] is is_late


@pytest.mark.parametrize(
    ("departure", "arrival_clock", "destination", "minutes"),
    [
        ("2013-01-05 16:00", "1915", "LAX", 375),
        ("2013-01-05 16:00", "1900", "PHX", 300),
        ("2013-01-05 23:00", "15", "BOS", 75),
        ("2013-01-05 16:00", "2400", "BOS", 480),
    ],
)
def test_a_scheduled_arrival_is_on_the_destinations_clock(
    lake: Athena, departure: str, arrival_clock: str, destination: str, minutes: int
) -> None:
    (row,) = checked(lake, raw_flight(departure, sched_arr_time=arrival_clock, dest=destination))
    assert row["scheduled_duration_minutes"] == minutes


@pytest.mark.parametrize(("destination", "minutes"), [("LAX", 375), ("PHX", 375)])
def test_a_place_without_daylight_saving_is_an_hour_further_in_summer(
    lake: Athena, destination: str, minutes: int
) -> None:
    summer = raw_flight("2013-07-05 16:00", time_hour="2013-07-05T20:00:00Z", sched_arr_time="1915", dest=destination)
    (row,) = checked(lake, summer, months=["2013-07"])
    assert row["scheduled_duration_minutes"] == minutes


def test_a_flight_that_cannot_be_used_says_why(lake: Athena) -> None:
    rows = checked(
        lake, *(raw_flight(tailnum=f"N{n}", **{"flight": n, **change}) for n, (change, _) in enumerate(UNUSABLE))
    )
    found = {row["tail_number"]: row["quarantine_reason"] for row in rows}
    assert found == {f"N{number}": reason for number, (_, reason) in enumerate(UNUSABLE)}


def test_a_quarantined_row_is_kept_as_it_came(lake: Athena) -> None:
    (row,) = checked(lake, raw_flight(distance="far", tailnum=None))
    raw = json.loads(row["raw_row"])
    assert (raw["distance"], raw["tailnum"], raw["time_hour"]) == ("far", None, "2013-01-05T21:00:00Z")


def test_of_a_key_that_comes_twice_one_row_is_used(lake: Athena) -> None:
    assert reasons(lake, raw_flight(), raw_flight()) == [None, "duplicate key"]


def test_the_same_flight_number_at_another_time_is_another_flight(lake: Athena) -> None:
    assert reasons(lake, raw_flight(), raw_flight("2013-01-05 16:05")) == [None, None]


def test_a_duplicate_with_a_label_is_taken_before_one_without(lake: Athena) -> None:
    assert reasons(lake, raw_flight(delays=(None, None)), raw_flight()) == [None, "duplicate key"]


@pytest.mark.parametrize(
    "changes",
    [
        {"distance": 188},
        {"sched_arr_time": "1701"},
        {"sched_arr_time": "1701", "time_hour": "2013-01-05 21:00:00"},
        {"air_time": None},
        {"dest": "LAX"},
    ],
)
def test_which_row_of_a_key_is_used_does_not_depend_on_their_order(lake: Athena, changes: dict[str, Any]) -> None:
    pair = raw_flight(), raw_flight(**changes)

    def used(*rows: dict[str, Any]) -> dict[str, Any]:
        (row,) = (r for r in checked(lake, *({**row} for row in rows)) if r["quarantine_reason"] is None)
        return row

    assert used(*pair) == used(*reversed(pair))


def test_a_row_in_the_wrong_file_does_not_make_a_good_one_a_duplicate(lake: Athena) -> None:
    astray = raw_flight(file_month="2013-02")
    lake.given("bronze.flights", [astray, raw_flight(arr_delay=None, dep_delay=None)])
    rows = lake.rows("staging/checked_flights.sql", months=["2013-01", "2013-02"])
    assert {row["month"]: row["quarantine_reason"] for row in rows} == {
        "2013-01": "no label: cancelled",
        "2013-02": "unparseable: month is not that of the file",
    }


def test_a_broken_row_does_not_make_a_good_one_a_duplicate(lake: Athena) -> None:
    assert reasons(lake, raw_flight(distance="far"), raw_flight()) == [None, "unparseable: distance"]


def test_flights_cancelled_later_count_as_scheduled(lake: Athena) -> None:
    rows = checked(lake, raw_flight(), raw_flight(flight=2, delays=(None, None)), raw_flight("2013-01-05 17:00"))
    counts = {(row["flight_number"], row["scheduled_hour"]): row["origin_scheduled_flight_count"] for row in rows}
    assert counts == {(1, 16): 2, (2, 16): 2, (1, 17): 1}


def test_only_the_months_asked_for_are_read(lake: Athena) -> None:
    (row,) = checked(lake, raw_flight("2013-01-05 16:00"), raw_flight("2013-02-05 16:00"))
    assert row["month"] == "2013-01"


def test_a_line_cut_short_is_quarantined(lake: Athena) -> None:
    lake.given("bronze.flights", [raw_flight()])
    header = ",".join(f"c{number}" for number in range(19))
    lake.given_text("flights/year=2013/month=01/more", f"{header}\n2013,1,5,1600,16\n")
    rows = lake.rows("staging/checked_flights.sql", months=MONTHS)
    broken = [row["quarantine_reason"] for row in rows if row["quarantine_reason"]]
    assert len(rows) == 2
    assert len(broken) == 1 and broken[0].startswith("unparseable: sched_arr_time, carrier")
