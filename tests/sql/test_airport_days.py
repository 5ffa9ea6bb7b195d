"""A day at an airport: its departures and the weather over them, what of it can't be used, and what is audited."""

import ast
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sql_lake import SILVER_COLUMNS, Athena, flight, weather

from airport_weather import spec

MODULE = Path(__file__).parents[2] / "sagemaker_scripts" / "airport_weather" / "segments.py"
MONTHS = ["2013-01", "2013-02"]
READINGS = ("humidity_percent", "wind_speed_mph", "precipitation_inches", "visibility_miles")
Rows = list[dict[str, Any]]


@pytest.fixture
def lake(athena: Athena) -> Athena:
    """An empty lake, and this pipeline's SQL."""
    athena.pipeline = "airport_weather"
    return athena


def departures(*delays: int | None, on: str = "2013-01-05", count: int = 20, **changes: Any) -> Rows:
    """So many flights at JFK from 12:00 to 15:40, five an hour: the first with these delays, the others in time; None
    was cancelled."""
    in_time = [0] * (count - len(delays))
    return [
        flight(f"{on} {12 + number // 5}:{number % 5}0", (delay, delay), flight_number=number, **changes)
        for number, delay in enumerate([*delays, *in_time])
    ]


def observations(*hours: int, on: str = "2013-01-05", **changes: Any) -> Rows:
    """Complete readings of these hours, from 12 to 15 where none is named."""
    dry = {"humidity_percent": 50.0, "precipitation_inches": 0.0, "visibility_miles": 10.0}
    return [weather(f"{on} {hour:02}:00", **{**dry, **changes}) for hour in hours or range(12, 16)]


def lists_of_the_script() -> dict[str, list[str]]:
    """The lists of names in the scripts' segments.py, by what they are called there."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(MODULE.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List)
    }


def given(lake: Athena, flights: Rows, observed: Rows | None = None) -> None:
    columns = SILVER_COLUMNS["scheduled_flights"]
    lake.given("silver.scheduled_flights", [{name: row[name] for name in columns} for row in flights])
    lake.given("silver.weather", observations() if observed is None else observed)


def the_day(lake: Athena, flights: Rows, observed: Rows | None = None) -> dict[str, Any]:
    """What becomes of the only day that there is."""
    given(lake, flights, observed)
    (day,) = lake.rows("staging/checked_airport_days.sql", months=MONTHS)
    return day


def test_a_day_is_its_origin_and_its_date_on_the_airports_clock(lake: Athena) -> None:
    late = flight("2013-01-06 01:30", flight_date=date(2013, 1, 5))  # 20:30 in New York
    given(lake, [*departures(), late, *departures(origin="LGA"), *departures(on="2013-02-06")])
    rows = lake.rows("staging/checked_airport_days.sql", months=MONTHS)
    found = {
        (row["origin"], str(row["flight_date"]), row["day_of_week"], row["month"]): row["scheduled_flight_count"]
        for row in rows
    }
    assert found == {
        ("JFK", "2013-01-05", 6, "2013-01"): 21,  # Saturday
        ("LGA", "2013-01-05", 6, "2013-01"): 20,
        ("JFK", "2013-02-06", 3, "2013-02"): 20,
    }


def test_months_that_are_not_asked_for_are_not_read(lake: Athena) -> None:
    given(lake, [*departures(), *departures(on="2013-02-05")])
    assert [row["month"] for row in lake.rows("staging/checked_airport_days.sql", months=["2013-02"])] == ["2013-02"]


def test_a_cancelled_flight_counts_among_the_cancelled_and_not_in_delays(lake: Athena) -> None:
    day = the_day(lake, departures(None, None, None, None, None, 30, 60))
    assert (day["scheduled_flight_count"], day["departed_flight_count"], day["cancelled_share"]) == (20, 15, 0.25)
    assert day["departure_delay_minutes"] == pytest.approx(90 / 15)
    assert day["late_departure_share"] == pytest.approx(2 / 15)


def test_a_flight_is_late_that_leaves_more_than_15_minutes_after_its_time(lake: Athena) -> None:
    assert the_day(lake, departures(15, 16, 1))["late_departure_share"] == pytest.approx(1 / 20)


def test_a_flight_that_left_early_is_not_late_by_less_than_nothing(lake: Athena) -> None:
    assert the_day(lake, departures(-10, -10, 40))["departure_delay_minutes"] == 2.0


def test_on_a_day_on_which_nothing_left_nothing_left_on_time(lake: Athena) -> None:
    day = the_day(lake, departures(*[None] * 20))
    shares = day["cancelled_share"], day["late_departure_share"], day["departure_delay_minutes"]
    assert shares == (1.0, 1.0, 0.0) and day["departed_flight_count"] == 0 and day["quarantine_reason"] is None


def test_the_weather_is_that_of_the_hours_from_the_first_scheduled_departure_to_the_last(lake: Athena) -> None:
    storm = {"wind_speed_mph": 99.0, "precipitation_inches": 9.0, "visibility_miles": 0.0, "humidity_percent": 99.0}
    before, after = observations(11, **storm), observations(16, **storm)
    during = [
        *observations(12, 13, precipitation_inches=0.1, wind_speed_mph=4.0),
        *observations(14, 15, visibility_miles=2.0, wind_speed_mph=6.0, humidity_percent=70.0),
    ]
    day = the_day(lake, departures(), [*before, *during, *after])
    assert {name: day[name] for name in READINGS} == {
        "humidity_percent": 60.0,
        "wind_speed_mph": 5.0,
        "precipitation_inches": pytest.approx(0.2),  # all that fell
        "visibility_miles": 2.0,  # the worst of it
    }


def test_the_weather_is_that_of_the_days_own_airport_and_date(lake: Athena) -> None:
    elsewhere = observations(origin="LGA", wind_speed_mph=50.0)
    day = the_day(
        lake, departures(), [*observations(), *elsewhere, *observations(on="2013-01-04", wind_speed_mph=70.0)]
    )
    assert day["wind_speed_mph"] == 3.0


def test_the_evening_of_a_months_last_day_has_its_weather_though_utc_is_in_the_next(lake: Athena) -> None:
    evening = {"flight_date": date(2013, 1, 31), "month": "2013-01"}
    flights = departures(on="2013-02-01", **evening)
    day = the_day(lake, flights, observations(on="2013-02-01", month="2013-01", wind_speed_mph=8.0))
    assert (str(day["flight_date"]), day["month"], day["wind_speed_mph"]) == ("2013-01-31", "2013-01", 8.0)


def test_a_reading_that_is_missing_for_an_hour_leaves_the_others_count(lake: Athena) -> None:
    day = the_day(lake, departures(), [*observations(12, 13, wind_speed_mph=None), *observations(14, 15)])
    assert (day["wind_speed_mph"], day["quarantine_reason"]) == (3.0, None)


UNUSABLE = [
    (departures(count=19), observations(), "too few flights: 19"),
    (departures(), observations(12), "too little weather: 1 of 4 hours"),
    (departures(), [], "too little weather: 0 of 4 hours"),
    *(
        (departures(), observations(**{name: None}), "too little weather: a reading is missing all day")
        for name in READINGS
    ),
]


@pytest.mark.parametrize(("flights", "observed", "reason"), UNUSABLE, ids=["flights", "an hour", "no hour", *READINGS])
def test_a_day_that_can_not_be_used_goes_to_quarantine_with_its_reason(
    lake: Athena, flights: Rows, observed: Rows, reason: str
) -> None:
    sound = departures(on="2013-01-07"), observations(12, 14, on="2013-01-07")  # a half of its hours is enough
    given(lake, [*flights, *sound[0]], [*observed, *sound[1]])
    lake.create("staging/checked_airport_days.sql", months=MONTHS)
    assert lake.rows("silver/airport_days_quarantine.sql") == [
        {"source_table": "airport_days", "reason": reason, "raw_row": "JFK 2013-01-05", "month": "2013-01"}
    ]
    (day,) = lake.rows("silver/airport_days.sql")
    assert str(day["flight_date"]) == "2013-01-07" and day.keys() == SILVER_COLUMNS["airport_days"].keys()


def made(lake: Athena) -> Athena:
    """The lake with all tables of five days in January, one of them unusable, and one in February."""
    days = [f"2013-01-{number:02}" for number in range(1, 5)] + ["2013-02-01"]
    flights = [row for on in days for row in departures(None, 20, on=on)]
    given(lake, [*flights, *departures(on="2013-01-09", count=3)], [row for on in days for row in observations(on=on)])
    lake.create("staging/checked_airport_days.sql", months=MONTHS)
    lake.create("silver/airport_days_quarantine.sql")
    lake.create("silver/airport_days.sql")
    return lake


def test_every_day_with_flights_is_either_published_or_quarantined_and_the_audit_finds_that(lake: Athena) -> None:
    made(lake)
    assert lake.rows("audit/row_counts.sql", months=MONTHS) == [
        {"month": "2013-01", "rows_in": 5, "rows_out": 4, "rows_quarantined": 1},
        {"month": "2013-02", "rows_in": 1, "rows_out": 1, "rows_quarantined": 0},
    ]
    rows = lake.rows("audit/airport_days.sql", months=MONTHS)
    assert len(rows) == 5 * 2 and all(row["is_ok"] for row in rows)
    assert rows[0]["detail"] == "5 days with flights, 4 usable, 1 quarantined"


def a_day(number: int, **changes: Any) -> dict[str, Any]:
    """A sound row of airport_days."""
    shares = {"cancelled_share": 0.0, "late_departure_share": 0.2, "departure_delay_minutes": 9.0}
    readings = dict.fromkeys(READINGS, 1.0)
    return {"origin": "JFK", "flight_date": date(2013, 1, number), **shares, **readings, **changes}


SOUND = [a_day(number) for number in range(1, 6)]
FEATURES = ("cancelled_share", "late_departure_share", "departure_delay_minutes", *READINGS)
LOST = "5 days with flights, 4 usable, 0 quarantined"


def broken(lake: Athena, days: Rows, quarantined: int = 0, count: int = 5) -> dict[str, str]:
    """The checks that these rows of so many days of January break, with their details."""
    flights = [row for number in range(1, count + 1) for row in departures(on=f"2013-01-{number:02}", count=1)]
    given(lake, flights)
    lake.given("silver.airport_days", days)
    lake.given("silver.airport_days_quarantine", [{"reason": "too few flights: 1"}] * quarantined)
    rows = lake.rows("audit/airport_days.sql", months=["2013-01"])
    return {row["check_name"].removeprefix("airport_days: "): row["detail"] for row in rows if not row["is_ok"]}


@pytest.mark.parametrize(
    ("days", "quarantined", "found"),
    [
        (SOUND, 0, {}),
        (SOUND[:4], 1, {}),
        (SOUND[:4], 0, {"days in = days out + quarantined": LOST}),
        ([*SOUND[:4], SOUND[0]], 0, {"keys are unique": "1 keys (origin, flight_date) repeat"}),
        (SOUND[:3], 2, {"few can't be used": "2 of 5 days (at most 1 in 5 may)"}),
    ],
    ids=["sound", "one in quarantine", "one lost", "one twice", "two in quarantine"],
)
def test_the_audit_counts_what_must_not_be_lost_doubled_or_unusable(
    lake: Athena, days: Rows, quarantined: int, found: dict[str, str]
) -> None:
    assert broken(lake, days, quarantined) == found


def test_the_audit_finds_every_feature_that_is_missing(lake: Athena) -> None:
    days = [a_day(number, **{name: None}) for number, name in enumerate(FEATURES, start=1)]
    assert broken(lake, days, count=len(days)) == {"features are filled": "7 rows lack a feature"}


def test_the_audit_finds_every_value_that_can_not_be(lake: Athena) -> None:
    wrong = [(name, value) for name in FEATURES for value in (-0.1, 3001.0)]
    days = [a_day(number, **{name: value}) for number, (name, value) in enumerate(wrong, start=1)]
    said = "14 rows have an implausible share, delay or reading"
    assert broken(lake, days, count=len(days)) == {"values are plausible": said}


def test_a_month_without_a_flight_is_not_published(lake: Athena) -> None:
    made(lake)
    rows = lake.rows("audit/airport_days.sql", months=["2013-02", "2013-03"])
    found = [(row["month"], row["detail"]) for row in rows if not row["is_ok"]]
    assert found == [("2013-03", "0 days with flights, 0 usable, 0 quarantined")]


def test_a_split_has_the_key_the_features_and_what_the_evaluation_slices_and_clusters_by(lake: Athena) -> None:
    lists = lists_of_the_script()
    lake.given("silver.airport_days", [*SOUND, {**a_day(6), "month": "2013-02"}])
    rows = lake.rows("splits/split.sql", months=["2013-01"])
    assert sorted(row["flight_date"] for row in rows) == [f"2013-01-0{number}" for number in range(1, 6)]
    features = {*lists["SKEWED"], *lists["EVEN"]}
    assert features == set(FEATURES)
    assert {*lists["KEY"], *features, *spec.slices, *spec.clusters} <= rows[0].keys()
