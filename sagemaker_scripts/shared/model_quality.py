"""A classifier's answers in the shape of SageMaker's model quality metrics, which its registry and monitors read.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from collections.abc import Mapping
from typing import Any

import bootstrap
import numpy as np
from measures import Scored

CURVE_POINTS = 100


def model_quality(
    scored: Scored, answers: np.ndarray, clusters: np.ndarray, draws: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """`binary_classification_metrics` of the answers given; standard deviations are those over the resamples in which
    a metric has a value (one without a positive ranks nothing).

    `draws` are what was measured of the model on the rows and on each resample of the same seed.
    """
    labels = scored.labels
    constant = np.full(len(labels), labels.mean() >= 0.5)  # the better of always saying yes and always saying no
    found = []
    for number, weights in enumerate(bootstrap.weights(clusters, len(draws["roc_auc"]) - 1, seed)):
        best_constant = _rates(_confusion(labels, constant, weights))
        found.append(
            _rates(_confusion(labels, answers, weights))
            | {f"{name}_best_constant_classifier": best_constant[name] for name in _OF_CONSTANT}
            | {"auc": float(draws["roc_auc"][number]), "au_prc": float(draws["pr_auc"][number])}
        )
    true_negative, false_positive, false_negative, true_positive = _confusion(labels, answers, np.ones(len(labels)))
    positives, negatives = scored.counts(np.ones(len(labels)))
    points = np.unique(np.linspace(0, len(positives) - 1, CURVE_POINTS).astype(int))
    positives, negatives = positives[points], negatives[points]
    return {
        "binary_classification_metrics": {
            "confusion_matrix": {
                "0": {"0": int(true_negative), "1": int(false_positive)},
                "1": {"0": int(false_negative), "1": int(true_positive)},
            },
            **{
                name: {
                    "value": found[0][name],
                    "standard_deviation": float(np.nanstd([one[name] for one in found[1:]], ddof=1)),
                }
                for name in found[0]
            },
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": [0.0, *(negatives / negatives[-1]).tolist()],
                "true_positive_rates": [0.0, *(positives / positives[-1]).tolist()],
            },
            "precision_recall_curve": {
                "precisions": (positives / (positives + negatives)).tolist(),
                "recalls": (positives / positives[-1]).tolist(),
            },
        }
    }


_OF_CONSTANT = ("recall", "precision", "accuracy", "f0_5", "f1", "f2")


def _confusion(labels: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights of true negatives, false positives, false negatives and true positives."""
    return np.bincount(2 * labels.astype(int) + answers.astype(int), weights, minlength=4)


def _rates(confusion: np.ndarray) -> dict[str, float]:
    true_negative, false_positive, false_negative, true_positive = (float(count) for count in confusion)
    positives, negatives = true_positive + false_negative, true_negative + false_positive
    return {
        "recall": _ratio(true_positive, positives),
        "precision": _ratio(true_positive, true_positive + false_positive),
        "accuracy": _ratio(true_positive + true_negative, positives + negatives),
        "true_positive_rate": _ratio(true_positive, positives),
        "true_negative_rate": _ratio(true_negative, negatives),
        "false_positive_rate": _ratio(false_positive, negatives),
        "false_negative_rate": _ratio(false_negative, positives),
        **{
            name: _ratio(
                (1 + beta**2) * true_positive, (1 + beta**2) * true_positive + beta**2 * false_negative + false_positive
            )
            for name, beta in {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}.items()
        },
    }


def _ratio(part: float, whole: float) -> float:
    """0 where there is nothing to take a part of: no warning is no right warning."""
    return part / whole if whole else 0.0
