"""The loss after each tree, as TensorBoard reads it and as JSON."""

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


@pytest.fixture
def event_files(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that writes event files; it needs nothing of the image."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "sagemaker_scripts" / "flight_delay"))
    return __import__("event_files")


def read(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


@pytest.mark.parametrize("split", ["train", "validation"])
def test_tensorboard_reads_the_loss_before_the_first_tree_and_after_each(trained: Any, split: str) -> None:
    scalars = read(trained.output.parent / "tensorboard" / split).Scalars("log_loss")
    curve = trained.document("curves.json")["log_loss"][split]
    assert 2 < len(curve) <= 21 and [scalar.step for scalar in scalars] == list(range(len(curve)))
    assert [scalar.value for scalar in scalars] == pytest.approx(curve, rel=1e-6)  # they are float32


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_last_point_is_the_finished_models_loss(trained: Any, split: str) -> None:
    found = trained.document("metadata.json")["metrics"]["splits"][split]["log_loss"]
    curve = trained.document("curves.json")["log_loss"][split]
    assert curve[-1] == pytest.approx(found, rel=1e-5) and curve[-1] < curve[0]


def test_the_test_split_has_no_curve(trained: Any) -> None:
    assert trained.document("curves.json")["log_loss"].keys() == {"train", "validation"}
    assert {path.name for path in (trained.output.parent / "tensorboard").iterdir()} == {"train", "validation"}


def test_tensorboard_reads_long_curves_and_names_and_values_of_any_size(event_files: Any, tmp_path: Path) -> None:
    values = [0.0, -1.5, 1e-30, 3e38, float("inf"), *(0.25 * step for step in range(40_000))]
    tag = "verlust/" + "ü" * 100
    event_files.write(tmp_path, tag, values)
    accumulator = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})  # all of them
    accumulator.Reload()
    scalars = accumulator.Scalars(tag)
    assert [scalar.value for scalar in scalars] == pytest.approx(values)
    assert [scalar.step for scalar in scalars] == list(range(len(values)))


def test_a_damaged_file_is_seen_by_its_checksums(event_files: Any, tmp_path: Path) -> None:
    event_files.write(tmp_path, "loss", [1.0, 2.0, 3.0])
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the last value
    path.write_bytes(content)
    assert [scalar.value for scalar in read(tmp_path).Scalars("loss")] == [1.0, 2.0]
