"""Trains a classifier on Parquet channels, measures it beside two baselines, and saves it ready to serve.

What is a pipeline's own, its columns and its model, its train.py says in a Recipe.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import event_files
import joblib
import numpy as np
from measures import Costs
from metrics import scores
from sklearn.pipeline import Pipeline
from split import DataError, Split, read_split
from training import SPLITS, arguments_parser, made_of, matrix, parse, sample, save


class Recipe(NamedTuple):
    """What a pipeline's train.py says of its model, and what it is asked for.

    `strings`, `required_numbers` and `optional_numbers` are the model's columns, in the order in which its Pipeline
    takes them; those not required may be missing in a request. `key` tells one row from another. `hyperparameters` has
    the default of each; `fit_model` and `fit_baseline` get the parsed arguments and the splits, `baseline` is what the
    latter's model is called. `losses` are curves of log loss over the steps of training, of which there may be none.
    """

    strings: list[str]
    required_numbers: list[str]
    optional_numbers: list[str]
    baseline_columns: list[str]
    key: list[str]
    hyperparameters: Mapping[str, int | float]
    fit_model: Callable[[argparse.Namespace, Mapping[str, Split]], Pipeline]
    fit_baseline: Callable[[Split], Pipeline]
    baseline: str = "logistic_regression"
    losses: Callable[[Pipeline], dict[str, list[float]]] = lambda model: {}

    @property
    def columns(self) -> list[str]:
        """All that the model takes, in its order."""
        return self.strings + self.required_numbers + self.optional_numbers


def evaluate(recipe: Recipe, model: Pipeline, baseline: Pipeline, splits: Mapping[str, Split]) -> dict[str, Any]:
    """The scores on every split, of the model and of what it has to beat."""
    base_rate = splits["train"].labels.mean()
    models, base_rates, baselines = {}, {}, {}
    for name, (frame, labels) in splits.items():
        models[name] = scores(labels, model.predict_proba(matrix(frame, recipe.columns))[:, 1])
        base_rates[name] = scores(labels, np.full(len(labels), base_rate))
        baselines[name] = scores(labels, baseline.predict_proba(frame)[:, 1])
    return {"splits": models, "baselines": {"base_rate": base_rates, recipe.baseline: baselines}}


def print_metrics(evaluation: Mapping[str, Any]) -> None:
    """One `name=value;` a line: the form that the job's MetricDefinitions match."""
    models = {"": evaluation["splits"]} | {f"{name}_": found for name, found in evaluation["baselines"].items()}
    for prefix, by_split in models.items():
        for split, values in by_split.items():
            for name, value in values.items():
                print(f"{split}:{prefix}{name}={value:.6g};")


def describe(
    recipe: Recipe, arguments: argparse.Namespace, splits: Mapping[str, Split], evaluation: Mapping[str, Any]
) -> dict[str, Any]:
    """What there is to know of a model later: what it takes, what it was made from, and how good it is."""
    train = splits["train"].frame
    columns = [
        {
            "name": name,
            "type": "string" if name in recipe.strings else "number",
            "required": name not in recipe.optional_numbers,
            **({"categories": sorted(train[name].dropna().unique().tolist())} if name in recipe.strings else {}),
        }
        for name in recipe.columns
    ]
    return {
        "label": arguments.label,
        "columns": columns,
        "baseline": recipe.baseline,
        "baseline_columns": recipe.baseline_columns,
        "key": recipe.key,
        "threshold": Costs(arguments.cost_missed, arguments.cost_false_alarm).threshold,
        **made_of(arguments, {name: len(split.labels) for name, split in splits.items()}),
        "metrics": evaluation,
    }


def save_curves(arguments: argparse.Namespace, curves: Mapping[str, list[float]]) -> None:
    """Writes log loss over the steps of training, as JSON and as event files."""
    (arguments.output_data_dir / "curves.json").write_text(json.dumps({"log_loss": curves}))
    for name, curve in curves.items():
        # Where a job's TensorBoardOutputConfig takes them from, by default.
        event_files.write(arguments.output_dir / "tensorboard" / name, "log_loss", curve)


def main(recipe: Recipe) -> None:
    """Trains, measures, saves; stops with the cause on the last line of stderr where the data can't be trained on."""
    parser = arguments_parser(recipe.hyperparameters)
    parser.add_argument("--label", required=True, help="the column to predict")
    parser.add_argument("--cost_missed", type=float, default=1.0, help="of a case nobody was warned of")
    parser.add_argument("--cost_false_alarm", type=float, default=1.0, help="of a warning where there was none")
    arguments = parse(parser)
    try:
        required = recipe.columns + recipe.baseline_columns
        splits = {
            name: read_split(name, getattr(arguments, name), recipe.key, required, label=arguments.label)
            for name in SPLITS
        }
        model, baseline = recipe.fit_model(arguments, splits), recipe.fit_baseline(splits["train"])
        evaluation = evaluate(recipe, model, baseline, splits)
        print_metrics(evaluation)
        metadata = describe(recipe, arguments, splits, evaluation)
        save(arguments, model, metadata, sample(splits["test"].frame, recipe.columns, arguments.seed))
        joblib.dump(baseline, arguments.output_data_dir / "baseline.joblib")
        save_curves(arguments, recipe.losses(model))
    except DataError as error:
        sys.exit(f"DataError: {error}")
