"""A scikit-learn Pipeline of 200 boosted trees, asked with one DataFrame row a request."""

import json

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

STRINGS = [f"string_{number}" for number in range(5)]
NUMBERS = [f"number_{number}" for number in range(25)]


def model_fn(model_dir: str) -> Pipeline:
    """A Pipeline fitted to made-up rows, always the same ones."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.choice(["a", "b", "c"], 2000) for name in STRINGS})
    frame[NUMBERS] = random.normal(size=(2000, len(NUMBERS)))
    encode = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), STRINGS), remainder="passthrough"
    )
    trees = HistGradientBoostingClassifier(max_iter=200, early_stopping=False, random_state=0)
    return make_pipeline(encode, trees).fit(frame, frame["number_0"] + random.normal(size=2000) > 0)


def input_fn(body: str, content_type: str) -> pd.DataFrame:
    return pd.DataFrame(json.loads(body))


def predict_fn(frame: pd.DataFrame, model: Pipeline) -> list[float]:
    return [float(value) for value in model.predict_proba(frame)[:, 1]]


def output_fn(probabilities: list[float], accept: str) -> tuple[str, str]:
    return json.dumps({"probabilities": probabilities}), accept
