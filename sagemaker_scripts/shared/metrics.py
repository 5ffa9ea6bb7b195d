"""Measures of a classifier's probabilities against what happened."""

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | int]:
    """Row count, share of positives, ranking (roc_auc, pr_auc) and probability quality (the other three)."""
    return {
        "rows": len(labels),
        "positive_share": float(np.mean(labels)),
        "roc_auc": float(roc_auc_score(labels, probabilities)),
        "pr_auc": float(average_precision_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "brier": float(brier_score_loss(labels, probabilities)),
        "calibration_error": calibration_error(labels, probabilities),
    }


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bin_count: int = 10) -> float:
    """The mean distance between predicted and observed share over `bin_count` bins of (nearly) equal size."""
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bin_count + 1)[1:-1]))
    bin_of_row = np.searchsorted(edges, probabilities, side="right")
    distance = 0.0
    for number in np.unique(bin_of_row):
        inside = bin_of_row == number
        distance += inside.mean() * abs(labels[inside].mean() - probabilities[inside].mean())
    return float(distance)
