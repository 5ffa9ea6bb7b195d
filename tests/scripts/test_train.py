"""train.py: what it leaves behind, what it prints, and how it fails."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

SCORES = {"rows", "positive_share", "roc_auc", "pr_auc", "log_loss", "brier", "calibration_error"}
SPLITS = {"train", "validation", "test"}


def test_it_prints_metrics_that_a_metric_definition_matches(trained: Any) -> None:
    for split in SPLITS:
        found = re.search(rf"{split}:roc_auc=([-+0-9.eE]+);", trained.stdout)
        assert found and 0.5 < float(found[1]) <= 1


def test_it_measures_every_split_beside_two_baselines(trained: Any) -> None:
    evaluation = trained.document("metadata.json")["metrics"]
    for found in (evaluation["splits"], *evaluation["baselines"].values()):
        assert found.keys() == SPLITS
        assert all(scores.keys() == SCORES for scores in found.values())
    assert evaluation["baselines"].keys() == {"base_rate", "logistic_regression"}


def test_it_learns_more_than_the_base_rate(trained: Any) -> None:
    evaluation = trained.document("metadata.json")["metrics"]
    assert evaluation["splits"]["test"]["log_loss"] < evaluation["baselines"]["base_rate"]["test"]["log_loss"]


def test_the_base_rate_is_the_training_splits(trained: Any) -> None:
    evaluation = trained.document("metadata.json")["metrics"]
    assert evaluation["baselines"]["base_rate"]["test"]["roc_auc"] == 0.5
    assert evaluation["baselines"]["base_rate"]["train"]["calibration_error"] == pytest.approx(0)


def test_metadata_says_what_the_model_takes_and_what_it_was_made_from(trained: Any) -> None:
    metadata = trained.document("metadata.json")
    by_name = {column["name"]: column for column in metadata["columns"]}
    assert by_name["carrier"] == {
        "name": "carrier",
        "type": "string",
        "required": True,
        "categories": ["AA", "B6", "UA"],
    }
    assert by_name["plane_age_years"] == {"name": "plane_age_years", "type": "number", "required": False}
    assert metadata["data"] == {
        "version": "v7",
        "location": "unknown",
        "row_counts": {"train": 1500, "validation": 400, "test": 400},
    }
    assert metadata["git_commit"] == "abc123"
    assert metadata["hyperparameters"]["max_iter"] == 20
    assert metadata["versions"]["scikit-learn"] == "1.9.0"


def test_the_threshold_follows_from_the_costs_and_goes_with_the_model(trained: Any) -> None:
    metadata = trained.document("metadata.json")
    assert metadata["threshold"] == 0.25 and metadata["hyperparameters"]["cost_missed"] == 3
    predictions = trained.document("golden.json")["response"]["predictions"]
    assert [one["is_late"] for one in predictions] == [one["probability"] >= 0.25 for one in predictions]
    assert any(one["is_late"] and one["probability"] < 0.5 for one in predictions)


def test_the_label_and_what_comes_after_departure_are_no_features(trained: Any) -> None:
    names = {column["name"] for column in trained.document("metadata.json")["columns"]}
    assert not names & {"is_late", "departure_delay_minutes", "arrival_delay_minutes", "departed_at", "arrived_at"}


def test_the_model_folder_can_be_served_as_it_is(trained: Any) -> None:
    files = {str(path.relative_to(trained.model)) for path in trained.model.rglob("*") if path.is_file()}
    assert files == {"model.joblib", "metadata.json", "code/inference.py", "code/records.py"}


def test_what_the_model_is_evaluated_against_lies_beside_it_and_is_not_served(trained: Any) -> None:
    files = {path.name for path in trained.output.iterdir()}
    assert files == {"baseline.joblib", "metadata.json", "golden.json", "curves.json"}


def test_known_answers_include_flights_with_values_missing(trained: Any) -> None:
    golden = trained.document("golden.json")
    assert len(golden["request"]) == len(golden["response"]["predictions"]) == 20
    assert any(None in row.values() for row in golden["request"])
    assert any(None not in row.values() for row in golden["request"])


def test_the_same_data_gives_the_same_model_in_whatever_order_and_beside_whatever_an_unload_writes_it(
    train: Callable[..., Any], channels: Path, trained: Any
) -> None:
    for path in [*channels.rglob("*.parquet")]:
        pd.read_parquet(path)[::-1].to_parquet(path.with_suffix(""))
        path.unlink()
    (channels / "train" / "8a3f-manifest.csv").write_text("s3://bucket/file\n")
    (channels / "train" / "8a3f.metadata").write_bytes(b"\x00")
    job = train(channels, "--max_iter", "20", "--cost_missed", "3")
    assert job.document("golden.json") == trained.document("golden.json")


def _emptied(channels: Path) -> None:
    shutil.rmtree(channels / "validation")
    (channels / "validation").mkdir()


def _without_a_column(channels: Path) -> None:
    for path in (channels / "test").iterdir():
        pd.read_parquet(path).drop(columns=["distance_miles", "carrier"]).to_parquet(path)


def _with_one_label(channels: Path) -> None:
    for path in (channels / "train").iterdir():
        pd.read_parquet(path).assign(is_late=False).to_parquet(path)


def _with_a_label_missing(channels: Path) -> None:
    path = channels / "train" / "part-0.parquet"
    frame = pd.read_parquet(path).astype({"is_late": object})
    frame.loc[:4, "is_late"] = None
    frame.to_parquet(path)


def _without_rows(channels: Path) -> None:
    for path in (channels / "test").iterdir():
        pd.read_parquet(path).head(0).to_parquet(path)


def _with_a_file_of_another_kind(channels: Path) -> None:
    (channels / "train" / "part-0.parquet").write_text("carrier,origin\n")


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (_emptied, "channel 'validation' is empty"),
        (_without_a_column, "channel 'test' lacks the column(s) carrier, distance_miles"),
        (_with_one_label, "channel 'train': the label 'is_late' has one value only, False"),
        (_with_a_label_missing, "channel 'train': the label 'is_late' is missing in 5 rows"),
        (_without_rows, "channel 'test' has files but no rows"),
        (_with_a_file_of_another_kind, "channel 'train' holds a file that is not Parquet"),
    ],
)
def test_data_it_cannot_train_on_is_the_last_word_on_stderr(
    train: Callable[..., Any], channels: Path, spoil: Callable[[Path], None], cause: str
) -> None:
    spoil(channels)
    job = train(channels)
    assert job.exit_code == 1
    assert cause in job.stderr.strip().splitlines()[-1]
    assert not (job.model / "model.joblib").exists()


def test_a_channel_that_is_not_there_is_named(train: Callable[..., Any], channels: Path) -> None:
    shutil.rmtree(channels / "test")
    job = train(channels)
    assert job.exit_code != 0
    assert "--test is missing" in job.stderr


def test_an_unknown_hyperparameter_is_refused(train: Callable[..., Any], channels: Path) -> None:
    job = train(channels, "--leaning_rate", "0.1")
    assert job.exit_code != 0
    assert "unrecognized arguments: --leaning_rate" in job.stderr
