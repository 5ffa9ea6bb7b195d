"""How far what a model is asked lies from what it has learned from: distances of two distributions over the same bins.

PSI, the population stability index, is the sum of (q - p) ln(q / p): by custom 0.1 is little and 0.2 much. The
Jensen-Shannon divergence is in bits, 0 to 1 (Lin, "Divergence measures based on the Shannon entropy", 1991).
"""

import math
from collections.abc import Sequence

SMALLEST = 1e-4
"""What the share of an empty bin is taken for: PSI would be infinite."""


def shares(counts: Sequence[float]) -> list[float]:
    """The share of each bin; ValueError where there is nothing in any."""
    total = sum(counts)
    if total <= 0:
        raise ValueError("there is nothing in any bin")
    return [count / total for count in counts]


def psi(reference: Sequence[float], current: Sequence[float]) -> float:
    """The population stability index of two lists of shares over the same bins."""
    pairs = [(max(p, SMALLEST), max(q, SMALLEST)) for p, q in zip(reference, current, strict=True)]
    return sum((q - p) * math.log(q / p) for p, q in pairs)


def jensen_shannon(reference: Sequence[float], current: Sequence[float]) -> float:
    """The Jensen-Shannon divergence of two lists of shares over the same bins, in bits."""

    def kullback_leibler(p: Sequence[float], q: Sequence[float]) -> float:
        return sum(a * math.log2(a / b) for a, b in zip(p, q, strict=True) if a > 0)

    middle = [(p + q) / 2 for p, q in zip(reference, current, strict=True)]
    return (kullback_leibler(reference, middle) + kullback_leibler(current, middle)) / 2
