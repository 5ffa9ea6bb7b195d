"""Confidence intervals: what is measured on the rows as they are, and on resamples of them with replacement.

Rows that depend on each other, as the flights of a day do by its weather, are drawn together, as one cluster: drawn
one by one they would count as evidence each, and the bounds would be several times too narrow.
Every model sees the same resamples, so the difference of two models has an interval of its own, far narrower than
those of the two: rows that are hard for one are hard for the other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd


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
