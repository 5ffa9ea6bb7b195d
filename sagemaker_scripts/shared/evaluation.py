"""What every evaluate.py has to do besides measuring: read arguments, bear a champion that can't be asked, write."""

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from split import DataError


def arguments_parser(description: str | None) -> argparse.ArgumentParser:
    """Folders, which default to where the processing job's request lays them, and how to measure."""
    inputs = Path("/opt/ml/processing/input")
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--challenger", type=Path, default=inputs / "challenger", help="model.tar.gz, output.tar.gz")
    parser.add_argument("--champion", type=Path, default=inputs / "champion", help="model.tar.gz; may be no folder")
    parser.add_argument("--test", type=Path, default=inputs / "test")
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--slices", type=_columns, default=[], help="columns to slice by, with commas between them")
    parser.add_argument("--clusters", type=_columns, default=[], help="columns; rows alike in them are drawn together")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2013)
    return parser


def answer_or_refusal(ask: Callable[[], Any]) -> tuple[Any, str | None]:
    """What the model in service answers, or why it can't be asked: that is for the gate to judge, not a failed job."""
    try:
        return ask(), None
    except Exception as error:  # whatever another version's pickle and code may raise
        traceback.print_exc()
        return None, f"{type(error).__name__}: {error}"


def main(
    arguments: argparse.Namespace,
    evaluate: Callable[[argparse.Namespace, Path], tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    """Writes comparison.json and evaluation.json, which `evaluate` returns; the cause is stderr's last line where it
    can't."""
    print(f"parameters: {json.dumps(vars(arguments), default=str)}")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            comparison, evaluation = evaluate(arguments, Path(scratch))
    except DataError as error:
        sys.exit(f"DataError: {error}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, document in {"comparison": comparison, "evaluation": evaluation}.items():
        (arguments.output / f"{name}.json").write_text(json.dumps(document, allow_nan=False))
    for name, metrics in comparison["models"].items():
        print(f"{name}: " + ", ".join(f"{metric}={found['value']:.4f}" for metric, found in metrics.items()))


def _columns(text: str) -> list[str]:
    return [column for column in text.split(",") if column]
