"""Trains the flight_delay model: will a flight come in more than 15 minutes late?"""

import argparse
import os
from collections.abc import Mapping

# OpenMP's threads wait by spinning, which on a machine that is busy doubles the time taken; it is told at its loading.
os.environ["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from classifier import Recipe, main
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from split import Split
from training import matrix

KEY = ["scheduled_departure_at", "carrier", "flight_number", "origin"]

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
HYPERPARAMETERS = {
    "learning_rate": 0.06,
    "max_iter": 300,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 200,
    "l2_regularization": 10.0,
    "max_features": 0.3,
    "n_iter_no_change": 30,
}


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


def fit_model(arguments: argparse.Namespace, splits: Mapping[str, Split]) -> Pipeline:
    """The fitted model; how many trees it has, the validation split decides."""
    model = build_model(arguments)
    train = model["encode"].fit_transform(matrix(splits["train"].frame, COLUMNS)).astype(float)
    validation = model["encode"].transform(matrix(splits["validation"].frame, COLUMNS)).astype(float)
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


def losses(model: Pipeline) -> dict[str, list[float]]:
    """The log loss before the first tree and after each, as training itself has measured it to know when to stop."""
    trees = model["trees"]
    return {"train": (-trees.train_score_).tolist(), "validation": (-trees.validation_score_).tolist()}


if __name__ == "__main__":
    main(
        Recipe(
            strings=STRINGS,
            required_numbers=REQUIRED_NUMBERS,
            optional_numbers=OPTIONAL_NUMBERS,
            baseline_columns=BASELINE_COLUMNS,
            key=KEY,
            hyperparameters=HYPERPARAMETERS,
            fit_model=fit_model,
            fit_baseline=fit_logistic_regression,
            losses=losses,
        )
    )
