"""Trains the flight_delay model on Parquet channels, measures it beside two baselines, and saves it ready to serve."""

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

# OpenMP's threads wait by spinning, which on a machine that is busy doubles the time taken; it is told at its loading.
os.environ["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")

import event_files
import inference
import joblib
import numpy as np
import pandas as pd
import pyarrow
import sklearn
from bootstrap import Costs
from metrics import scores
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from split import DataError, Split, read_split

# The model's columns, in the order in which the Pipeline takes them. Those not required may be missing in a request.
STRINGS = ["carrier", "origin"]
REQUIRED_NUMBERS = [
    "day_of_week",
    "scheduled_hour",
    "scheduled_minute",
    "scheduled_duration_minutes",
    "distance_miles",
]
OPTIONAL_NUMBERS = [
    "origin_scheduled_flight_count",
    "plane_age_years",
    "plane_seat_count",
    "plane_turn_minutes",
    "temperature_fahrenheit",
    "dew_point_fahrenheit",
    "humidity_percent",
    "wind_direction_degrees",
    "wind_speed_mph",
    "wind_gust_mph",
    "precipitation_inches",
    "pressure_millibars",
    "visibility_miles",
    "origin_departure_count_1h",
    "origin_departure_delay_minutes_1h",
    "origin_departure_delay_minutes_3h",
    "origin_late_departure_share_3h",
    "origin_departure_delay_minutes_24h",
    "origin_arrival_delay_minutes_3h",
    "carrier_departure_delay_minutes_3h",
    "carrier_departure_delay_minutes_24h",
    "carrier_arrival_delay_minutes_7d",
    "destination_arrival_delay_minutes_3h",
    "destination_arrival_delay_minutes_24h",
    "route_arrival_delay_minutes_7d",
    "flight_arrival_delay_minutes_21d",
    "flight_late_arrival_share_21d",
    "plane_last_delay_minutes_24h",
    "plane_idle_minutes_24h",
]
COLUMNS = STRINGS + REQUIRED_NUMBERS + OPTIONAL_NUMBERS

# The baseline's: the raw tables joined, nothing derived. Month and hour are categories to it, else a line through them.
BASELINE_STRINGS = ["carrier", "origin", "destination", "plane_manufacturer", "plane_engine"]
BASELINE_CALENDAR = ["month_of_year", "scheduled_hour"]
BASELINE_NUMBERS = [
    "day_of_month",
    "scheduled_minute",
    "distance_miles",
    "plane_age_years",
    "plane_engine_count",
    "plane_seat_count",
    "temperature_fahrenheit",
    "dew_point_fahrenheit",
    "humidity_percent",
    "wind_direction_degrees",
    "wind_speed_mph",
    "wind_gust_mph",
    "precipitation_inches",
    "pressure_millibars",
    "visibility_miles",
]
BASELINE_COLUMNS = BASELINE_STRINGS + BASELINE_CALENDAR + BASELINE_NUMBERS
SPLITS = ("train", "validation", "test")
GOLDEN_ROW_COUNT = 20


def parse_arguments() -> argparse.Namespace:
    """Hyperparameters and folders; the folders default to where SageMaker says they are."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    for split in SPLITS:
        parser.add_argument(f"--{split}", type=Path, default=os.environ.get(f"SM_CHANNEL_{split.upper()}"))
    parser.add_argument("--model_dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--output_data_dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--output_dir", type=Path, default=os.environ.get("SM_OUTPUT_DIR"))
    parser.add_argument("--label", default="is_late", help="the column to predict")
    parser.add_argument("--learning_rate", type=float, default=0.06)
    parser.add_argument("--max_iter", type=int, default=300)
    parser.add_argument("--max_leaf_nodes", type=int, default=15)
    parser.add_argument("--min_samples_leaf", type=int, default=200)
    parser.add_argument("--l2_regularization", type=float, default=10.0)
    parser.add_argument("--max_features", type=float, default=0.3)
    parser.add_argument("--n_iter_no_change", type=int, default=30)
    parser.add_argument("--seed", type=int, default=2013)
    parser.add_argument("--cost_missed", type=float, default=1.0, help="of a late flight nobody was warned of")
    parser.add_argument("--cost_false_alarm", type=float, default=1.0, help="of a warning of a flight on time")
    parser.add_argument("--data_version", default="unknown", help="what the splits were made from")
    parser.add_argument("--data_location", default="unknown", help="where the splits lie")
    parser.add_argument("--git_commit", default="unknown")
    arguments = parser.parse_args()
    for name in (*SPLITS, "model_dir", "output_data_dir", "output_dir"):
        if getattr(arguments, name) is None:
            parser.error(f"--{name} is missing, and so is the SM_ variable that SageMaker sets for it")
    return arguments


def matrix(frame: pd.DataFrame) -> np.ndarray:
    """The model's columns as the array that the Pipeline takes, in training and in serving."""
    return frame[COLUMNS].astype(object).where(frame[COLUMNS].notna(), None).to_numpy()


def build_model(arguments: argparse.Namespace) -> Pipeline:
    """Strings to codes, unknown and missing ones to none; then boosted trees, which take missing values as they are."""
    strings = list(range(len(STRINGS)))
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    trees = HistGradientBoostingClassifier(
        categorical_features=strings,
        learning_rate=arguments.learning_rate,
        max_iter=arguments.max_iter,
        max_leaf_nodes=arguments.max_leaf_nodes,
        min_samples_leaf=arguments.min_samples_leaf,
        l2_regularization=arguments.l2_regularization,
        max_features=arguments.max_features,
        early_stopping=True,
        n_iter_no_change=arguments.n_iter_no_change,
        random_state=arguments.seed,
    )
    encoder = ColumnTransformer([("strings", encode, strings)], remainder="passthrough")
    return Pipeline([("encode", encoder), ("trees", trees)])


def fit_model(arguments: argparse.Namespace, splits: dict[str, Split]) -> Pipeline:
    """The fitted model; how many trees it has, the validation split decides."""
    model = build_model(arguments)
    train = model["encode"].fit_transform(matrix(splits["train"].frame)).astype(float)
    validation = model["encode"].transform(matrix(splits["validation"].frame)).astype(float)
    model["trees"].fit(train, splits["train"].labels, X_val=validation, y_val=splits["validation"].labels)
    return model


def fit_logistic_regression(train: Split) -> Pipeline:
    """The baseline: logistic regression on the raw joined columns."""
    prepare = ColumnTransformer(
        [
            ("strings", OneHotEncoder(handle_unknown="ignore"), BASELINE_STRINGS + BASELINE_CALENDAR),
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), BASELINE_NUMBERS),
        ]
    )
    return make_pipeline(prepare, LogisticRegression(max_iter=300)).fit(train.frame, train.labels)


def evaluate(model: Pipeline, baseline: Pipeline, splits: dict[str, Split]) -> dict[str, Any]:
    """The scores on every split, of the model and of what it has to beat."""
    base_rate = splits["train"].labels.mean()
    models, base_rates, logistic_regressions = {}, {}, {}
    for name, (frame, labels) in splits.items():
        models[name] = scores(labels, model.predict_proba(matrix(frame))[:, 1])
        base_rates[name] = scores(labels, np.full(len(labels), base_rate))
        logistic_regressions[name] = scores(labels, baseline.predict_proba(frame)[:, 1])
    return {"splits": models, "baselines": {"base_rate": base_rates, "logistic_regression": logistic_regressions}}


def losses(model: Pipeline) -> dict[str, list[float]]:
    """The log loss before the first tree and after each, as training itself has measured it to know when to stop."""
    trees = model["trees"]
    return {"train": (-trees.train_score_).tolist(), "validation": (-trees.validation_score_).tolist()}


def print_metrics(evaluation: dict[str, Any]) -> None:
    """One `name=value;` a line: the form that the job's MetricDefinitions match."""
    models = {"": evaluation["splits"]} | {f"{name}_": found for name, found in evaluation["baselines"].items()}
    for prefix, by_split in models.items():
        for split, values in by_split.items():
            for name, value in values.items():
                print(f"{split}:{prefix}{name}={value:.6g};")


def describe(
    arguments: argparse.Namespace, model: Pipeline, splits: dict[str, Split], evaluation: dict[str, Any]
) -> dict[str, Any]:
    """What there is to know of a model later: what it takes, what it was made from, and how good it is."""
    categories = dict(zip(STRINGS, model["encode"].named_transformers_["strings"].categories_, strict=True))
    columns = [
        {
            "name": name,
            "type": "string" if name in STRINGS else "number",
            "required": name not in OPTIONAL_NUMBERS,
            **({"categories": [value for value in categories[name] if value is not None]} if name in STRINGS else {}),
        }
        for name in COLUMNS
    ]
    hyperparameters = {k: v for k, v in vars(arguments).items() if isinstance(v, int | float)}
    return {
        "label": arguments.label,
        "columns": columns,
        "threshold": Costs(arguments.cost_missed, arguments.cost_false_alarm).threshold,
        "data": {
            "version": arguments.data_version,
            "location": arguments.data_location,
            "row_counts": {name: len(split.labels) for name, split in splits.items()},
        },
        "git_commit": arguments.git_commit,
        "hyperparameters": hyperparameters,
        "tree_count": model["trees"].n_iter_,
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "pyarrow": pyarrow.__version__,
        },
        "metrics": evaluation,
    }


def golden(test: pd.DataFrame, model_dir: Path, seed: int) -> dict[str, Any]:
    """Rows of the test split, some with values missing, and what the served model must answer to them."""
    has_missing = test[COLUMNS].isna().any(axis=1)
    complete, incomplete = test[~has_missing], test[has_missing]
    incomplete = incomplete.sample(min(GOLDEN_ROW_COUNT // 2, len(incomplete)), random_state=seed)
    complete = complete.sample(min(GOLDEN_ROW_COUNT - len(incomplete), len(complete)), random_state=seed)
    values = matrix(pd.concat([complete, incomplete])).tolist()
    request = [dict(zip(COLUMNS, row, strict=True)) for row in values]
    records = inference.input_fn(json.dumps(request), "application/json")
    answer = inference.output_fn(inference.predict_fn(records, inference.model_fn(str(model_dir))), "application/json")
    if answer.status_code != 200:
        raise DataError(f"inference.py refuses rows of the test split: {answer.get_data(as_text=True)}")
    return {"request": request, "response": json.loads(answer.get_data())}


def save(
    arguments: argparse.Namespace, model: Pipeline, baseline: Pipeline, metadata: dict[str, Any], test: pd.DataFrame
) -> None:
    """Writes what is served into the model folder, and what is read about it and held against it into the output's."""
    code = arguments.model_dir / "code"
    code.mkdir(parents=True, exist_ok=True)
    arguments.output_data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(inference.__file__, code / "inference.py")
    joblib.dump(model, arguments.model_dir / "model.joblib")
    joblib.dump(baseline, arguments.output_data_dir / "baseline.joblib")
    for folder in (arguments.model_dir, arguments.output_data_dir):
        (folder / "metadata.json").write_text(json.dumps(metadata, indent=2))
    answers = golden(test, arguments.model_dir, arguments.seed)
    (arguments.output_data_dir / "golden.json").write_text(json.dumps(answers, indent=2))
    curves = losses(model)
    (arguments.output_data_dir / "curves.json").write_text(json.dumps({"log_loss": curves}))
    for name, curve in curves.items():
        # Where a job's TensorBoardOutputConfig takes them from, by default.
        event_files.write(arguments.output_dir / "tensorboard" / name, "log_loss", curve)


def main() -> None:
    """Trains, measures, saves; stops with the cause on the last line of stderr where the data can't be trained on."""
    arguments = parse_arguments()
    print(f"parameters: {json.dumps(vars(arguments), default=str)}")
    try:
        splits = {
            name: read_split(name, getattr(arguments, name), arguments.label, COLUMNS + BASELINE_COLUMNS)
            for name in SPLITS
        }
        model = fit_model(arguments, splits)
        baseline = fit_logistic_regression(splits["train"])
        evaluation = evaluate(model, baseline, splits)
        print_metrics(evaluation)
        save(arguments, model, baseline, describe(arguments, model, splits, evaluation), splits["test"].frame)
    except DataError as error:
        sys.exit(f"DataError: {error}")


if __name__ == "__main__":
    main()
