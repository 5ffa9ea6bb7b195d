"""Trains the airport_weather model: which days at an airport are alike in weather and delays?"""

import json
import sys
from typing import Any

import joblib
import numpy as np
import pandas as pd
import segments
from segments import FEATURES, KEY
from split import DataError, read_rows
from training import SPLITS, arguments_parser, made_of, parse, sample, save


def evaluate(model: Any, fitted_again: list[Any], splits: dict[str, pd.DataFrame]) -> dict[str, dict[str, float]]:
    """On each split how far the segments lie apart, how much they are chance, and both in one: what K is chosen by."""
    found = {}
    for name, frame in splits.items():
        silhouette = float(segments.silhouettes(model, frame, segments.predict(model, frame)).mean())
        stability = float(segments.stability(model, fitted_again, frame).mean())
        found[name] = {
            "silhouette": silhouette,
            "stability": stability,
            "stable_silhouette": silhouette * stability,
        }
    return found


def describe(model: Any, train: pd.DataFrame) -> list[dict[str, Any]]:
    """The segments: number, name, days of the training split, and the mean of each feature over these."""
    numbers = segments.predict(model, train)
    return [
        {
            "segment": number,
            "name": name,
            "rows": int((numbers == number).sum()),
            "center": dict(zip(FEATURES, model["segments"].cluster_centers_[number].round(4).tolist(), strict=True)),
            "profile": train.loc[numbers == number, FEATURES].mean().round(4).to_dict(),
        }
        for number, name in enumerate(segments.names(model))
    ]


def main() -> None:
    """Trains, measures, saves; stops with the cause on the last line of stderr where the data can't be trained on."""
    arguments = parse(arguments_parser({"n_clusters": 4}))
    try:
        splits = {name: read_rows(name, getattr(arguments, name), KEY, FEATURES) for name in SPLITS}
        for name, frame in splits.items():
            if frame[FEATURES].isna().any(axis=None):
                raise DataError(f"channel '{name}': a feature is missing, which the audit of silver doesn't let pass")
        train = splits["train"]
        if len(np.unique(train[FEATURES], axis=0)) < arguments.n_clusters:
            raise DataError(f"channel 'train' has fewer different days than n_clusters={arguments.n_clusters}")
        model = segments.fit(train, arguments.n_clusters, arguments.seed)
        fitted_again = list(segments.replicas(train, arguments.n_clusters, arguments.seed))
        evaluation = evaluate(model, fitted_again, splits)
        for name, found in evaluation.items():
            for metric, value in found.items():
                print(f"{name}:{metric}={value:.6g};")
        found = describe(model, train)
        for one in found:
            print(f"segment {one['segment']} ({one['name']}): {one['rows']} days, {json.dumps(one['profile'])}")
        metadata = {
            "columns": [
                {"name": name, "type": "number", "required": True, "minimum": 0, "maximum": segments.HIGHEST[name]}
                for name in FEATURES
            ],
            "key": KEY,
            "segments": found,
            **made_of(arguments, {name: len(frame) for name, frame in splits.items()}),
            "metrics": evaluation,
        }
        save(arguments, model, metadata, sample(splits["test"], FEATURES, arguments.seed))
        joblib.dump(fitted_again, arguments.output_data_dir / "replicas.joblib")
    except DataError as error:
        sys.exit(f"DataError: {error}")


if __name__ == "__main__":
    main()
