"""When a pipeline's DAG runs: by its assets, and for the months that somebody backfills."""

import pendulum
from airflow.sdk import Asset, AssetAny, AssetOrTimeSchedule
from airflow.timetables.events import EventsTimetable  # airflow.sdk's can't be serialized (3.2.1): no `_summary`

from silverline import months


def asset_or_backfill(asset: Asset | AssetAny, first: pendulum.DateTime) -> AssetOrTimeSchedule:
    """`asset` starts runs; `airflow backfill` makes one for the beginning of each month from that of `first`.

    No run is ever started by the clock: new files are what there is to learn from. Only months that are over are
    listed, and without catch-up Airflow doesn't start what is past. With a cron expression it would, once for the month
    before the first start. A timetable of our own would have to be installed as a plugin.
    """
    over = months.between(f"{first:%Y-%m}", months.previous(f"{pendulum.now('UTC'):%Y-%m}"))
    dates = [pendulum.datetime(int(month[:4]), int(month[5:]), 1, tz="UTC") for month in over]
    return AssetOrTimeSchedule(
        assets=asset, timetable=EventsTimetable(event_dates=dates, description="month by month in a backfill")
    )
