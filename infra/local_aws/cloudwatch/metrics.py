"""Metrics as they were put, and what can be asked of them."""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.cloudwatch.evaluation import Datapoint
from local_aws.cloudwatch.statistics import Sample, Statistic, by_period

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class MetricStore:
    """Every metric's samples in the order of their time; plain data."""

    def __init__(self) -> None:
        self.series: dict[Key, list[Sample]] = {}
        self.puts: dict[Key, int] = {}

    def put(self, namespace: str, datum: Mapping[str, Any], now: float) -> None:
        """Add what one MetricDatum of a request, found to be valid, says."""
        key = (namespace, datum["MetricName"], dimensions(datum.get("Dimensions")))
        given = datum.get("Timestamp")
        time = seconds(given) if given else now
        series = self.series.setdefault(key, [])
        for sample in _samples(datum, time):
            bisect.insort(series, sample)
        self.puts[key] = self.puts.get(key, 0) + 1

    def samples(self, key: Key, start: float, end: float, unit: str | None = None) -> list[Sample]:
        """The metric's samples from `start` up to `end`, without it; with a unit, only those put with it."""
        series = self.series.get(key, [])
        first, last = (bisect.bisect_left(series, (time,)) for time in (start, end))
        return [sample for sample in series[first:last] if unit in (None, sample.unit)]

    def datapoints(
        self, key: Key, statistic: Statistic, period: int, start: float, end: float, unit: str | None = None
    ) -> list[Datapoint]:
        """One data point for every period of the range that has samples, oldest first."""
        found = by_period(self.samples(key, start, end, unit), start, period)
        return [
            Datapoint(begin, value, sum(sample.sample_count for sample in found[begin]))
            for begin in sorted(found)
            if (value := statistic.of(found[begin])) is not None
        ]


def dimensions(given: Sequence[Mapping[str, str]] | None) -> tuple[tuple[str, str], ...]:
    """Dimensions in an order of their own, so that two requests' can be compared."""
    return tuple(sorted((dimension["Name"], dimension.get("Value", "")) for dimension in given or ()))


def key_of(metric: Mapping[str, Any]) -> Key:
    """The key of the metric that a Metric structure names."""
    return (metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions")))


def seconds(given: datetime) -> float:
    """The time of a request's timestamp, which is UTC's without saying so."""
    return given.replace(tzinfo=given.tzinfo or UTC).timestamp()


def _samples(datum: Mapping[str, Any], time: float) -> Iterator[Sample]:
    unit = datum.get("Unit") or "None"
    if "StatisticValues" in datum:
        given = datum["StatisticValues"]
        yield Sample(time, unit, *(float(given[name]) for name in ("Minimum", "Maximum", "Sum", "SampleCount")))
        return
    values: Sequence[float] = datum.get("Values") or [datum["Value"]]
    counts: Sequence[float] = datum.get("Counts") or [1.0] * len(values)
    for value, count in zip(values, counts, strict=True):
        yield Sample(time, unit, float(value), float(value), float(value) * float(count), float(count))
