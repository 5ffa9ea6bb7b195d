"""GetMetricStatistics, GetMetricData and ListMetrics over what was put."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_aws.cloudwatch.evaluation import Datapoint
from local_aws.cloudwatch.metric_math import evaluate, in_order
from local_aws.cloudwatch.metrics import Key, MetricStore, key_of
from local_aws.cloudwatch.search import Search, labels
from local_aws.cloudwatch.series import Series, Surroundings
from local_aws.cloudwatch.statistics import by_period, statistic

DAY = 86400
PAGE_METRICS = 500
RECENTLY_ACTIVE_SECONDS = 3 * 3600
LISTED_SECONDS = 14 * DAY  # a metric that got nothing for so long is listed no more, nor found
MOST_FOUND = 500  # by a search


@dataclass(frozen=True)
class Result:
    """What a MetricDataQuery came to: its data points, oldest first."""

    id: str
    label: str
    datapoints: Sequence[Datapoint]
    is_returned: bool


def period_of(query: Mapping[str, Any]) -> int | None:
    """The Period that a MetricDataQuery names."""
    return query.get("Period") or (query.get("MetricStat") or {}).get("Period")


def aligned(start: float, period: int, now: float) -> float:
    """Where the first period of a range begins: AWS rounds the start down, the more the older it is."""
    age = now - start
    step = period if period < 60 else 60
    if age > 63 * DAY:
        step = 3600
    elif age > 15 * DAY:
        step = 300
    return start // step * step


def metric_statistics(
    store: MetricStore, request: Mapping[str, Any], start: float, end: float, now: float
) -> list[dict[str, Any]]:
    """GetMetricStatistics' data points, one for every period and unit, oldest first."""
    key, period, start = key_of(request), request["Period"], aligned(start, request["Period"], now)
    samples = store.samples(key, start, end, request.get("Unit"))
    found = []
    for begin, grouped in sorted(by_period(samples, start, period).items()):
        for unit in sorted({sample.unit for sample in grouped}):
            of_unit = [sample for sample in grouped if sample.unit == unit]
            point: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(begin, UTC), "Unit": unit}
            point |= {name: statistic(name).of(of_unit) for name in request.get("Statistics") or []}
            extended = {name: statistic(name).of(of_unit) for name in request.get("ExtendedStatistics") or []}
            known = {name: value for name, value in extended.items() if value is not None}
            if known:
                point["ExtendedStatistics"] = known
            if known or len(point) > 2:
                found.append(point)
    return found


def metric_data(
    store: MetricStore, queries: Sequence[Mapping[str, Any]], begin: Callable[[int], float], end: float
) -> list[Result]:
    """What the queries come to, in their order; `begin` gives the beginning of the range for a period."""
    found: dict[str, list[Result]] = {}
    series: dict[str, Series] = {}
    expressions = {query["Id"]: query for query in queries if query.get("Expression")}
    periods = []
    for query in [query for query in queries if query["Id"] not in expressions]:
        stat = query["MetricStat"]
        label, period = query.get("Label") or stat["Metric"]["MetricName"], stat["Period"]
        points = store.datapoints(
            key_of(stat["Metric"]), statistic(stat["Stat"]), period, begin(period), end, stat.get("Unit")
        )
        periods.append(period)
        found[query["Id"]] = [Result(query["Id"], label, points, query.get("ReturnData", True))]
        series[query["Id"]] = Series(
            {point.start: point.value for point in points if point.value is not None}, label, period
        )
    results: dict[str, Series | list[Series]] = {}
    for name in in_order({name: query["Expression"] for name, query in expressions.items()}):
        query = expressions[name]
        period = query.get("Period") or max(periods, default=60)
        times = _times(begin(period), end, period)
        search = _searching(store, period, begin, end)
        results[name] = evaluate(query["Expression"], Surroundings(times, series, results, search))
        found[name] = _expression_results(query, results[name])
    return [result for query in queries for result in found[query["Id"]]]


def _searching(
    store: MetricStore, period: int, begin: Callable[[int], float], end: float
) -> Callable[[Search], list[Series]]:
    """What finds metrics and their data points in the range; in an order of their own, which AWS doesn't tell."""

    def search(asked: Search) -> list[Series]:
        every = asked.period or period
        keys = sorted(key for key in metrics(store, {}, time.time()) if asked.matches(key))[:MOST_FOUND]
        found = [store.datapoints(key, asked.statistic, every, begin(every), end) for key in keys]
        return [
            Series({point.start: point.value for point in points if point.value is not None}, label, every)
            for points, label in zip(found, labels(keys), strict=True)
        ]

    return search


def _times(start: float, end: float, period: int) -> list[float]:
    return [start + number * period for number in range(max(0, math.ceil((end - start) / period)))]


def _expression_results(query: Mapping[str, Any], value: Series | list[Series]) -> list[Result]:
    label = query.get("Label")
    labels = (
        [f"{label or ''} {one.label}".strip() for one in value] if isinstance(value, list) else [label or query["Id"]]
    )
    return [
        Result(
            query["Id"],
            shown,
            [Datapoint(time, one.values[time]) for time in sorted(one.values)],
            query.get("ReturnData", True),
        )
        for shown, one in zip(labels, value if isinstance(value, list) else [value], strict=True)
    ]


def metrics(store: MetricStore, request: Mapping[str, Any], now: float) -> list[Key]:
    """The metrics that ListMetrics' filters choose."""
    since = now - (RECENTLY_ACTIVE_SECONDS if request.get("RecentlyActive") else LISTED_SECONDS)
    wanted = [(given["Name"], given.get("Value")) for given in request.get("Dimensions") or []]
    return [
        key
        for key, samples in list(store.series.items())
        if request.get("Namespace") in (None, key[0])
        and request.get("MetricName") in (None, key[1])
        and all(any(name == n and value in (None, v) for n, v in key[2]) for name, value in wanted)
        and samples[-1].time >= since
    ]


def page(results: Sequence[Result], first: int, limit: int, newest_first: bool) -> tuple[list[dict[str, Any]], bool]:
    """MetricDataResults with `limit` data points from the `first` on, and whether there are more."""
    found, skipped, left = [], first, limit
    for result in [result for result in results if result.is_returned]:
        points = list(reversed(result.datapoints)) if newest_first else list(result.datapoints)
        taken = points[skipped : skipped + left]
        complete = skipped + left >= len(points)
        if taken or not points:
            found.append(
                {
                    "Id": result.id,
                    "Label": result.label,
                    "Timestamps": [datetime.fromtimestamp(point.start, UTC) for point in taken],
                    "Values": [point.value for point in taken],
                    "StatusCode": "Complete" if complete else "PartialData",
                }
            )
        left -= len(taken)
        skipped = max(0, skipped - len(points))
        if not complete:
            return found, True
    return found, False
