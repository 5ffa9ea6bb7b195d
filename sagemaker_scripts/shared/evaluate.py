"""Measures a trained classifier beside the one in service and two baselines, all on the same test split."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import bootstrap
import evaluation
import joblib
import measures
import numpy as np
import pandas as pd
from archive import ask, load, unpack
from measures import Costs, Scored
from model_quality import model_quality
from split import Split, read_split

CURVE_POINTS = 100


Slices = dict[str, tuple[np.ndarray, Any]]
"""Of each column the slice of every row, as a number, and what the numbers stand for."""


class Answers(NamedTuple):
    """What a model says of every row: a probability, and the label that comes with it."""

    probabilities: np.ndarray
    labels: np.ndarray


class Draws(NamedTuple):
    """What was measured on the rows, first, and on each resample: metrics of each model, positive shares of its bins of
    probabilities, and of each column and model an array of draws, `ROW_METRICS` and slices."""

    values: dict[str, dict[str, Any]]
    observed: dict[str, np.ndarray]
    sliced: dict[str, dict[str, np.ndarray]]


def parse_arguments() -> argparse.Namespace:
    """What every evaluation is told, the label, and what wrong answers cost."""
    parser = evaluation.arguments_parser(__doc__)
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--cost_missed", type=float, default=1.0, help="of a case nobody was warned of")
    parser.add_argument("--cost_false_alarm", type=float, default=1.0, help="of a warning where there was none")
    return parser.parse_args()


def ask_champion(folder: Path, key: list[str], columns: list[str], arguments: argparse.Namespace) -> Answers:
    """What the model in service answers."""
    champion = load("champion", unpack(arguments.champion / "model.tar.gz", folder))
    split = read_split("test", arguments.test, key, columns, champion.columns, label=arguments.label)
    return _answers(ask("champion", champion, split.frame), arguments.label)


def _answers(asked: pd.DataFrame, label: str) -> Answers:
    return Answers(asked["probability"].to_numpy(dtype=float), asked[label].to_numpy(dtype=bool))


def resample(models: dict[str, Scored], slices: Slices, clusters: np.ndarray, arguments: argparse.Namespace) -> Draws:
    """Every metric of every model, overall and by slice, on the rows as they are and on each resample of them."""
    values: dict[str, list[dict[str, float]]] = {name: [] for name in models}
    observed: dict[str, list[np.ndarray]] = {name: [] for name in models}
    sliced: dict[str, list[dict[str, np.ndarray]]] = {column: [] for column in slices}
    for weights in bootstrap.weights(clusters, arguments.resamples, arguments.seed):
        for name, scored in models.items():
            values[name].append(scored.measure(weights))
            observed[name].append(scored.calibration(weights)[2])
        for column, (codes, _) in slices.items():
            sliced[column].append(measures.slice_means(models, codes, weights))
    return Draws(
        values={name: pd.DataFrame(found).to_dict("series") for name, found in values.items()},
        observed={name: np.stack(found) for name, found in observed.items()},
        sliced={
            column: {name: np.stack([means[name] for means in found]) for name in models}
            for column, found in sliced.items()
        },
    )


def compare(
    models: dict[str, Scored], split: Split, slices: Slices, clusters: np.ndarray, draws: Draws
) -> dict[str, Any]:
    """Every metric with its interval, and by how much the challenger is worse than each other model."""
    return {
        "rows": len(split.labels),
        "clusters": len(np.unique(clusters)),
        "positive_share": float(split.labels.mean()),
        "models": {
            name: {metric: measures.bounds(metric, found[metric]) for metric in measures.METRICS}
            for name, found in draws.values.items()
        },
        "worse_by": {
            other: {
                metric: measures.worse_by(metric, draws.values["challenger"][metric], found[metric])
                for metric in measures.METRICS
            }
            for other, found in draws.values.items()
            if other != "challenger"
        },
        "threshold": _threshold(models["challenger"], draws.values["challenger"]),
        "calibration": {name: _calibration(models[name], observed) for name, observed in draws.observed.items()},
        "predictions": _bins(models["challenger"]),
        "slices": {
            column: {
                str(value): _slice(
                    split.labels[codes == code],
                    clusters[codes == code],
                    {name: means[:, :, code] for name, means in draws.sliced[column].items()},
                )
                for code, value in enumerate(uniques)
            }
            for column, (codes, uniques) in slices.items()
        },
        "curves": {name: curves(scored) for name, scored in models.items()},
    }


def _threshold(scored: Scored, values: dict[str, Any]) -> dict[str, Any]:
    positives = float(scored.labels.mean())
    return {
        "costs": scored.costs._asdict(),
        "by_costs": scored.costs.threshold,
        "cheapest": bootstrap.interval(values["threshold"]),
        "cost": bootstrap.interval(values["cost"]),
        "cost_at_cheapest": bootstrap.interval(values["lowest_cost"]),
        "cost_of_never_warning": scored.costs.missed * positives,
        "cost_of_always_warning": scored.costs.false_alarm * (1 - positives),
    }


def in_words(threshold: dict[str, Any]) -> str:
    """From which probability the challenger answers yes, and what its answers cost."""
    cost, missed, false_alarm = threshold["cost"], threshold["costs"]["missed"], threshold["costs"]["false_alarm"]
    return (
        f"warns from a probability of {threshold['served']:.4g} (a case missed costs {missed:g}, a false alarm "
        f"{false_alarm:g}), which costs {cost['value']:.4f} ({cost['low']:.4f} to {cost['high']:.4f}) a row; never "
        f"warning costs {threshold['cost_of_never_warning']:.4f}, always {threshold['cost_of_always_warning']:.4f}"
    )


def _calibration(scored: Scored, observed: np.ndarray) -> list[dict[str, Any]]:
    rows, predicted, _ = scored.calibration(np.ones(len(scored.labels)))
    return [
        {
            "from": float(scored.bin_starts[bin]),
            "rows": int(rows[bin]),
            "predicted": float(predicted[bin]),
            "observed": bootstrap.interval(observed[:, bin]),
        }
        for bin in range(len(rows))
    ]


def _bins(scored: Scored) -> dict[str, Any]:
    """The bins of the probabilities, by which monitoring knows whether others come."""
    rows, _, _ = scored.calibration(np.ones(len(scored.labels)))
    return {"edges": scored.bin_starts[1:].tolist(), "counts": rows.astype(int).tolist()}


def _slice(labels: np.ndarray, clusters: np.ndarray, means: dict[str, np.ndarray]) -> dict[str, Any]:
    numbered = list(enumerate(measures.ROW_METRICS))
    ours = means["challenger"]
    return {
        "rows": len(labels),
        "clusters": len(np.unique(clusters)),
        "positive_share": float(labels.mean()),
        **{
            name: {metric: bootstrap.interval(found[:, number]) for number, metric in numbered}
            for name, found in means.items()
        },
        "worse_by": {
            other: {metric: measures.worse_by(metric, ours[:, number], found[:, number]) for number, metric in numbered}
            for other, found in means.items()
            if other != "challenger"
        },
    }


def curves(scored: Scored) -> dict[str, Any]:
    """Points of the ROC and precision-recall curves, and of what share of the positives the likeliest rows hold."""
    positives, negatives = (np.insert(counts, 0, 0) for counts in scored.counts(np.ones(len(scored.labels))))
    points = np.unique(np.linspace(0, len(positives) - 1, CURVE_POINTS + 1).astype(int))
    positives, negatives = positives[points], negatives[points]
    asked = positives + negatives
    return {
        "roc": {
            "false_positive_rate": (negatives / negatives[-1]).tolist(),
            "true_positive_rate": (positives / positives[-1]).tolist(),
        },
        "precision_recall": {
            "precision": (positives[1:] / asked[1:]).tolist(),
            "recall": (positives[1:] / positives[-1]).tolist(),
        },
        "gain": {
            "share_of_rows": (asked / asked[-1]).tolist(),
            "share_of_positives": (positives / positives[-1]).tolist(),
        },
    }


def baselines(output: Path, name: str, split: Split) -> dict[str, np.ndarray]:
    """The probabilities of what the challenger has to beat: those of whoever knew how many rows of the test split
    are positive, and not which, and those of the simpler model that was fitted on the same training split."""
    fitted = joblib.load(output / "baseline.joblib")
    return {
        "base_rate": np.full(len(split.labels), split.labels.mean()),
        name: fitted.predict_proba(split.frame)[:, 1],
    }


def evaluate(arguments: argparse.Namespace, scratch: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The comparison of all models, and the challenger alone in the shape of SageMaker's model quality metrics."""
    challenger = load("challenger", unpack(arguments.challenger / "model.tar.gz", scratch / "challenger"))
    output = unpack(arguments.challenger / "output.tar.gz", scratch / "output")
    key, baseline_columns = challenger.metadata["key"], challenger.metadata["baseline_columns"]
    columns = [*challenger.columns, *baseline_columns, *arguments.slices, *arguments.clusters]
    split = read_split("test", arguments.test, key, columns, label=arguments.label)
    answers = _answers(ask("challenger", challenger, split.frame), arguments.label)
    costs = Costs(arguments.cost_missed, arguments.cost_false_alarm)
    models, refusal = {"challenger": Scored(split.labels, *answers, costs)}, None
    if arguments.champion.exists():
        champion, refusal = evaluation.answer_or_refusal(
            lambda: ask_champion(scratch / "champion", key, columns, arguments)
        )
        if champion is not None:
            models["champion"] = Scored(split.labels, *champion, costs)
    for name, probabilities in baselines(output, challenger.metadata["baseline"], split).items():
        models[name] = Scored(split.labels, probabilities, probabilities >= costs.threshold, costs)
    slices = {
        column: pd.factorize(split.frame[column], sort=True, use_na_sentinel=False) for column in arguments.slices
    }
    clusters = bootstrap.clusters(split.frame, arguments.clusters)
    draws = resample(models, slices, clusters, arguments)
    comparison = {"champion_refused": refusal, **compare(models, split, slices, clusters, draws)}
    comparison["threshold"]["served"] = challenger.metadata["threshold"]
    comparison["answers"] = in_words(comparison["threshold"])
    quality = model_quality(models["challenger"], answers.labels, clusters, draws.values["challenger"], arguments.seed)
    dataset = {"item_count": len(split.labels), "evaluation_time": datetime.now(UTC).isoformat(timespec="seconds")}
    return comparison, {"version": 0.0, "dataset": dataset, **quality}


if __name__ == "__main__":
    evaluation.main(parse_arguments(), evaluate)
