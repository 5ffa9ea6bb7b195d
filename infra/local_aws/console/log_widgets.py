"""Log widgets: a query of Logs Insights, as a table or drawn."""

import itertools
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.console import charts
from local_aws.console.charts import COLORS, Line
from local_aws.console.clients import client
from local_aws.console.properties import BadWidget, Drawn, member
from local_aws.console.ranges import TimeRange

_KNOWN = {"title", "region", "query", "view"}
VIEWS = ("table", "timeSeries", "bar", "pie")
PATIENCE_SECONDS, POLL_SECONDS = 30, 0.1
MOST_ROWS = 1000  # of a table
# A query of a widget says by itself which log groups it is about, where StartQuery is told so beside it.
_SOURCE = re.compile(r"\s*SOURCE\s+'([^']*)'\s*(?:\||$)")


def drawn(properties: Mapping[str, Any], shown: TimeRange, region: str) -> Drawn:
    """A "table" (columns, the first rows, and how many more there are), or a "figure"; BadWidget where the properties
    are none that can be drawn."""
    view = member(properties, "view", str, "table")
    if view not in VIEWS:
        raise BadWidget(f"A view called {view!r} of a log is not drawn here; {', '.join(VIEWS)} are.")
    columns, rows = _run(*_taken_apart(member(properties, "query", str, "")), shown, region)
    if view == "table":
        cells = [[row.get(name, "") for name in columns] for row in rows[:MOST_ROWS]]
        return Drawn("table", (columns, cells, len(rows) - len(cells)), _KNOWN)
    if view == "timeSeries":
        stacked = member(properties, "stacked", bool, False)
        figure = charts.over_time(_over_time(columns, rows), shown.start, shown.end, stacked)
        return Drawn("figure", figure, _KNOWN | {"stacked"})
    groups = [name for name in columns if not _are_numbers(rows, name)]
    numbers = [name for name in columns if name not in groups]
    if rows and not numbers:
        raise BadWidget(f"A {view} needs a column of numbers; the query has {', '.join(columns)}.")
    found = [
        Line(" ".join(row.get(name, "") for name in groups) or name, [shown.end], [float(row[name])], color)
        for name in numbers[:1]
        for row, color in zip(rows, itertools.cycle(COLORS), strict=False)
        if name in row
    ]
    figure = charts.pie(found) if view == "pie" else charts.bars(found, charts.Axis("".join(numbers[:1])))
    return Drawn("figure", figure, _KNOWN)


def _taken_apart(query: str) -> tuple[list[str], str]:
    """The log groups and the query itself."""
    groups, rest = [], query
    while match := _SOURCE.match(rest):
        groups.append(match[1])
        rest = rest[match.end() :]
    if not groups or "SOURCE" in rest:
        raise BadWidget("Its query does not begin with SOURCE 'a log group' | (other forms of SOURCE are not taken).")
    return groups, rest.strip() or "fields @timestamp, @message"


def _run(groups: list[str], query: str, shown: TimeRange, region: str) -> tuple[list[str], list[dict[str, str]]]:
    """The columns, and each row's values by their column."""
    logs = client("logs", region)
    times = {"startTime": int(shown.start.timestamp()), "endTime": int(shown.end.timestamp())}
    query_id = logs.start_query(logGroupNames=groups, queryString=query, **times)["queryId"]
    until = time.monotonic() + PATIENCE_SECONDS
    while (answer := logs.get_query_results(queryId=query_id))["status"] in ("Scheduled", "Running"):
        if time.monotonic() > until:
            raise BadWidget(f"Its query still runs after {PATIENCE_SECONDS} s.")
        time.sleep(POLL_SECONDS)
    if answer["status"] != "Complete":
        raise BadWidget(f"Its query ended as {answer['status']}.")
    rows = [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]
    return list(dict.fromkeys(name for row in rows for name in row)), rows


def _over_time(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> list[Line]:
    """Lines over the times that `bin` makes: one for each column of numbers and each of the groups beside."""
    if not rows:
        return []
    times = [name for name in columns if name.startswith("bin(")] or [name for name in columns if name == "@timestamp"]
    if not times:
        raise BadWidget(f"A timeSeries needs a column of times, as `by bin(5m)` makes; there are {', '.join(columns)}.")
    values = [name for name in columns if name != times[0] and _are_numbers(rows, name)]
    groups = [name for name in columns if name != times[0] and name not in values]
    found: dict[str, list[tuple[datetime, float]]] = {}
    for row in rows:
        group = " ".join(row.get(name, "") for name in groups)
        for name in values:
            if name in row and times[0] in row:
                label = " ".join(filter(None, (group, name if len(values) > 1 or not group else "")))
                at = datetime.fromisoformat(row[times[0]]).replace(tzinfo=UTC)
                found.setdefault(label, []).append((at, float(row[name])))
    return [
        Line(label, [at for at, _ in sorted(points)], [value for _, value in sorted(points)], color)
        for (label, points), color in zip(found.items(), itertools.cycle(COLORS), strict=False)
    ]


def _are_numbers(rows: Sequence[Mapping[str, str]], name: str) -> bool:
    return all(re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", row[name]) for row in rows if name in row)
