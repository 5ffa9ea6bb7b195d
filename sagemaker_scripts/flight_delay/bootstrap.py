"""Metrics with confidence intervals: computed on the rows as they are, and on resamples of them with replacement.

Rows that depend on each other, as the flights of a day do by its weather, are drawn together, as one cluster: drawn
one by one they would count as evidence each, and the bounds would be several times too narrow.
Every model sees the same resamples, so the difference of two models has an interval of its own, far narrower than
those of the two: flights that are hard for one are hard for the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

HIGHER_IS_BETTER = ("roc_auc", "pr_auc")
LOWER_IS_BETTER = ("log_loss", "brier", "calibration_error", "cost")
METRICS = HIGHER_IS_BETTER + LOWER_IS_BETTER
ROW_METRICS = ("log_loss", "brier", "cost")  # means over rows, which have a value in any slice
BIN_COUNT = 10


class Costs(NamedTuple):
    """What a wrong answer costs: a late flight nobody was warned of, and a warning of a flight that was on time."""

    missed: float
    false_alarm: float

    @property
    def threshold(self) -> float:
        """The probability from which a warning is the cheaper answer, where probabilities are right."""
        return self.false_alarm / (self.false_alarm + self.missed)


class Scored:
    """What a model says of the rows, prepared once for being measured under many weights of these rows: probabilities,
    and of which rows it warns."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray, warned: np.ndarray, costs: Costs) -> None:
        self.labels, self.probabilities, self.costs = labels.astype(float), probabilities, costs
        self._order = np.argsort(-probabilities, kind="stable")
        self.thresholds, self._ends = _runs(probabilities[self._order])
        clipped = np.clip(probabilities, np.finfo(float).eps, 1 - np.finfo(float).eps)
        self.per_row = {
            "log_loss": -np.where(labels, np.log(clipped), np.log1p(-clipped)),
            "brier": (self.labels - probabilities) ** 2,
            "cost": np.where(labels, costs.missed * ~warned, costs.false_alarm * warned),
        }
        # As metrics.calibration_error cuts them.
        edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BIN_COUNT + 1)[1:-1]))
        bins = np.searchsorted(edges, probabilities, side="right")
        filled, self.bins = np.unique(bins, return_inverse=True)
        self.bin_starts = np.append(0.0, edges)[filled]

    def counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Late and punctual flights whose probability is at least each of `thresholds`, highest first."""
        sorted_weights = weights[self._order]
        late = np.cumsum(sorted_weights * self.labels[self._order])[self._ends]
        return late, np.cumsum(sorted_weights)[self._ends] - late

    def calibration(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each bin of probabilities: rows, mean probability, and the share that was late."""
        rows = np.bincount(self.bins, weights)
        total = np.maximum(rows, 1)  # a bin of which nothing was drawn has no rows, and no say
        predicted = np.bincount(self.bins, weights * self.probabilities) / total
        return rows, predicted, np.bincount(self.bins, weights * self.labels) / total

    def measure(self, weights: np.ndarray) -> dict[str, float]:
        """Every metric, and the threshold at which wrong answers would have cost least."""
        late, punctual = self.counts(weights)
        all_late, all_punctual, total = late[-1], punctual[-1], weights.sum()
        new_late = np.diff(late, prepend=0)
        costs = self.costs.missed * (all_late - late) + self.costs.false_alarm * punctual
        costs_or_never = np.append(costs, self.costs.missed * all_late)
        rows, predicted, observed = self.calibration(weights)
        with np.errstate(invalid="ignore"):  # not a number where nothing late, or nothing punctual, was drawn
            roc_auc = np.sum(np.diff(punctual, prepend=0) * (late - new_late / 2)) / (all_late * all_punctual)
            pr_auc = np.sum(new_late * late / np.maximum(late + punctual, 1)) / all_late
        return {
            "roc_auc": float(roc_auc),
            "pr_auc": float(pr_auc),
            **{name: float(np.sum(weights * values) / total) for name, values in self.per_row.items()},
            "calibration_error": float(np.sum(rows * np.abs(predicted - observed)) / total),
            "threshold": float(np.append(self.thresholds, 1.0)[np.argmin(costs_or_never)]),  # 1: never warn
            "lowest_cost": float(costs_or_never.min() / total),
        }


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values of a sorted array, and where each is seen last."""
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return values[ends], ends


def clusters(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """The number of each row's cluster, from 0: rows are together that are alike in `columns`; without any, each is its
    own."""
    if not columns:
        return np.arange(len(frame))
    return frame.groupby(list(columns), dropna=False).ngroup().to_numpy()


def weights(clusters: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each row counts: once in the rows as they are, which come first, then as often as its cluster was
    drawn."""
    random = np.random.default_rng(seed)
    count = int(clusters.max()) + 1
    yield np.ones(len(clusters))
    for _ in range(resamples):
        yield np.bincount(random.integers(count, size=count), minlength=count).astype(float)[clusters]


def interval(values: Any) -> dict[str, float]:
    """The value (the first one), and the bounds within which 95 % of the resamples' values lie."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def bounds(metric: str, values: Any) -> dict[str, float]:
    """The interval of a metric. A calibration error is a mean of distances, to which chance only adds: as resamples
    are further off than the rows are, the rows are further off than the model is. Hence its bounds are mirrored at the
    value; taken as they come, those of a model that is off by nothing would lie above its own value."""
    found = interval(values)
    if metric != "calibration_error":
        return found
    value, low, high = found["value"], found["low"], found["high"]
    return {"value": value, "low": max(0.0, 2 * value - high), "high": max(value, 2 * value - low)}


def worse_by(metric: str, ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """By how much the first of two models is worse, whether more or less of the metric is better; below 0: better."""
    return interval(theirs - ours if metric in HIGHER_IS_BETTER else ours - theirs)


def slice_means(models: Mapping[str, Scored], codes: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Of each model the means of `ROW_METRICS` in each slice; not a number where nothing of a slice was drawn."""
    rows = np.bincount(codes, weights)
    with np.errstate(invalid="ignore"):
        return {
            name: np.stack([np.bincount(codes, weights * scored.per_row[metric]) / rows for metric in ROW_METRICS])
            for name, scored in models.items()
        }
