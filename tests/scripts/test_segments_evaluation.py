"""airport_weather's evaluate.py: segments of archives, each behind its own inference.py, measured on one test split."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import script_jobs
from channels import days, planted
from PIL import Image
from script_jobs import Evaluation, Job, pack

from airport_weather import spec
from silverline import gate, plots, sagemaker_requests, segment_plots

WORDS = sagemaker_requests.evaluation_job(spec, "job", [])["AppSpecification"]["ContainerArguments"]
TOLD = {name.removeprefix("--"): value for name, value in zip(WORDS[::2], WORDS[1::2], strict=True)}
# Handlers of another time: their records.py has what ours hasn't, and lacks what ours has.
BY_WIND = """
from werkzeug.wrappers import Response
import records
def model_fn(model_dir): return None
def input_fn(body, content_type): return records.rows_of(body)
def predict_fn(rows, model): return [{"segment": int(row["wind_speed_mph"] > 15)} for row in rows]
def output_fn(answers, accept): return Response(records.text_of(answers))
"""
RECORDS = """
import json
def rows_of(body): return json.loads(body)
def text_of(answers): return json.dumps({"predictions": answers})
"""
Champion = Callable[..., Path]
Evaluate = Callable[..., Evaluation]


@pytest.fixture(scope="session")
def evaluate(segmented: Job, image_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Runs evaluate.py as the pipeline's request has it run, with other folders where they are named."""
    inputs = tmp_path_factory.mktemp("processing")
    pack(segmented.model, inputs / "challenger" / "model.tar.gz")
    pack(segmented.output, inputs / "challenger" / "output.tar.gz")
    folders = {"challenger": inputs / "challenger", "champion": inputs / "champion"}
    folders["test"] = segmented.model.parent / "channels" / "test"

    def run(output: Path, **changes: Any) -> Evaluation:
        arguments = {**folders, **TOLD, "resamples": 40, **changes}
        return script_jobs.evaluate(image_python, spec.name, output, **arguments)

    return run


@pytest.fixture(scope="session")
def alone(evaluate: Evaluate, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The first model: there is no champion."""
    done = evaluate(tmp_path_factory.mktemp("alone"))
    assert done.exit_code == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def champion(segmented: Job, tmp_path_factory: pytest.TempPathFactory) -> Champion:
    """Packs the trained model as one in service, with other code and other columns where they are given."""

    def packed(code: dict[str, str], *columns: str) -> Path:
        folder = tmp_path_factory.mktemp("champion")
        shutil.copytree(segmented.model, folder / "model")
        for name, text in code.items():
            (folder / "model" / "code" / name).write_text(text)
        metadata = json.loads((folder / "model" / "metadata.json").read_text())
        metadata["columns"] += [{"name": name, "type": "number", "required": True} for name in columns]
        (folder / "model" / "metadata.json").write_text(json.dumps(metadata))
        pack(folder / "model", folder / "model.tar.gz")
        return folder

    return packed


@pytest.fixture(scope="session")
def beside_one_by_wind(evaluate: Evaluate, champion: Champion, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A champion whose own code puts windy days into one segment, and all others into another."""
    folder = champion({"inference.py": BY_WIND, "records.py": RECORDS})
    done = evaluate(tmp_path_factory.mktemp("beside"), champion=folder)
    assert done.exit_code == 0, done.stderr
    return done


def test_planted_segments_lie_further_apart_than_what_anybody_could_draw(alone: Evaluation) -> None:
    comparison = alone.document("comparison.json")
    assert comparison["models"].keys() == {"challenger", "airport_grouping", "delay_grouping"}
    assert comparison["worse_by"].keys() == {"airport_grouping", "delay_grouping"}
    assert comparison["champion_refused"] is None
    for name, found in comparison["worse_by"].items():
        difference = found["silhouette"]
        assert difference["low"] <= difference["value"] <= difference["high"] < -0.3, name
    assert comparison["models"]["airport_grouping"]["silhouette"]["value"] < 0.05


def test_the_gate_promotes_them_and_the_pipelines_slices_say_nothing_against_it(alone: Evaluation) -> None:
    decided = gate.decide(alone.document("comparison.json"), spec.gate)
    assert decided.decision == "promote" and decided.reasons[0].startswith("silhouette 0.8")


def test_asked_as_it_is_served_a_model_scores_what_training_measured(alone: Evaluation, segmented: Job) -> None:
    found = alone.document("comparison.json")["models"]["challenger"]
    measured = segmented.document("metadata.json")["metrics"]["test"]
    for metric in ("silhouette", "stability"):
        assert found[metric]["value"] == pytest.approx(measured[metric], abs=1e-9), metric
        assert found[metric]["low"] <= found[metric]["value"] <= found[metric]["high"]


def test_the_comparison_has_each_segments_rows_and_what_monitoring_knows_predictions_by(alone: Evaluation) -> None:
    comparison = alone.document("comparison.json")
    segments = comparison["segments"]
    assert [one["test_rows"] for one in segments] == np.bincount(planted(400, 2)).tolist()
    assert comparison["predictions"] == {
        "categories": [one["name"] for one in segments],
        "counts": [*np.bincount(planted(1500, 0)).tolist(), 0],
    }
    assert comparison["answers"].startswith("puts a day into one of 4 segments: calm and clear (40% of training's), ")


def test_every_row_is_a_point_of_its_segment(alone: Evaluation) -> None:
    scatter = alone.document("comparison.json")["scatter"]
    assert len(scatter["x"]) == len(scatter["y"]) == len(scatter["segment"]) == 400
    assert np.bincount(scatter["segment"]).tolist() == np.bincount(planted(400, 2)).tolist()
    assert 0.8 < sum(scatter["explained"]) <= 1


def test_a_champion_is_asked_through_its_own_inference_and_its_own_records(beside_one_by_wind: Evaluation) -> None:
    comparison = beside_one_by_wind.document("comparison.json")
    assert comparison["champion_refused"] is None
    ours, theirs = (comparison["models"][name]["silhouette"]["value"] for name in ("challenger", "champion"))
    difference = comparison["worse_by"]["champion"]["silhouette"]
    assert difference["value"] == pytest.approx(theirs - ours) and 0 < theirs < ours and difference["high"] < 0


def test_the_challengers_code_is_its_own_too(alone: Evaluation, beside_one_by_wind: Evaluation) -> None:
    one, other = (done.document("comparison.json")["models"] for done in (alone, beside_one_by_wind))
    assert one["challenger"] == other["challenger"]


def test_a_champion_may_take_what_the_challenger_does_without(
    evaluate: Evaluate, champion: Champion, tmp_path: Path
) -> None:
    warm = BY_WIND.replace('row["wind_speed_mph"] > 15', 'row["temperature_fahrenheit"] > 50')
    folder = champion({"inference.py": warm, "records.py": RECORDS}, "temperature_fahrenheit")
    (tmp_path / "test").mkdir()
    days(400, 2).assign(temperature_fahrenheit=np.arange(400) % 100.0).to_parquet(tmp_path / "test" / "part-0")
    comparison = evaluate(tmp_path / "output", champion=folder, test=tmp_path / "test").document("comparison.json")
    assert comparison["champion_refused"] is None and "champion" in comparison["models"]


@pytest.mark.parametrize(
    ("code", "columns", "said"),
    [
        ({}, ("moon_phase",), "Field 'moon_phase' is required."),
        ({"inference.py": "import moon"}, (), "ModuleNotFoundError: No module named 'moon'"),
    ],
    ids=["another column", "another module"],
)
def test_a_champion_that_cannot_be_asked_is_said_to_be_so_and_the_others_are_measured(
    evaluate: Evaluate, champion: Champion, tmp_path: Path, code: dict[str, str], columns: tuple[str, ...], said: str
) -> None:
    done = evaluate(tmp_path, champion=champion(code, *columns))
    comparison = done.document("comparison.json")
    assert done.exit_code == 0 and said in comparison["champion_refused"]
    assert comparison["models"].keys() == {"challenger", "airport_grouping", "delay_grouping"}
    assert gate.decide(comparison, spec.gate).decision == "hold"


def test_slices_hold_every_row_and_every_model(beside_one_by_wind: Evaluation) -> None:
    comparison = beside_one_by_wind.document("comparison.json")
    slices = comparison["slices"]
    assert slices.keys() == {"origin", "day_of_week"} and slices["origin"].keys() == {"EWR", "JFK", "LGA"}
    assert slices["day_of_week"].keys() == {str(day) for day in range(1, 8)}
    for values in slices.values():
        assert sum(found["rows"] for found in values.values()) == comparison["rows"] == 400
        of_all = [found["rows"] * found["challenger"]["silhouette"]["value"] for found in values.values()]
        assert sum(of_all) / 400 == pytest.approx(comparison["models"]["challenger"]["silhouette"]["value"])
        for found in values.values():
            assert found["worse_by"].keys() == {"champion", "airport_grouping", "delay_grouping"}


def test_the_days_of_three_airports_are_drawn_together(evaluate: Evaluate, alone: Evaluation, tmp_path: Path) -> None:
    comparison, each = alone.document("comparison.json"), evaluate(tmp_path, clusters="").document("comparison.json")
    assert (comparison["clusters"], each["clusters"]) == (134, 400)
    assert {found["clusters"] for found in comparison["slices"]["origin"].values()} == {133, 134}
    wide, narrow = (
        found["models"]["challenger"]["silhouette"]["high"] - found["models"]["challenger"]["silhouette"]["low"]
        for found in (comparison, each)
    )
    assert wide > narrow


def test_the_challengers_metrics_come_as_a_document_of_metrics(alone: Evaluation) -> None:
    evaluation, models = alone.document("evaluation.json"), alone.document("comparison.json")["models"]
    assert evaluation["dataset"]["item_count"] == 400
    assert {name: found["value"] for name, found in evaluation["clustering_metrics"].items()} == {
        name: found["value"] for name, found in models["challenger"].items()
    }
    assert all(found["standard_deviation"] >= 0 for found in evaluation["clustering_metrics"].values())


@pytest.mark.parametrize("run", ["alone", "beside_one_by_wind"])
def test_the_pictures_show_every_segment_and_the_slices(run: str, request: pytest.FixtureRequest) -> None:
    pictures = plots.draw(request.getfixturevalue(run).document("comparison.json"), spec.gate)
    assert pictures.keys() == {"scatter.png", "profile.png", "slices.png"}
    for name, content in pictures.items():
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        colours = {colour: count for count, colour in picture.getcolors(picture.width * picture.height) or []}
        assert min(picture.size) >= 200 and len(colours) > 20, (name, picture.size)
        if name == "scatter.png":
            legend = {tuple(bytes.fromhex(colour[1:])) for colour in segment_plots.COLORS[:4]}
            assert all(colours.get(colour, 0) > 10 for colour in legend)


def test_the_same_seed_gives_the_same_comparison(evaluate: Evaluate, alone: Evaluation, tmp_path: Path) -> None:
    again = evaluate(tmp_path / "again")
    other = evaluate(tmp_path / "other", seed=7).document("comparison.json")["models"]["challenger"]
    comparison = alone.document("comparison.json")
    assert again.document("comparison.json") == comparison
    assert other["silhouette"]["value"] == comparison["models"]["challenger"]["silhouette"]["value"]
    assert other["silhouette"] != comparison["models"]["challenger"]["silhouette"]


def test_a_test_split_it_cannot_use_is_the_last_word_on_stderr(evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = evaluate(tmp_path / "output", test=tmp_path / "empty")
    assert done.exit_code == 1
    assert done.stderr.strip().splitlines()[-1].startswith("DataError: channel 'test' is empty")
