"""Statistics over what was put into a metric: those with names, percentiles, and trimmed ones."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
# p99, tm90, wm90, tc90, ts90, pr300; TM(10%:90%), PR(:300); IQM
_SHORT = re.compile(r"(p|tm|wm|tc|ts|pr)(\d+(?:\.\d{1,10})?)")
_RANGE = re.compile(r"(TM|WM|TC|TS|PR)\(\s*(\d+(?:\.\d+)?%?)?\s*:\s*(\d+(?:\.\d+)?%?)?\s*\)")


class UnknownStatistic(Exception):
    """The text is no statistic of CloudWatch's."""


class Sample(NamedTuple):
    """What was put at one time: a value `sample_count` times over, or the statistic set of that many."""

    time: float
    unit: str
    minimum: float
    maximum: float
    total: float
    sample_count: float

    @property
    def is_one_value(self) -> bool:
        """Whether all that it stands for is one value, so that its distribution is known."""
        return self.minimum == self.maximum


@dataclass(frozen=True)
class Statistic:
    """A statistic as asked for; `lower` and `upper` bound what a trimmed one takes, as shares or as values."""

    name: str
    kind: str
    lower: float | None = None
    upper: float | None = None
    by_value: bool = False

    def of(self, samples: Sequence[Sample]) -> float | None:
        """Its value; None for no samples, and where a statistic set hides the distribution it needs."""
        samples = [sample for sample in samples if sample.sample_count > 0]
        if not samples:
            return None
        if self.kind in _PLAIN:
            return _PLAIN[self.kind](samples)
        if not all(sample.is_one_value for sample in samples):
            return None
        values = sorted((sample.minimum, sample.sample_count) for sample in samples)
        return _percentile(values, self.upper or 0.0) if self.kind == "p" else self._trimmed(values)

    def _trimmed(self, values: Sequence[tuple[float, float]]) -> float | None:
        total = sum(count for _, count in values)
        lower, upper = self._bounds(values)
        kept = self._kept(values, total)
        count, added = sum(weight for _, weight in kept), sum(value * weight for value, weight in kept)
        if self.kind == "TC":
            return count
        if self.kind == "PR":
            return 100 * count / total
        if self.kind == "TS":
            return added
        if self.kind == "TM":
            return added / count if count else None
        below, above = self._outside(values, total)  # WM: what lies outside counts as the bound it is beyond
        return (added + below * lower + above * upper) / total

    def _bounds(self, values: Sequence[tuple[float, float]]) -> tuple[float, float]:
        if self.by_value:
            lower = values[0][0] if self.lower is None else self.lower
            return lower, values[-1][0] if self.upper is None else self.upper
        return _percentile(values, self.lower or 0.0), _percentile(values, 1.0 if self.upper is None else self.upper)

    def _kept(self, values: Sequence[tuple[float, float]], total: float) -> list[tuple[float, float]]:
        if self.by_value:  # above the lower bound, up to and with the upper
            return [
                (value, count)
                for value, count in values
                if (self.lower is None or value > self.lower) and (self.upper is None or value <= self.upper)
            ]
        start, end = (self.lower or 0.0) * total, (1.0 if self.upper is None else self.upper) * total
        kept, seen = [], 0.0
        for value, count in values:
            kept.append((value, max(0.0, min(seen + count, end) - max(seen, start))))
            seen += count
        return kept

    def _outside(self, values: Sequence[tuple[float, float]], total: float) -> tuple[float, float]:
        if not self.by_value:
            return (self.lower or 0.0) * total, (1.0 - (1.0 if self.upper is None else self.upper)) * total
        below = sum(count for value, count in values if self.lower is not None and value <= self.lower)
        return below, sum(count for value, count in values if self.upper is not None and value > self.upper)


def statistic(name: str) -> Statistic:
    """The statistic that `name` asks for; UnknownStatistic where CloudWatch has no such thing."""
    if name in PLAIN:
        return Statistic(name, name)
    if name == "IQM":
        return Statistic(name, "TM", 0.25, 0.75)
    if match := _SHORT.fullmatch(name):
        kind, number = match[1], float(match[2])
        if kind == "pr":
            return Statistic(name, "PR", None, number, by_value=True)
        if number <= 100:
            return Statistic(name, kind if kind == "p" else kind.upper(), None, number / 100)
    if match := _RANGE.fullmatch(name):
        kind, bounds = match[1], [bound for bound in match.groups()[1:] if bound]
        shares = [bound.endswith("%") for bound in bounds]
        if bounds and all(shares) != (not any(shares)) and not (kind == "PR" and any(shares)):
            lower, upper = (_bound(bound) for bound in match.groups()[1:])
            if lower is None or upper is None or lower < upper:
                return Statistic(name, kind, lower, upper, by_value=not any(shares))
    raise UnknownStatistic(name)


def _bound(text: str | None) -> float | None:
    if text is None:
        return None
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _percentile(values: Sequence[tuple[float, float]], share: float) -> float:
    """The value below which `share` of the sorted, counted values lie, interpolated between neighbours."""
    total = sum(count for _, count in values)
    position = share * (total - 1)
    seen = 0.0
    for number, (value, count) in enumerate(values):
        seen += count
        if position <= seen - 1 or number == len(values) - 1:
            return value
        if position < seen:
            return value + (position - (seen - 1)) * (values[number + 1][0] - value)
    raise ValueError("no values")


def by_period(samples: Iterable[Sample], start: float, period: int) -> dict[float, list[Sample]]:
    """The samples by the beginning of the period, counted from `start`, that each falls into."""
    found: dict[float, list[Sample]] = {}
    for sample in samples:
        found.setdefault(start + (sample.time - start) // period * period, []).append(sample)
    return found


_PLAIN: dict[str, Callable[[Sequence[Sample]], float]] = {
    "SampleCount": lambda samples: sum(sample.sample_count for sample in samples),
    "Sum": lambda samples: sum(sample.total for sample in samples),
    "Average": lambda samples: sum(sample.total for sample in samples) / sum(sample.sample_count for sample in samples),
    "Minimum": lambda samples: min(sample.minimum for sample in samples),
    "Maximum": lambda samples: max(sample.maximum for sample in samples),
}
