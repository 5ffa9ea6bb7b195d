"""Made-up data that flight_delay's train.py can learn from."""

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


def write_channels(folder: Path) -> Path:
    """Writes three channels into `folder`, the training one in two files."""
    for seed, (name, row_count) in enumerate({"train": 1500, "validation": 400, "test": 400}.items()):
        (folder / name).mkdir(parents=True)
        frame = flights(row_count, seed)
        frame[: row_count // 2].to_parquet(folder / name / "part-0.parquet")
        frame[row_count // 2 :].to_parquet(folder / name / "part-1.parquet")
    return folder
