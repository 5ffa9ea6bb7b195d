"""The range of time that a page shows, and how often it looks again: from its address, or from the dashboard itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

RELATIVE = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "3h": timedelta(hours=3),
    "12h": timedelta(hours=12),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "1w": timedelta(weeks=1),
}
REFRESH = {"off": 0, "10s": 10, "1m": 60}  # seconds
DEFAULT = "3h"  # CloudWatch's
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
_DURATION = re.compile(r"-P(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class BadRange(ValueError):
    """What is no range of time; the text says why."""


@dataclass(frozen=True)
class TimeRange:
    """From `start` until `end`; `name` is one of RELATIVE, "custom", or "default" where it is the dashboard's."""

    start: datetime
    end: datetime
    name: str

    @property
    def seconds(self) -> int:
        """How long it is."""
        return int((self.end - self.start).total_seconds())


def of(asked: Mapping[str, str], own: Mapping[str, Any], now: datetime) -> TimeRange:
    """The range that an address asks for, else the dashboard's own (`start` and `end` of its body), else three
    hours; BadRange where one of them is none."""
    if asked.get("start") or asked.get("end"):
        return _checked(_time(asked.get("start", ""), now), _time(asked.get("end", ""), now), "custom")
    name = asked.get("range") or ("default" if own.get("start") else DEFAULT)
    if name == "default" and own.get("start"):
        end = _time(own["end"], now) if own.get("end") else now
        return _checked(_time(own["start"], now), end, "default")
    if name not in RELATIVE:
        raise BadRange(f"range={name} is none of {', '.join(RELATIVE)}")
    return TimeRange(now - RELATIVE[name], now, name)


def refresh_seconds(asked: Mapping[str, str]) -> int:
    """After how many seconds to look again, 0 for never; BadRange where that is nothing to choose."""
    name = asked.get("refresh") or "off"
    if name not in REFRESH:
        raise BadRange(f"refresh={name} is none of {', '.join(REFRESH)}")
    return REFRESH[name]


def _checked(start: datetime, end: datetime, name: str) -> TimeRange:
    if start >= end:
        raise BadRange(f"it begins at {start:%Y-%m-%d %H:%M} and ends at {end:%Y-%m-%d %H:%M}, which is not later")
    return TimeRange(start, end, name)


def _time(text: Any, now: datetime) -> datetime:
    """A time in ISO 8601, UTC where it has no time zone; or a duration before now, -PT3H say."""
    if match := _DURATION.fullmatch(str(text)):
        months, weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
        return now - timedelta(30 * months + days, seconds, hours=hours, minutes=minutes, weeks=weeks)
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise BadRange(f"'{text}' is no time: write it as 2026-01-31T09:00, in UTC, or as -PT3H") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
