"""Serves a classifier that training.py has saved: how likely is the label, and is it worth a warning?

records.py has the forms of requests and answers, and says which requests are refused with a 4xx.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import records
from records import Predictions, Records, Refused
from werkzeug.wrappers import Response


class Model(NamedTuple):
    """The fitted Pipeline, what it takes, one column of its array for each entry, in this order, the label's name, and
    the probability from which it is said to be so."""

    pipeline: Any
    columns: dict[str, dict[str, Any]]
    label: str
    threshold: float


# The serving stack looks for all four handlers here.
input_fn, output_fn = records.input_fn, records.output_fn


def model_fn(model_dir: str) -> Model:
    """The model that train.py saved in `model_dir`."""
    metadata = json.loads(Path(model_dir, "metadata.json").read_text())
    pipeline = joblib.load(Path(model_dir, "model.joblib"))
    columns = {column["name"]: column for column in metadata["columns"]}
    return Model(pipeline, columns, metadata["label"], metadata["threshold"])


def predict_fn(asked: Records | Response, model: Model) -> Predictions | Response:
    """The records' probabilities and labels, or the Response that refuses them."""
    if isinstance(asked, Response):
        return asked
    try:
        values = records.values(asked, model.columns)
    except Refused as refused:
        return refused.response
    probabilities = model.pipeline.predict_proba(np.array(values, dtype=object))[:, 1].tolist()
    answers = [{"probability": one, model.label: one >= model.threshold} for one in probabilities]
    return Predictions(answers, asked.is_single)
