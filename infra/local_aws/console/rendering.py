"""Templates, and how times, sizes and the like are written in them; everything that is put into one is escaped."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@cache
def environment() -> Environment:
    """The templates, which know the filters below."""
    folder = Path(__file__).parent / "templates"
    found = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"time": time, "duration": duration, "size": size, "number": number, "pretty": pretty}
    return found


def time(value: datetime | None) -> str:
    """A time in UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value else "–"


def duration(seconds: float | None) -> str:
    """So many seconds, in the two largest units that matter."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float | None) -> str:
    """So many bytes."""
    if count is None:
        return "–"
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def number(value: float | None, full: bool = False) -> str:
    """A value to read at a glance, or with all its digits."""
    if value is None:
        return "–"
    if full or value == 0:
        return f"{value:,.12g}" if value else "0"
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{value / limit:,.2f} {unit}"
    if abs(value) < 0.001:
        return f"{value:.2e}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def pretty(document: Any) -> str:
    """A document of AWS's as indented JSON."""
    return json.dumps(document, indent=2, default=lambda value: value.isoformat())
