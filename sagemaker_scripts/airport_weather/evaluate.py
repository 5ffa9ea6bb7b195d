"""Measures trained segments beside those in service and two that anybody could draw, all on the same test split."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bootstrap
import evaluation
import joblib
import numpy as np
import pandas as pd
import segments
from archive import Archive, ask, load, unpack
from sklearn.decomposition import PCA
from split import read_rows

METRIC = "silhouette"


def segments_of(name: str, archive: Archive, frame: pd.DataFrame) -> np.ndarray:
    """The segment into which a model puts each row."""
    return ask(name, archive, frame)["segment"].to_numpy()


def ask_champion(folder: Path, key: list[str], columns: list[str], arguments: argparse.Namespace) -> np.ndarray:
    """The segment into which the model in service puts each row."""
    champion = load("champion", unpack(arguments.champion / "model.tar.gz", folder))
    frame = read_rows("test", arguments.test, key, columns, champion.columns)
    return segments_of("champion", champion, frame)


def drawn_by_anybody(frame: pd.DataFrame, count: int) -> dict[str, np.ndarray]:
    """Segments that take no model: a day is like the others of its airport, or like those with as many late flights."""
    by_delay = pd.qcut(frame["late_departure_share"], count, labels=False, duplicates="drop")
    return {"airport_grouping": pd.factorize(frame["origin"])[0], "delay_grouping": by_delay.to_numpy()}


def means(values: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted mean of the rows' values, for each set of weights; not a number where nothing was drawn."""
    with np.errstate(invalid="ignore"):
        return np.array([np.sum(one * values) / one.sum() for one in weights])


def compare(per_row: Mapping[str, np.ndarray], rows: np.ndarray, weights: Sequence[np.ndarray]) -> dict[str, Any]:
    """Of some of the rows each model's silhouette with its interval, and by how much the challenger's is worse."""
    drawn = {name: means(values[rows], [one[rows] for one in weights]) for name, values in per_row.items()}
    ours = drawn["challenger"]
    return {
        **{name: {METRIC: bootstrap.interval(found)} for name, found in drawn.items()},
        "worse_by": {
            name: {METRIC: bootstrap.interval(found - ours)} for name, found in drawn.items() if name != "challenger"
        },
    }


def scatter(model: Any, frame: pd.DataFrame, found: np.ndarray) -> dict[str, Any]:
    """The rows in the two directions in which they differ most, and the share of all differences that these are."""
    space = model["scale"].transform(frame[segments.FEATURES].to_numpy(dtype=float))
    plane = PCA(2, random_state=0).fit(space)
    points = plane.transform(space).round(4)
    return {
        "x": points[:, 0].tolist(),
        "y": points[:, 1].tolist(),
        "segment": found.tolist(),
        "explained": plane.explained_variance_ratio_.round(4).tolist(),
    }


def in_words(described: Sequence[Mapping[str, Any]]) -> str:
    """Into what the challenger puts a day."""
    rows = sum(one["rows"] for one in described)
    shares = ", ".join(f"{one['name']} ({one['rows'] / rows:.0%} of training's)" for one in described)
    return f"puts a day into one of {len(described)} segments: {shares}"


def evaluate(arguments: argparse.Namespace, scratch: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The comparison of all segments, and the challenger's alone as a document of metrics.

    All are measured in one space, the challenger's: distances in the scales of another model are of another unit.
    """
    challenger = load("challenger", unpack(arguments.challenger / "model.tar.gz", scratch / "challenger"))
    replicas = joblib.load(unpack(arguments.challenger / "output.tar.gz", scratch / "output") / "replicas.joblib")
    key = challenger.metadata["key"]
    columns = [*challenger.columns, *arguments.slices, *arguments.clusters, "late_departure_share"]
    frame = read_rows("test", arguments.test, key, columns)
    model, described = challenger.model.pipeline, challenger.metadata["segments"]
    found, refusal = {"challenger": segments_of("challenger", challenger, frame)}, None
    if arguments.champion.exists():
        answered, refusal = evaluation.answer_or_refusal(
            lambda: ask_champion(scratch / "champion", key, columns, arguments)
        )
        if answered is not None:
            found["champion"] = answered
    found |= drawn_by_anybody(frame, len(described))
    per_row = {name: segments.silhouettes(model, frame, numbers) for name, numbers in found.items()}

    clusters = bootstrap.clusters(frame, arguments.clusters)
    weights = list(bootstrap.weights(clusters, arguments.resamples, arguments.seed))
    overall = compare(per_row, np.arange(len(frame)), weights)
    agreed = segments.stability(model, replicas, frame)
    again = list(bootstrap.weights(np.arange(len(agreed)), arguments.resamples, arguments.seed))
    stability = bootstrap.interval(means(agreed, again))
    models: dict[str, Any] = {name: overall[name] for name in found}
    models["challenger"] = {**models["challenger"], "stability": stability}
    numbers = [int((found["challenger"] == one["segment"]).sum()) for one in described]
    comparison = {
        "champion_refused": refusal,
        "rows": len(frame),
        "clusters": len(np.unique(clusters)),
        "models": models,
        "worse_by": overall["worse_by"],
        "answers": in_words(described),
        # Of the training split: a month of days is few to tell one distribution from another.
        "predictions": {
            "categories": [one["name"] for one in described],
            "counts": [*(one["rows"] for one in described), 0],
        },
        "segments": [{**one, "test_rows": count} for one, count in zip(described, numbers, strict=True)],
        "scatter": scatter(model, frame, found["challenger"]),
        "slices": {
            column: {
                str(value): {
                    "rows": len(rows),
                    "clusters": len(np.unique(clusters[rows])),
                    **compare(per_row, rows, weights),
                }
                for value, rows in sorted(frame.groupby(column).indices.items())
            }
            for column in arguments.slices
        },
    }
    quality = {
        name: {"value": value["value"], "standard_deviation": (value["high"] - value["low"]) / 3.92}
        for name, value in models["challenger"].items()
    }
    dataset = {"item_count": len(frame), "evaluation_time": datetime.now(UTC).isoformat(timespec="seconds")}
    return comparison, {"version": 0.0, "dataset": dataset, "clustering_metrics": quality}


if __name__ == "__main__":
    evaluation.main(evaluation.arguments_parser(__doc__).parse_args(), evaluate)
