"""silver/flight_features.sql: every feature is what was known two hours before scheduled departure, and no more.

The flight asked about leaves at 16:00: what became known by 14:00 may count.
"""

import ast
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sql_lake import Athena, flight, weather

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts" / "flight_delay"
ASKED = flight("2013-01-05 16:00", flight_number=100)
KEYS = ("carrier", "flight_number", "origin", "scheduled_departure_at")


@pytest.fixture
def lake(athena: Athena) -> Athena:
    """A lake with one observation and one aircraft."""
    athena.given("bronze.planes", [{"tailnum": "N1", "year": 2003, "manufacturer": "AIRBUS", "seats": 200}])
    athena.given("silver.weather", [weather("2013-01-05 12:00")])
    return athena


def features(lake: Athena, *others: dict[str, Any], months: tuple[str, ...] = ("2013-01",)) -> dict[str, Any]:
    """The features of the flight asked about, given what else has flown."""
    lake.given_flights([ASKED, *others])
    rows = lake.rows("silver/flight_features.sql", months=list(months))
    (row,) = (row for row in rows if row["flight_number"] == 100 and row["scheduled_hour"] == 16)
    return row


def test_the_schedule_the_label_and_the_plane_come_with_the_flight(lake: Athena) -> None:
    row = features(lake)
    assert (row["carrier"], row["scheduled_hour"], row["day_of_week"], row["is_late"]) == ("B6", 16, 6, False)
    assert (row["plane_age_years"], row["plane_seat_count"], row["plane_manufacturer"]) == (10, 200, "AIRBUS")


def test_a_delay_known_at_the_prediction_time_counts(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 13:30", delays=(30, 40)))
    assert row["origin_departure_count_1h"] == 1
    assert row["origin_departure_delay_minutes_1h"] == 30
    assert row["origin_late_departure_share_3h"] == 1


def test_what_becomes_known_after_the_prediction_time_changes_nothing(lake: Athena) -> None:
    alone = features(lake)
    # The plane's plan is known beforehand; what flies under another tail number can tell nothing of it.
    unknown = [
        flight("2013-01-05 13:30", delays=(31, 90), tail_number="N9"),
        flight("2013-01-05 15:00", delays=(60, 60), tail_number="N9", carrier="AA"),
        flight("2013-01-05 16:00", delays=(200, 200), tail_number="N9", flight_number=2),
        flight("2013-01-05 18:00", delays=(300, 300), tail_number="N9"),
        flight("2013-01-06 10:00", delays=(99, 99), tail_number="N9"),
    ]
    assert features(lake, *unknown) == alone


@pytest.mark.parametrize(
    ("scheduled", "delays"),
    [
        # Departed at 13:40, in the air when the question is asked.
        ("2013-01-05 13:30", (10, 5)),
        # Flies between the question and the flight asked about, in the same plane.
        ("2013-01-05 14:30", (5, 20)),
        # The plane's next flight.
        ("2013-01-05 19:00", (30, 30)),
    ],
)
@pytest.mark.parametrize("other", [{}, {"carrier": "AA", "origin": "LGA", "flight_number": 100}])
def test_that_a_flight_is_cancelled_or_diverted_after_the_prediction_time_changes_nothing(
    lake: Athena, scheduled: str, delays: tuple[int, int], other: dict[str, Any]
) -> None:
    landed = features(lake, flight(scheduled, delays, **other))
    assert features(lake, flight(scheduled, (delays[0], None), **other)) == landed
    if scheduled >= "2013-01-05 14:00":
        assert features(lake, flight(scheduled, (None, None), **other)) == landed


def test_a_flight_that_departed_counts_as_departed_though_it_is_diverted_later(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 13:30", delays=(20, None)))
    assert row["origin_departure_count_1h"] == 1
    assert row["origin_departure_delay_minutes_1h"] == 20
    assert row["plane_last_delay_minutes_24h"] == 20
    assert row["destination_arrival_delay_minutes_24h"] is None


def test_a_cancelled_flight_neither_departs_nor_arrives_but_is_in_its_planes_schedule(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 11:00", delays=(None, None)))
    assert row["origin_departure_count_1h"] == 0
    assert row["origin_departure_delay_minutes_24h"] is None
    assert row["plane_idle_minutes_24h"] is None
    assert row["plane_turn_minutes"] == 4 * 60


def test_flights_without_a_label_are_no_rows(lake: Athena) -> None:
    lake.given_flights([ASKED, flight("2013-01-05 11:00", (None, None)), flight("2013-01-05 12:00", (5, None))])
    rows = lake.rows("silver/flight_features.sql", months=["2013-01"])
    assert [row["flight_number"] for row in rows] == [100]


def test_an_arrival_after_the_prediction_time_hides_its_delay_but_not_the_departures(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 12:00", delays=(20, 61)))
    assert row["origin_departure_delay_minutes_3h"] == 20
    assert row["destination_arrival_delay_minutes_24h"] is None
    assert row["plane_last_delay_minutes_24h"] == 20


def test_an_arrival_at_the_prediction_time_counts(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 12:00", delays=(20, 60)))
    assert row["destination_arrival_delay_minutes_24h"] == 60
    assert row["route_arrival_delay_minutes_7d"] == 60
    assert row["plane_last_delay_minutes_24h"] == 60


@pytest.mark.parametrize("delays", [(-10, -20), (180, 200)])
def test_the_flights_own_outcome_changes_only_its_label(lake: Athena, delays: tuple[int, int]) -> None:
    as_planned = features(lake)
    lake.given_flights([flight("2013-01-05 16:00", delays, flight_number=100)])
    (row,) = lake.rows("silver/flight_features.sql", months=["2013-01"])
    assert {**row, "is_late": False} == as_planned


@pytest.mark.parametrize(
    ("other", "feature"),
    [
        ({"origin": "LGA"}, "origin_departure_delay_minutes_3h"),
        ({"carrier": "AA"}, "carrier_departure_delay_minutes_3h"),
        ({"destination": "LAX"}, "destination_arrival_delay_minutes_24h"),
        ({"origin": "LGA"}, "route_arrival_delay_minutes_7d"),
        ({"flight_number": 7}, "flight_arrival_delay_minutes_21d"),
        ({"tail_number": "N7"}, "plane_last_delay_minutes_24h"),
    ],
)
def test_another_origin_carrier_destination_or_plane_does_not_count(
    lake: Athena, other: dict[str, Any], feature: str
) -> None:
    same = flight("2013-01-05 11:30", delays=(10, 10), flight_number=100)
    assert features(lake, same, {**same, **other, "departure_delay_minutes": 90, "arrival_delay_minutes": 90})[
        feature
    ] == pytest.approx(10)


def test_what_is_older_than_the_window_does_not_count(lake: Athena) -> None:
    row = features(
        lake,
        flight("2013-01-05 12:59", delays=(0, 0)),
        flight("2013-01-05 10:59", delays=(0, 2)),
        flight("2013-01-04 13:58", delays=(1, 6)),
        flight("2012-12-29 11:29", delays=(0, 90)),
    )
    assert row["origin_departure_count_1h"] == 0
    assert row["origin_departure_delay_minutes_1h"] is None
    assert row["origin_arrival_delay_minutes_3h"] == (0 + 2) / 2
    assert row["origin_departure_delay_minutes_24h"] == 0
    assert row["carrier_arrival_delay_minutes_7d"] == (0 + 2 + 6) / 3


def test_the_month_before_is_read_but_not_written(lake: Athena) -> None:
    asked = flight("2013-02-01 01:00", flight_number=100)
    lake.given_flights([asked, flight("2013-01-31 20:00", delays=(25, 25))])
    (row,) = lake.rows("silver/flight_features.sql", months=["2013-02"])
    assert row["origin_departure_delay_minutes_3h"] == 25
    assert row["month"] == "2013-02"


def test_a_month_alone_gives_what_it_gives_among_others(lake: Athena) -> None:
    # New York's midnight is 05:00 UTC. The first question of March looks back furthest, into the shortest month.
    first_of_march = flight("2013-03-01 05:00", flight_number=100)
    january = {"flight_number": 100, "flight_date": date(2013, 1, 31), "month": "2013-01"}
    february = {"flight_number": 100, "flight_date": date(2013, 2, 28), "month": "2013-02"}
    flights = [
        first_of_march,
        # On the edge of its window, and a minute before.
        flight("2013-02-08 02:00", (0, 0), flight_number=100),
        flight("2013-02-08 02:00", (0, -1), flight_number=100, carrier="AA"),
        # The last flight of January, as late as a flight may be.
        flight("2013-02-01 04:59", (2900, 3000), **january),
        flight("2013-02-05 16:00", (7, 8)),
        # The last of February, asked about while the first of March leaves as early as one may.
        flight("2013-03-01 04:59", (1, 1), **february, carrier="UA"),
        flight("2013-03-01 05:00", (-119, -119), flight_number=2),
    ]
    lake.given_flights(flights)
    months = ["2013-01", "2013-02", "2013-03"]
    among = _by_key(lake.rows("silver/flight_features.sql", months=months))
    alone = {month: _by_key(lake.rows("silver/flight_features.sql", months=[month])) for month in months}
    for month in months:
        assert alone[month] == [row for row in among if row["month"] == month]
    (row,) = (row for row in alone["2013-03"] if row["flight_number"] == 100)
    assert row["flight_arrival_delay_minutes_21d"] == 0


@pytest.mark.parametrize(("delay", "counts"), [(0, True), (-1, False)])
def test_the_longest_window_is_three_weeks(lake: Athena, delay: int, counts: bool) -> None:
    lake.given_flights(
        [
            flight("2013-03-01 05:00", flight_number=100),
            flight("2013-02-08 02:00", (0, delay), flight_number=100),
        ]
    )
    (row,) = lake.rows("silver/flight_features.sql", months=["2013-03"])
    assert row["flight_arrival_delay_minutes_21d"] == (delay if counts else None)


def test_the_columns_of_the_features_the_splits_and_the_training_agree(lake: Athena) -> None:
    row = features(lake)
    lake.create("silver/flight_features.sql", months=["2013-01"])
    (split,) = lake.rows("splits/split.sql", months=["2013-01"])
    assert split.keys() == row.keys()
    # The scripts run where Airflow's environment isn't, so their lists are read and not imported.
    lists = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for script in ("split.py", "train.py")
        for statement in ast.parse((SCRIPTS / script).read_text()).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.List)
    }
    used = {column for columns in lists.values() for column in columns}
    assert lists.keys() >= {"STRINGS", "REQUIRED_NUMBERS", "OPTIONAL_NUMBERS", "KEY", "BASELINE_NUMBERS"}
    assert used == split.keys() - {"is_late", "tail_number", "month"}


def test_weather_measured_after_the_prediction_time_is_not_used(lake: Athena) -> None:
    lake.given("silver.weather", [weather("2013-01-05 14:00", wind_speed_mph=99.0), weather("2013-01-05 12:00")])
    assert features(lake)["wind_speed_mph"] == 3.0


def test_the_observation_of_the_hour_before_the_prediction_is_the_last_one_known(lake: Athena) -> None:
    lake.given("silver.weather", [weather("2013-01-05 13:00", wind_speed_mph=7.0), weather("2013-01-05 12:00")])
    assert features(lake)["wind_speed_mph"] == 7.0


@pytest.mark.parametrize(("observed", "wind"), [("2013-01-05 08:00", 3.0), ("2013-01-05 07:00", None)])
def test_an_older_observation_stands_in_for_six_hours(athena: Athena, observed: str, wind: float | None) -> None:
    athena.given("bronze.planes", [])
    athena.given("silver.weather", [weather(observed)])
    assert features(athena)["wind_speed_mph"] == wind


def test_weather_elsewhere_is_not_used(athena: Athena) -> None:
    athena.given("bronze.planes", [])
    athena.given("silver.weather", [weather(origin="LGA")])
    assert features(athena)["wind_speed_mph"] is None


def test_the_planes_turn_is_from_its_last_scheduled_arrival(lake: Athena) -> None:
    row = features(lake, flight("2013-01-05 11:00", delays=(0, 50)), flight("2013-01-04 11:00"))
    assert row["plane_turn_minutes"] == 4 * 60


def test_flights_without_a_tail_number_are_not_one_plane(lake: Athena) -> None:
    asked = flight("2013-01-05 16:00", flight_number=100, tail_number=None)
    lake.given_flights([asked, flight("2013-01-05 11:00", delays=(9, 9), tail_number=None)])
    (row,) = (r for r in lake.rows("silver/flight_features.sql", months=["2013-01"]) if r["flight_number"] == 100)
    assert row["plane_turn_minutes"] is None
    assert row["plane_last_delay_minutes_24h"] is None
    assert row["plane_idle_minutes_24h"] is None


def test_a_plane_that_is_listed_twice_does_not_double_its_flights(athena: Athena) -> None:
    athena.given("bronze.planes", [{"tailnum": "N1", "year": 2003}, {"tailnum": "N1", "year": 2004}])
    athena.given("silver.weather", [weather()])
    assert features(athena)["plane_age_years"] == 9


def _by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(row[key]) for key in KEYS])


def test_of_two_flights_of_one_plane_in_one_minute_the_order_of_rows_decides_nothing(lake: Athena) -> None:
    # The data has such mistakes: one tail number on two flights that leave at the same time.
    arrived = datetime(2013, 1, 5, 12, 30)
    twins = [
        flight("2013-01-05 11:00", delays=(20, 30), flight_number=1, arrived_at=arrived),
        flight(
            "2013-01-05 11:00",
            delays=(20, 10),
            flight_number=2,
            arrived_at=arrived,
            scheduled_arrival_at=datetime(2013, 1, 5, 12, 20),
        ),
    ]
    assert features(lake, *twins) == features(lake, *reversed(twins))
