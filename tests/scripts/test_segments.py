"""airport_weather's train.py and inference.py on days in which four segments are planted."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import script_jobs
from channels import PLANTED, days, planted, write_channels
from script_jobs import SEGMENTS_REQUEST, Answer, Job

from airport_weather import spec

SPLITS = ("train", "validation", "test")
Train = Callable[..., Job]
Invoke = Callable[..., Answer]


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    """Fresh channels that can be trained on."""
    return write_channels(tmp_path / "channels", days)


@pytest.fixture(scope="session")
def invoke(segmented: Job, image_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Invoke]:
    """Sends a request to the trained model behind AWS's own transformer and worker."""
    with script_jobs.serve(image_python, segmented.model, tmp_path_factory.mktemp("ml")) as send:
        yield send


def printed(job: Job) -> dict[str, float]:
    """The metrics that SageMaker finds in what the job has printed, by the pipeline's own definitions."""
    definitions = SEGMENTS_REQUEST["AlgorithmSpecification"]["MetricDefinitions"]
    found = {one["Name"]: re.findall(one["Regex"], job.stdout) for one in definitions}
    return {name: float(values[0]) for name, values in found.items() if len(values) == 1}


def test_each_metric_of_each_split_is_printed_once_and_is_what_the_metadata_says(segmented: Job) -> None:
    found = printed(segmented)
    assert found.keys() == {f"{split}:{metric}" for split in SPLITS for metric in spec.metrics}
    measured = segmented.document("metadata.json")["metrics"]
    for name, value in found.items():
        split, _, metric = name.partition(":")
        assert measured[split][metric] == pytest.approx(value, rel=1e-5), name


def test_what_a_number_of_segments_is_chosen_by_is_how_far_they_lie_apart_less_what_chance_makes_of_them(
    train_segments: Train, segmented: Job, channels: Path
) -> None:
    found = {4: printed(segmented)} | {
        count: printed(train_segments(channels, n_clusters=count)) for count in (3, 5, 6)
    }
    assert spec.tuning is not None
    scores = {count: one[f"validation:{spec.tuning.metric}"] for count, one in found.items()}
    assert max(scores, key=scores.__getitem__) == 4, scores
    for one in found.values():
        product = one["test:silhouette"] * one["test:stability"]
        assert one["test:stable_silhouette"] == pytest.approx(product, rel=1e-4)
    assert found[4]["test:stability"] > 0.99 > found[6]["test:stability"]


def test_segments_are_numbered_from_the_most_punctual_one_and_called_by_different_names(segmented: Job) -> None:
    segments = segmented.document("metadata.json")["segments"]
    assert [one["segment"] for one in segments] == [0, 1, 2, 3]
    late = [one["profile"]["late_departure_share"] for one in segments]
    assert late == sorted(late) == pytest.approx(PLANTED["late_departure_share"], abs=0.01)
    names = [one["name"] for one in segments]
    assert names == ["calm and clear", "windy and crisp", "murky and humid", "cancelled and late"]
    assert [one["rows"] for one in segments] == np.bincount(planted(1500, 0)).tolist()


def test_however_many_segments_there_are_no_two_have_the_same_name(train_segments: Train, channels: Path) -> None:
    segments = train_segments(channels, n_clusters=8).document("metadata.json")["segments"]
    assert len({one["name"] for one in segments}) == 8


def test_metadata_says_what_the_model_takes_and_what_it_was_made_of(segmented: Job) -> None:
    metadata = segmented.document("metadata.json")
    highest = {
        "cancelled_share": 1,
        "departure_delay_minutes": 3000,
        "humidity_percent": 100.5,
        "late_departure_share": 1,
        "precipitation_inches": 40,
        "visibility_miles": 100,
        "wind_speed_mph": 250,
    }
    columns = [
        {"name": name, "type": "number", "required": True, "minimum": 0, "maximum": highest[name]}
        for name in sorted(PLANTED)
    ]
    assert sorted(metadata["columns"], key=str) == columns
    assert metadata["data"] == {
        "version": "v7",
        "location": "s3://b/splits/",
        "row_counts": {"train": 1500, "validation": 400, "test": 400},
    }
    assert (metadata["git_commit"], metadata["hyperparameters"]) == ("abc123", dict(spec.hyperparameters))
    assert metadata["versions"]["scikit-learn"] == "1.9.0" and metadata["key"] == ["flight_date", "origin"]
    assert json.loads((segmented.model / "metadata.json").read_text()) == metadata


def test_the_model_folder_can_be_served_and_replicas_lie_beside_it_for_the_evaluation(segmented: Job) -> None:
    files = {str(path.relative_to(segmented.model)) for path in segmented.model.rglob("*") if path.is_file()}
    assert files == {"model.joblib", "metadata.json", "code/inference.py", "code/records.py"}
    assert {path.name for path in segmented.output.iterdir()} == {"replicas.joblib", "metadata.json", "golden.json"}


def test_the_same_seed_gives_the_same_bytes_in_whatever_order_and_beside_whatever_an_unload_writes_the_rows(
    train_segments: Train, segmented: Job, channels: Path
) -> None:
    for path in [*channels.rglob("*.parquet")]:
        pd.read_parquet(path)[::-1].to_parquet(path.with_suffix(""))
        path.unlink()
    (channels / "train" / "8a3f.metadata").write_bytes(b"\x00")
    again = train_segments(channels, git_commit="abc123")
    for folder, name in (("model", "model.joblib"), ("output", "replicas.joblib"), ("output", "golden.json")):
        assert (getattr(again, folder) / name).read_bytes() == (getattr(segmented, folder) / name).read_bytes(), name


def _emptied(channels: Path) -> None:
    shutil.rmtree(channels / "validation")
    (channels / "validation").mkdir()


def _changed(split: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def spoil(channels: Path) -> None:
        for path in (channels / split).iterdir():
            change(pd.read_parquet(path)).to_parquet(path)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (_emptied, "channel 'validation' is empty"),
        (
            _changed("test", lambda frame: frame.drop(columns=["wind_speed_mph", "origin"])),
            "channel 'test' lacks the column(s) wind_speed_mph, origin",
        ),
        (_changed("test", lambda frame: frame.head(0)), "channel 'test' has files but no rows"),
        (
            _changed("validation", lambda frame: frame.assign(humidity_percent=[None, *frame["humidity_percent"][1:]])),
            "channel 'validation': a feature is missing, which the audit of silver doesn't let pass",
        ),
        (
            _changed("train", lambda frame: frame.assign(**frame.iloc[0][list(PLANTED)]).head(9)),
            "channel 'train' has fewer different days than n_clusters=4",
        ),
    ],
    ids=["empty", "without columns", "without rows", "a value missing", "alike"],
)
def test_data_it_cannot_train_on_is_the_last_word_on_stderr(
    train_segments: Train, channels: Path, spoil: Callable[[Path], None], cause: str
) -> None:
    spoil(channels)
    job = train_segments(channels)
    assert job.exit_code == 1
    assert job.stderr.strip().splitlines()[-1].startswith(f"DataError: {cause}")
    assert not (job.model / "model.joblib").exists()


def test_the_served_model_gives_the_answers_that_training_knew(invoke: Invoke, segmented: Job) -> None:
    golden = segmented.document("golden.json")
    answer = invoke(golden["request"])
    assert answer.status == 200 and answer.json == golden["response"]
    assert len(golden["request"]) == 20


def a_day(segment: int) -> dict[str, float]:
    """A day in the middle of a planted segment."""
    return {name: middles[segment] for name, middles in PLANTED.items()}


def test_a_day_gets_its_segments_number_its_name_and_how_far_it_is_from_the_middle(
    invoke: Invoke, segmented: Job
) -> None:
    names = [one["name"] for one in segmented.document("metadata.json")["segments"]]
    for number in range(4):
        near, far = invoke(a_day(number)).json, invoke(a_day(number) | {"humidity_percent": 66.0}).json
        assert near.keys() == {"segment", "name", "distance"}
        assert (near["segment"], near["name"]) == (number, names[number]) and 0 <= near["distance"] < 0.5
        assert far["distance"] > near["distance"]


def test_lists_json_lines_and_csv_are_answered_alike_in_their_order(invoke: Invoke) -> None:
    rows = [a_day(number) for number in (3, 0, 2)]
    answers = invoke(rows).json["predictions"]
    assert [one["segment"] for one in answers] == [3, 0, 2]
    lines = "\n".join(json.dumps(dict(reversed(row.items()))) for row in rows)
    answered = invoke(lines, "application/jsonlines", "application/jsonlines").body
    assert [json.loads(line) for line in answered.splitlines()] == answers
    text = invoke(pd.DataFrame(rows).to_csv(index=False), "text/csv", "text/csv").body.splitlines()
    assert text[0] == "segment,name,distance" and len(text) == 4
    assert text[1] == f"3,{answers[0]['name']},{answers[0]['distance']}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wind_speed_mph": None}, "Field 'wind_speed_mph' is required."),
        ({"humidity_percent": "damp"}, "Field 'humidity_percent' must be a number, not \"damp\"."),
        ({"cancelled_share": float("nan")}, "Field 'cancelled_share' must be a number, not NaN."),
        ({"origin": "JFK"}, "Unknown field 'origin'."),
        ({"departure_delay_minutes": -2.5}, "Field 'departure_delay_minutes' must be 0 or more, not -2.5."),
        ({"humidity_percent": 1e200}, "Field 'humidity_percent' must be 100.5 or less, not 1e+200."),
        ({"precipitation_inches": -1.0}, "Field 'precipitation_inches' must be 0 or more, not -1.0."),
    ],
    ids=str,
)
def test_a_day_that_can_not_be_told_is_refused_by_the_fields_name(
    invoke: Invoke, change: dict[str, Any], message: str
) -> None:
    answer = invoke(a_day(0) | change)
    assert (answer.status, answer.json) == (400, {"error": message})
    assert invoke([a_day(0), a_day(0) | change]).json == {"error": f"Row 2: {message}"}
