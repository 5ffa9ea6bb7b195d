"""What a classifier's probabilities are worth, under any weights of the rows, as bootstrap.py draws them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from bootstrap import interval

HIGHER_IS_BETTER = ("roc_auc", "pr_auc")
LOWER_IS_BETTER = ("log_loss", "brier", "calibration_error", "cost")
METRICS = HIGHER_IS_BETTER + LOWER_IS_BETTER
ROW_METRICS = ("log_loss", "brier", "cost")  # means over rows, which have a value in any slice
BIN_COUNT = 10


class Costs(NamedTuple):
    """What a wrong answer costs: a case nobody was warned of, and a warning where there was none."""

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
        """Positives and negatives whose probability is at least each of `thresholds`, highest first."""
        sorted_weights = weights[self._order]
        positives = np.cumsum(sorted_weights * self.labels[self._order])[self._ends]
        return positives, np.cumsum(sorted_weights)[self._ends] - positives

    def calibration(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each bin of probabilities: rows, mean probability, and the share of positives."""
        rows = np.bincount(self.bins, weights)
        total = np.maximum(rows, 1)  # a bin of which nothing was drawn has no rows, and no say
        predicted = np.bincount(self.bins, weights * self.probabilities) / total
        return rows, predicted, np.bincount(self.bins, weights * self.labels) / total

    def measure(self, weights: np.ndarray) -> dict[str, float]:
        """Every metric, and the threshold at which wrong answers would have cost least."""
        positives, negatives = self.counts(weights)
        all_positives, all_negatives, total = positives[-1], negatives[-1], weights.sum()
        new_positives = np.diff(positives, prepend=0)
        costs = self.costs.missed * (all_positives - positives) + self.costs.false_alarm * negatives
        costs_or_never = np.append(costs, self.costs.missed * all_positives)
        rows, predicted, observed = self.calibration(weights)
        with np.errstate(invalid="ignore"):  # not a number where no positive, or no negative, was drawn
            pairs = np.sum(np.diff(negatives, prepend=0) * (positives - new_positives / 2))
            roc_auc = pairs / (all_positives * all_negatives)
            pr_auc = np.sum(new_positives * positives / np.maximum(positives + negatives, 1)) / all_positives
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
