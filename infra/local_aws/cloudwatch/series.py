"""The values of metric math: numbers, time series, and arrays of time series."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local_aws.cloudwatch.search import Search


class MathError(Exception):
    """An expression that can't be read or evaluated; the text says why."""


@dataclass(frozen=True)
class Series:
    """Values by their time; `period` is the metric's, None for what an expression came to."""

    values: Mapping[float, float]
    label: str = ""
    period: int | None = None


Value = float | str | Series | list[Series]


def _nothing_found(_: Search) -> list[Series]:
    return []


@dataclass(frozen=True)
class Surroundings:
    """What an expression can refer to: metrics, earlier results, the times of every period of the range, and what a
    search finds."""

    times: Sequence[float]
    metrics: Mapping[str, Series] = field(default_factory=dict)
    results: Mapping[str, Series | list[Series]] = field(default_factory=dict)
    search: Callable[[Search], list[Series]] = _nothing_found

    def named(self, name: str) -> Series | list[Series]:
        """The metric or the earlier result of that id."""
        if name in self.metrics:
            return self.metrics[name]
        if name in self.results:
            return self.results[name]
        raise MathError(f"there is no metric or expression with the id {name}")
