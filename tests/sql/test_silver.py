"""From bronze to silver as the pipeline goes: staged, split into usable and quarantined, counted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sql_lake import AIRPORTS, SILVER_COLUMNS, Athena, flight, raw_flight, raw_weather

MONTHS = ["2013-01", "2013-02"]


@pytest.fixture
def lake(athena: Athena) -> Athena:
    """A lake with three flights in January, one of them broken, one clean flight in February, and their weather."""
    athena.given("bronze.airports", AIRPORTS)
    athena.given("bronze.planes", [{"tailnum": "N1", "year": 2003}])
    january = [raw_flight(), raw_flight(flight=2, delays=(5, 25)), raw_flight(flight=3, distance="far")]
    athena.given("bronze.flights", [*january, raw_flight("2013-02-05 16:00")])
    observations = [raw_weather(), raw_weather("2013-01-05 18:00", temp="warm"), raw_weather("2013-02-05 18:00")]
    athena.given("bronze.weather", observations)
    for path in ("staging/checked_flights", "staging/checked_weather"):
        athena.create(f"{path}.sql", months=MONTHS)
    for path in ("silver/scheduled_flights", "silver/flights", "silver/weather", "silver/quarantine"):
        athena.create(f"{path}.sql", months=MONTHS)
    return athena


def checks(lake: Athena, path: str, months: list[str] = MONTHS) -> dict[tuple[str, str], tuple[bool, str]]:
    rows = lake.rows(path, months=months)
    return {(row["check_name"], row["month"]): (row["is_ok"], row["detail"]) for row in rows}


def broken(lake: Athena, path: str) -> list[str]:
    return [f"{month} {name}: {detail}" for (name, month), (is_ok, detail) in checks(lake, path).items() if not is_ok]


def test_every_row_is_either_published_or_quarantined(lake: Athena) -> None:
    lake.create("silver/flight_features.sql", months=MONTHS)
    rows = lake.rows("audit/row_counts.sql", months=MONTHS)
    assert rows == [
        {"month": "2013-01", "rows_in": 3, "rows_out": 2, "rows_quarantined": 1},
        {"month": "2013-02", "rows_in": 1, "rows_out": 1, "rows_quarantined": 0},
    ]


def test_quarantine_holds_rows_of_both_tables_with_their_reasons(lake: Athena) -> None:
    rows = lake.rows("silver/quarantine.sql", months=MONTHS)
    found = {(row["source_table"], row["reason"], row["month"]) for row in rows}
    assert found == {
        ("flights", "unparseable: distance", "2013-01"),
        ("weather", "unparseable: temp", "2013-01"),
    }


def test_the_audit_of_sound_tables_finds_every_check_kept(lake: Athena) -> None:
    found = checks(lake, "audit/clean.sql")
    assert found["flights: rows in = rows out + quarantined", "2013-01"] == (
        True,
        "3 rows in bronze, 2 in silver, 1 quarantined",
    )
    assert [check for check, (is_ok, _) in found.items() if not is_ok] == [("flights: few are broken", "2013-01")]
    assert len(found) == 2 * 13


def test_a_row_lost_on_the_way_breaks_the_audit(lake: Athena) -> None:
    lake.given("silver.flights", [flight("2013-01-05 21:00"), flight("2013-02-05 21:00")])
    assert "2013-01 flights: rows in = rows out + quarantined: 3 rows in bronze, 1 in silver, 1 quarantined" in broken(
        lake, "audit/clean.sql"
    )


def test_every_flight_with_known_airports_is_scheduled_whatever_became_of_it(athena: Athena) -> None:
    athena.given("bronze.airports", AIRPORTS)
    fates = [raw_flight(flight=4, delays=(None, None)), raw_flight(flight=5, delays=(7, None)), raw_flight(flight=6)]
    unusable = [
        raw_flight(flight=6, tailnum="N9"),
        raw_flight(flight=7, dest="SJU"),
        raw_flight(flight=8, distance="x"),
    ]
    athena.given("bronze.flights", [*fates, *unusable])
    athena.create("staging/checked_flights.sql", months=["2013-01"])
    rows = athena.rows("silver/scheduled_flights.sql")
    at = datetime(2013, 1, 5, 21)
    assert {row["flight_number"]: (row["departed_at"], row["arrived_at"]) for row in rows} == {
        4: (None, None),
        5: (at + timedelta(minutes=7), None),
        6: (at, at + timedelta(hours=1)),
    }
    assert len(rows) == 3


def test_scheduled_flights_that_must_not_be_published_break_the_audit(lake: Athena) -> None:
    first, second, other = (flight(f"2013-0{m}-05 21:00", flight_number=n) for m, n in ((1, 1), (1, 1), (2, 1)))
    columns = SILVER_COLUMNS["scheduled_flights"]
    lake.given(
        "silver.scheduled_flights",
        [{name: row[name] for name in columns} for row in (first, second, other, {**other, "flight_number": 2})],
    )
    assert [line for line in broken(lake, "audit/clean.sql") if "scheduled_flights" in line] == [
        "2013-01 scheduled_flights: keys are unique: "
        "1 keys (carrier, flight_number, origin, scheduled_departure_at) repeat",
        "2013-02 scheduled_flights: flights with a label and without: 2 rows for 1 flights and 0 without a label",
    ]


def test_values_out_of_range_count_as_broken(athena: Athena) -> None:
    athena.given("bronze.airports", AIRPORTS)
    athena.given("bronze.flights", [raw_flight(), raw_flight(flight=2, arr_delay=9999)])
    athena.given("bronze.weather", [raw_weather()])
    for path in ("staging/checked_flights", "staging/checked_weather"):
        athena.create(f"{path}.sql", months=["2013-01"])
    for path in ("silver/scheduled_flights", "silver/flights", "silver/weather", "silver/quarantine"):
        athena.create(f"{path}.sql", months=["2013-01"])
    is_ok, detail = checks(athena, "audit/clean.sql")["flights: few are broken", "2013-01"]
    assert not is_ok and detail.startswith("1 of 2 rows are unparseable, out of range or repeat a key")


def test_an_observation_lost_on_the_way_breaks_the_audit(lake: Athena) -> None:
    lake.given("silver.quarantine", [{"source_table": "flights", "reason": "unparseable: distance"}])
    assert "2013-01 weather: rows in = rows out + quarantined: 2 rows in bronze, 1 in silver, 0 quarantined" in broken(
        lake, "audit/clean.sql"
    )


def test_flights_that_must_not_be_published_break_the_audit(lake: Athena) -> None:
    cases = {
        "2013-01": ("flights: keys are unique", [flight("2013-01-05 21:00"), flight("2013-01-05 21:00")]),
        "2013-02": ("flights: required columns are filled", [flight("2013-02-05 21:00", is_late=None)]),
        "2013-03": ("flights: required columns are filled", [flight("2013-03-05 21:00", arrived_at=None)]),
        "2013-04": ("flights: values are plausible", [flight("2013-04-05 21:00", (0, 9999))]),
        "2013-05": ("flights: values are plausible", [flight("2013-05-05 21:00", distance_miles=0.0)]),
        "2013-06": ("flights: rows are of their month", [flight("2013-07-05 21:00", month="2013-06")]),
        "2013-07": ("flights: there are some", []),
    }
    lake.given("silver.flights", [row for _, rows in cases.values() for row in rows])
    found = checks(lake, "audit/clean.sql", months=list(cases))
    names = {name for name, _ in cases.values()}
    for month, (name, _) in cases.items():
        assert [n for (n, of), (is_ok, _) in found.items() if of == month and n in names and not is_ok] == [name]


def test_a_month_without_bronze_files_breaks_the_audit(lake: Athena) -> None:
    found = checks(lake, "audit/clean.sql", months=["2013-03"])
    assert found["flights: there are some", "2013-03"] == (False, "0 rows")


def test_sound_features_are_one_row_per_flight_with_both_labels(lake: Athena) -> None:
    lake.create("silver/flight_features.sql", months=MONTHS)
    found = checks(lake, "audit/features.sql", months=["2013-01"])
    assert found["flight_features: one row per flight", "2013-01"] == (True, "2 rows for 2 flights")
    assert all(is_ok for is_ok, _ in found.values())
    assert len(found) == 5


FEATURES: dict[str, Any] = {
    **{
        name: flight()[name] for name in ("carrier", "flight_number", "origin", "destination", "scheduled_departure_at")
    },
    **{"day_of_week": 6, "scheduled_hour": 16, "scheduled_minute": 0, "scheduled_duration_minutes": 60},
    **{"distance_miles": 187.0, "origin_scheduled_flight_count": 1, "temperature_fahrenheit": 40.0},
}


def test_features_that_must_not_be_published_break_the_audit(lake: Athena) -> None:
    late, on_time = {**FEATURES, "is_late": True}, {**FEATURES, "is_late": False, "flight_number": 2}
    cases: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "2013-01": ("one row per flight", [late, on_time, {**late, "flight_number": 3}]),
        "2013-02": ("keys are unique", [late, late, on_time]),
        "2013-03": ("required columns are filled", [late, {**on_time, "distance_miles": None}]),
        "2013-04": ("weather is known", [late, {**on_time, "temperature_fahrenheit": None}]),
        "2013-05": ("both labels are there", [on_time]),
        "2013-06": ("both labels are there", [late]),
        "2013-07": ("one row per flight", []),
    }
    # As many flights as features, but in the first and the last month.
    counts = {month: 1 if month in ("2013-01", "2013-07") else len(rows) for month, (_, rows) in cases.items()}
    lake.given("silver.flights", [flight(f"{month}-05 21:00") for month, count in counts.items() for _ in range(count)])
    lake.given(
        "silver.flight_features", [{**row, "month": month} for month, (_, rows) in cases.items() for row in rows]
    )
    found = checks(lake, "audit/features.sql", months=list(cases))
    for month, (name, _) in cases.items():
        broken_checks = [check for (check, of), (is_ok, _) in found.items() if of == month and not is_ok]
        assert f"flight_features: {name}" in broken_checks
        assert len(broken_checks) == 1 or month == "2013-07"


def test_a_split_has_the_features_of_its_months_only(lake: Athena) -> None:
    lake.create("silver/flight_features.sql", months=MONTHS)
    rows = lake.rows("splits/split.sql", months=["2013-02"])
    assert [(row["flight_number"], row["month"]) for row in rows] == [(1, "2013-02")]


def test_a_month_in_which_every_row_is_usable_passes_the_audit(athena: Athena) -> None:
    athena.given("bronze.airports", AIRPORTS)
    athena.given("bronze.flights", [raw_flight()])
    athena.given("bronze.weather", [raw_weather()])
    for path in ("staging/checked_flights", "staging/checked_weather"):
        athena.create(f"{path}.sql", months=["2013-01"])
    for path in ("silver/scheduled_flights", "silver/flights", "silver/weather", "silver/quarantine"):
        athena.create(f"{path}.sql", months=["2013-01"])
    assert all(is_ok for is_ok, _ in checks(athena, "audit/clean.sql", months=["2013-01"]).values())
