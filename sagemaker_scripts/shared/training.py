"""What every train.py has to do besides training: read its arguments, say what the model was made of, and save it."""

import argparse
import json
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import inference
import joblib
import numpy as np
import pandas as pd
import pyarrow
import records
import sklearn
from split import DataError

SPLITS = ("train", "validation", "test")
GOLDEN_ROW_COUNT = 20


def arguments_parser(hyperparameters: Mapping[str, int | float]) -> argparse.ArgumentParser:
    """Hyperparameters, each with its default, and folders, which default to where SageMaker says they are."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for split in SPLITS:
        parser.add_argument(f"--{split}", type=Path, default=os.environ.get(f"SM_CHANNEL_{split.upper()}"))
    parser.add_argument("--model_dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--output_data_dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--output_dir", type=Path, default=os.environ.get("SM_OUTPUT_DIR"))
    for name, default in hyperparameters.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--seed", type=int, default=2013)
    parser.add_argument("--data_version", default="unknown", help="what the splits were made from")
    parser.add_argument("--data_location", default="unknown", help="where the splits lie")
    parser.add_argument("--git_commit", default="unknown")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, which are printed; it ends with what is missing."""
    arguments = parser.parse_args()
    for name in (*SPLITS, "model_dir", "output_data_dir", "output_dir"):
        if getattr(arguments, name) is None:
            parser.error(f"--{name} is missing, and so is the SM_ variable that SageMaker sets for it")
    print(f"parameters: {json.dumps(vars(arguments), default=str)}")
    return arguments


def matrix(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """The columns as the array that the Pipeline takes, in training and in serving."""
    return frame[columns].astype(object).where(frame[columns].notna(), None).to_numpy()


def made_of(arguments: argparse.Namespace, row_counts: Mapping[str, int]) -> dict[str, Any]:
    """Data, commit, hyperparameters and packages that a model was made of."""
    return {
        "data": {
            "version": arguments.data_version,
            "location": arguments.data_location,
            "row_counts": dict(row_counts),
        },
        "git_commit": arguments.git_commit,
        "hyperparameters": {k: v for k, v in vars(arguments).items() if isinstance(v, int | float)},
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "pyarrow": pyarrow.__version__,
        },
    }


def golden(sample: pd.DataFrame, columns: list[str], model_dir: Path) -> dict[str, Any]:
    """Rows, and what the served model must answer to them; DataError where it refuses one."""
    request = [dict(zip(columns, row, strict=True)) for row in matrix(sample, columns).tolist()]
    asked = inference.input_fn(json.dumps(request), "application/json")
    answer = inference.output_fn(inference.predict_fn(asked, inference.model_fn(str(model_dir))), "application/json")
    if answer.status_code != 200:
        raise DataError(f"inference.py refuses rows of the test split: {answer.get_data(as_text=True)}")
    return {"request": request, "response": json.loads(answer.get_data())}


def sample(test: pd.DataFrame, columns: list[str], seed: int) -> pd.DataFrame:
    """Some rows of the test split, half of them with values missing where there are so many."""
    has_missing = test[columns].isna().any(axis=1)
    complete, incomplete = test[~has_missing], test[has_missing]
    incomplete = incomplete.sample(min(GOLDEN_ROW_COUNT // 2, len(incomplete)), random_state=seed)
    complete = complete.sample(min(GOLDEN_ROW_COUNT - len(incomplete), len(complete)), random_state=seed)
    return pd.concat([complete, incomplete])


def save(arguments: argparse.Namespace, model: Any, metadata: Mapping[str, Any], rows: pd.DataFrame) -> None:
    """Writes what is served into the model folder, and beside it answers that are known, to `rows`."""
    code = arguments.model_dir / "code"
    code.mkdir(parents=True, exist_ok=True)
    arguments.output_data_dir.mkdir(parents=True, exist_ok=True)
    for module in (inference, records):
        shutil.copyfile(str(module.__file__), code / Path(str(module.__file__)).name)
    joblib.dump(model, arguments.model_dir / "model.joblib")
    for folder in (arguments.model_dir, arguments.output_data_dir):
        (folder / "metadata.json").write_text(json.dumps(metadata, indent=2))
    answers = golden(rows, [column["name"] for column in metadata["columns"]], arguments.model_dir)
    (arguments.output_data_dir / "golden.json").write_text(json.dumps(answers, indent=2))
