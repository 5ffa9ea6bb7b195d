"""Made-up data that train.py can learn from: flight_delay's, and airport_weather's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

STRINGS = ("carrier", "origin", "destination", "plane_manufacturer", "plane_engine")
NUMBERS = (
    *("month_of_year", "day_of_month", "day_of_week", "scheduled_hour", "scheduled_minute"),
    *("scheduled_duration_minutes", "distance_miles", "origin_scheduled_flight_count", "plane_age_years"),
    *("plane_engine_count", "plane_seat_count", "plane_turn_minutes", "temperature_fahrenheit"),
    *("dew_point_fahrenheit", "humidity_percent", "wind_direction_degrees", "wind_speed_mph", "wind_gust_mph"),
    *("precipitation_inches", "pressure_millibars", "visibility_miles", "origin_departure_count_1h"),
    *("origin_departure_delay_minutes_1h", "origin_departure_delay_minutes_3h", "origin_late_departure_share_3h"),
    *("origin_departure_delay_minutes_24h", "origin_arrival_delay_minutes_3h", "carrier_departure_delay_minutes_3h"),
    *("carrier_departure_delay_minutes_24h", "carrier_arrival_delay_minutes_7d"),
    *("destination_arrival_delay_minutes_3h", "destination_arrival_delay_minutes_24h"),
    *("route_arrival_delay_minutes_7d", "flight_arrival_delay_minutes_21d", "flight_late_arrival_share_21d"),
    *("plane_last_delay_minutes_24h", "plane_idle_minutes_24h"),
)


def flights(row_count: int, seed: int) -> pd.DataFrame:
    """Made-up features, some missing, with a label that departures' delays at the origin have a say in."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({name: random.choice(["AA", "B6", "UA"], row_count) for name in STRINGS})
    for name in NUMBERS:
        frame[name] = random.normal(10, 5, row_count).round(3)
    delays = frame["origin_departure_delay_minutes_3h"]
    frame["is_late"] = random.random(row_count) < 1 / (1 + np.exp(12 - delays))
    frame["flight_number"] = range(row_count)
    frame["scheduled_departure_at"] = pd.Timestamp("2013-01-05 16:00")
    frame["month"] = "2013-01"
    frame.loc[random.random(row_count) < 0.2, ["plane_age_years", "wind_gust_mph", "plane_manufacturer"]] = None
    return frame


# Of each segment its share of the days, and of its days the middle of each feature: two that are alike in their delays
# and not in their weather, or the other way round, aren't told apart by either alone.
PLANTED = {
    "departure_delay_minutes": (4.0, 6.0, 20.0, 90.0),
    "precipitation_inches": (0.0, 0.0, 1.0, 2.0),
    "cancelled_share": (0.0, 0.01, 0.02, 0.3),
    "late_departure_share": (0.08, 0.14, 0.3, 0.7),
    "wind_speed_mph": (7.0, 22.0, 9.0, 20.0),
    "visibility_miles": (10.0, 10.0, 3.0, 5.0),
    "humidity_percent": (50.0, 40.0, 92.0, 85.0),
}
SHARES = (0.45, 0.25, 0.2, 0.1)
SPREADS = (0.5, 0.03, 0.003, 0.02, 0.7, 0.2, 3.0)


def planted(row_count: int, seed: int) -> np.ndarray:
    """The segment of each row, the same for all airports of a day."""
    return np.random.default_rng(seed).choice(len(SHARES), row_count, p=SHARES)[np.arange(row_count) // 3]


def days(row_count: int, seed: int) -> pd.DataFrame:
    """Made-up days at three airports, each of which lies near the middle of its segment."""
    random, segments = np.random.default_rng(seed + 100), planted(row_count, seed)
    dates = pd.Timestamp("2013-01-01") + pd.to_timedelta(np.arange(row_count) // 3, "D")
    frame = pd.DataFrame({"flight_date": dates.strftime("%Y-%m-%d"), "day_of_week": dates.dayofweek + 1})
    frame["origin"] = np.resize(["EWR", "JFK", "LGA"], row_count)
    for (name, middles), spread in zip(PLANTED.items(), SPREADS, strict=True):
        values = random.normal(np.array(middles)[segments], spread)
        limit = 1.0 if name.endswith("_share") else np.inf
        frame[name] = np.clip(values, 0.0, limit).round(4)
    return frame.assign(month="2013-01")


def write_channels(folder: Path, rows: Callable[[int, int], pd.DataFrame] = flights) -> Path:
    """Writes three channels of such rows into `folder`, the training one in two files."""
    for seed, (name, row_count) in enumerate({"train": 1500, "validation": 400, "test": 400}.items()):
        (folder / name).mkdir(parents=True)
        frame = rows(row_count, seed)
        frame[: row_count // 2].to_parquet(folder / name / "part-0.parquet")
        frame[row_count // 2 :].to_parquet(folder / name / "part-1.parquet")
    return folder
