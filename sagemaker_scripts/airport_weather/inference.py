"""Serves the airport_weather model: which segment a day at an airport belongs to.

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
    """The fitted Pipeline, what it takes, one column of its array for each entry, in this order, and the segments'
    names."""

    pipeline: Any
    columns: dict[str, dict[str, Any]]
    names: list[str]


# The serving stack looks for all four handlers here.
input_fn, output_fn = records.input_fn, records.output_fn


def model_fn(model_dir: str) -> Model:
    """The model that train.py saved in `model_dir`."""
    metadata = json.loads(Path(model_dir, "metadata.json").read_text())
    pipeline = joblib.load(Path(model_dir, "model.joblib"))
    columns = {column["name"]: column for column in metadata["columns"]}
    return Model(pipeline, columns, [segment["name"] for segment in metadata["segments"]])


def predict_fn(asked: Records | Response, model: Model) -> Predictions | Response:
    """Each record's segment, and how far it is from the segment's middle, in standard deviations of the features; or
    the Response that refuses them."""
    if isinstance(asked, Response):
        return asked
    try:
        values = records.values(asked, model.columns)
    except Refused as refused:
        return refused.response
    distances = model.pipeline.transform(np.array(values, dtype=float))
    numbers = distances.argmin(axis=1).tolist()
    answers = [
        {"segment": number, "name": model.names[number], "distance": float(distances[row, number])}
        for row, number in enumerate(numbers)
    ]
    return Predictions(answers, asked.is_single)
