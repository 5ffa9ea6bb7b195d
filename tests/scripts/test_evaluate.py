"""evaluate.py: models of archives, each behind its own inference.py, measured on one test split."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import script_jobs
from PIL import Image
from script_jobs import Evaluation, pack

from silverline import figures, plots
from silverline.spec import Gate

SCRIPTS = Path(__file__).parents[2] / "sagemaker_scripts" / "flight_delay"
METRICS = {"roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "cost"}
EVEN_ODDS = """
import json
from werkzeug.wrappers import Response
def model_fn(model_dir): return None
def input_fn(body, content_type): return json.loads(body)
def predict_fn(rows, model): return [{"probability": 0.5, "is_late": True} for row in rows]
def output_fn(answers, accept): return Response(json.dumps({"predictions": answers}))
"""


@pytest.fixture(scope="session")
def inputs(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a processing job's inputs: the trained model, and its test split."""
    folder = tmp_path_factory.mktemp("processing")
    pack(trained.model, folder / "challenger" / "model.tar.gz")
    pack(trained.output, folder / "challenger" / "output.tar.gz")
    shutil.copytree(trained.model.parent / "channels" / "test", folder / "test")
    return folder


@pytest.fixture(scope="session")
def evaluate(image_python: Path, inputs: Path) -> Callable[..., Evaluation]:
    """Runs evaluate.py on the inputs, with other folders or hyperparameters where they are named."""

    def run(output: Path, **options: Any) -> Evaluation:
        folders = {name: inputs / name for name in ("challenger", "champion", "test")}
        options = folders | {"label": "is_late", "resamples": 40, "slices": "carrier,scheduled_hour"} | options
        return script_jobs.evaluate(image_python, "flight_delay", output, **options)

    return run


@pytest.fixture(scope="session")
def alone(evaluate: Callable[..., Evaluation], tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The first model: there is no champion."""
    done = evaluate(tmp_path_factory.mktemp("alone"), cost_missed=3, cost_false_alarm=1)
    assert done.exit_code == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def beside_even_odds(
    evaluate: Callable[..., Evaluation], trained: Any, tmp_path_factory: pytest.TempPathFactory
) -> Evaluation:
    """A champion whose own inference.py answers every flight with even odds."""
    folder = tmp_path_factory.mktemp("champion")
    shutil.copytree(trained.model, folder / "model")
    (folder / "model" / "code" / "inference.py").write_text(EVEN_ODDS)
    pack(folder / "model", folder / "model.tar.gz")
    done = evaluate(folder / "output", champion=folder, cost_missed=3, cost_false_alarm=1)
    assert done.exit_code == 0, done.stderr
    return done


def test_the_first_model_is_compared_with_the_baselines_only(alone: Evaluation) -> None:
    comparison = alone.document("comparison.json")
    assert comparison["models"].keys() == {"challenger", "base_rate", "logistic_regression"}
    assert comparison["worse_by"].keys() == {"base_rate", "logistic_regression"}
    assert comparison["champion_refused"] is None
    assert all(metrics.keys() == METRICS for metrics in comparison["models"].values())


def test_asked_as_it_is_served_a_model_scores_what_training_measured(alone: Evaluation, trained: Any) -> None:
    models = alone.document("comparison.json")["models"]
    trained_metrics = trained.document("metadata.json")["metrics"]
    baseline = trained_metrics["baselines"]["logistic_regression"]
    expected = {"challenger": trained_metrics["splits"]["test"], "logistic_regression": baseline["test"]}
    for name, scores in expected.items():
        for metric in METRICS - {"cost"}:
            assert models[name][metric]["value"] == pytest.approx(scores[metric], abs=1e-9), (name, metric)


def test_every_value_lies_within_its_interval_and_the_base_rate_ranks_nothing(alone: Evaluation) -> None:
    models = alone.document("comparison.json")["models"]
    for metric in METRICS - {"calibration_error"}:  # resamples are further off: a mean of distances
        found = models["challenger"][metric]
        assert found["low"] < found["value"] < found["high"], metric
    assert models["base_rate"]["roc_auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}


def test_the_base_rate_is_the_test_splits_own_which_no_training_data_can_spoil(alone: Evaluation) -> None:
    comparison = alone.document("comparison.json")
    share, base_rate = comparison["positive_share"], comparison["models"]["base_rate"]
    assert base_rate["calibration_error"]["value"] == pytest.approx(0)
    assert base_rate["brier"]["value"] == pytest.approx(share * (1 - share))


def test_a_champion_is_asked_through_its_own_inference(beside_even_odds: Evaluation) -> None:
    comparison = beside_even_odds.document("comparison.json")
    assert comparison["models"]["champion"]["roc_auc"]["value"] == 0.5
    assert comparison["models"]["champion"]["log_loss"]["value"] == pytest.approx(0.6931, abs=1e-4)
    assert comparison["worse_by"]["champion"]["roc_auc"]["high"] < 0
    assert comparison["worse_by"]["champion"]["log_loss"]["high"] < 0


def test_slices_hold_every_row_and_both_models(beside_even_odds: Evaluation) -> None:
    slices = beside_even_odds.document("comparison.json")["slices"]
    assert slices.keys() == {"carrier", "scheduled_hour"}
    assert slices["carrier"].keys() == {"AA", "B6", "UA"}
    for found in slices["carrier"].values():
        assert {"challenger", "champion", "base_rate", "logistic_regression"} <= found.keys()
        assert found["worse_by"]["champion"]["log_loss"]["value"] == pytest.approx(
            found["challenger"]["log_loss"]["value"] - found["champion"]["log_loss"]["value"]
        )
    assert all(sum(found["rows"] for found in values.values()) == 400 for values in slices.values())


def test_the_threshold_follows_from_the_costs_and_costs_less_than_any_constant_answer(alone: Evaluation) -> None:
    threshold = alone.document("comparison.json")["threshold"]
    assert threshold["by_costs"] == threshold["served"] == 0.25
    cheapest = threshold["cost_at_cheapest"]["value"]
    assert cheapest <= threshold["cost"]["value"]
    assert cheapest < min(threshold["cost_of_never_warning"], threshold["cost_of_always_warning"])


def test_a_model_costs_what_its_own_answers_cost(beside_even_odds: Evaluation) -> None:
    comparison = beside_even_odds.document("comparison.json")
    counts = beside_even_odds.document("evaluation.json")["binary_classification_metrics"]["confusion_matrix"]
    cost = (3 * counts["1"]["0"] + counts["0"]["1"]) / 400
    assert comparison["models"]["challenger"]["cost"]["value"] == pytest.approx(cost)
    always = comparison["threshold"]["cost_of_always_warning"]
    assert comparison["models"]["champion"]["cost"]["value"] == pytest.approx(always)


def test_the_challengers_metrics_have_the_shape_of_sagemakers_model_quality(alone: Evaluation) -> None:
    evaluation = alone.document("evaluation.json")
    metrics = evaluation["binary_classification_metrics"]
    confusion = metrics["confusion_matrix"]
    assert sum(count for row in confusion.values() for count in row.values()) == evaluation["dataset"]["item_count"]
    assert metrics["recall"]["value"] == confusion["1"]["1"] / (confusion["1"]["0"] + confusion["1"]["1"])
    assert metrics["accuracy"]["value"] == (confusion["0"]["0"] + confusion["1"]["1"]) / 400
    assert all(metrics[name]["standard_deviation"] > 0 for name in ("auc", "au_prc", "precision", "f1", "f0_5", "f2"))
    assert {f"{name}_best_constant_classifier" for name in ("recall", "precision", "accuracy", "f1")} <= metrics.keys()
    assert metrics["receiver_operating_characteristic_curve"]["true_positive_rates"][-1] == 1


@pytest.mark.parametrize("run", ["alone", "beside_even_odds"])
def test_every_picture_shows_the_challenger(run: str, request: pytest.FixtureRequest) -> None:
    pictures = plots.draw(request.getfixturevalue(run).document("comparison.json"), Gate())
    assert pictures.keys() == {"roc.png", "calibration.png", "lift.png", "slices.png"}
    blue = tuple(bytes.fromhex(figures.STYLES["challenger"]["color"][1:]))
    for name, content in pictures.items():
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        colours = {colour: count for count, colour in picture.getcolors(picture.width * picture.height) or []}
        assert min(picture.size) >= 200 and colours.get(blue, 0) > 50, (name, picture.size)


def test_the_same_seed_gives_the_same_intervals(
    evaluate: Callable[..., Evaluation], alone: Evaluation, tmp_path: Path
) -> None:
    again = evaluate(tmp_path, cost_missed=3, cost_false_alarm=1)
    assert again.document("comparison.json") == alone.document("comparison.json")


def test_a_champion_that_cannot_be_asked_is_said_to_be_so_and_the_others_are_measured(
    evaluate: Callable[..., Evaluation], trained: Any, tmp_path: Path
) -> None:
    shutil.copytree(trained.model, tmp_path / "model")
    metadata = json.loads((tmp_path / "model" / "metadata.json").read_text())
    metadata["columns"].append({"name": "moon_phase", "type": "number", "required": True})
    (tmp_path / "model" / "metadata.json").write_text(json.dumps(metadata))
    pack(tmp_path / "model", tmp_path / "model.tar.gz")
    comparison = evaluate(tmp_path / "output", champion=tmp_path).document("comparison.json")
    assert "the champion refuses rows of the test split" in comparison["champion_refused"]
    assert "Field 'moon_phase' is required." in comparison["champion_refused"]
    assert comparison["models"].keys() == {"challenger", "base_rate", "logistic_regression"}


def test_a_test_split_it_cannot_use_is_the_last_word_on_stderr(
    evaluate: Callable[..., Evaluation], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = evaluate(tmp_path / "output", test=tmp_path / "empty")
    assert done.exit_code == 1
    assert "DataError: channel 'test' is empty" in done.stderr.strip().splitlines()[-1]


def test_weighted_metrics_are_those_of_rows_that_stand_as_often(image_python: Path) -> None:
    program = (
        "import json, numpy as np, bootstrap, measures, metrics\n"
        "random = np.random.default_rng(7)\n"
        "labels = random.random(500) < 0.3\n"
        "probabilities = np.round(np.clip(labels * 0.2 + random.random(500) * 0.8, 0.01, 0.99), 2)\n"  # with ties
        "weights = list(bootstrap.weights(np.arange(500), 1, seed=1))[1]\n"
        "scored = measures.Scored(labels, probabilities, probabilities >= 0.25, measures.Costs(3, 1))\n"
        "measured = scored.measure(weights)\n"
        "repeated = np.repeat(np.arange(500), weights.astype(int))\n"
        "print(json.dumps([measured, metrics.scores(labels[repeated], probabilities[repeated])]))\n"
    )
    done = subprocess.run([image_python, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    measured, expected = json.loads(done.stdout)
    for metric in ("roc_auc", "pr_auc", "log_loss", "brier"):
        assert measured[metric] == pytest.approx(expected[metric], abs=1e-12), metric


def computed(image_python: Path, program: str) -> Any:
    """What a program that has the scripts and 400 made-up rows prints, as JSON."""
    begin = (
        "import json, numpy as np, pandas as pd, bootstrap, measures\n"
        "from model_quality import model_quality\n"
        "costs, random = measures.Costs(3, 1), np.random.default_rng(7)\n"
        "def draws(scored, clusters, resamples=200):\n"
        "    found = [scored.measure(weights) for weights in bootstrap.weights(clusters, resamples, seed=1)]\n"
        "    return pd.DataFrame(found).to_dict('series')\n"
    )
    done = subprocess.run([image_python, "-c", begin + program], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_rows_of_one_cluster_are_drawn_together_and_count_as_one(image_python: Path) -> None:
    program = (
        "days = pd.DataFrame({'month': '2013-01', 'day': np.repeat(np.arange(30), 100)})\n"
        "late = np.repeat(random.random(30) < 0.3, 100)\n"  # all of a day's flights, or none
        "scored = measures.Scored(late, np.full(3000, 0.3), late, costs)\n"
        "alone, together = (bootstrap.clusters(days, columns) for columns in ([], ['month', 'day']))\n"
        "weights = [w.reshape(30, 100) for w in bootstrap.weights(together, 20, seed=1)]\n"
        "loss = [bootstrap.interval(draws(scored, clusters)['log_loss']) for clusters in (alone, together)]\n"
        "print(json.dumps([[bool((w == w[:, :1]).all() and w.sum() == 3000) for w in weights], loss]))\n"
    )
    drawn_as_days, (rows, days) = computed(image_python, program)
    assert all(drawn_as_days)
    assert rows["value"] == days["value"]
    # Thirty days, each a hundred times: the bounds lie as far apart as those of thirty rows, ten times as far.
    assert 7 < (days["high"] - days["low"]) / (rows["high"] - rows["low"]) < 14


def test_a_calibrated_model_is_not_said_to_be_off_by_more_than_it_is(image_python: Path) -> None:
    program = (
        "lows = {}\n"
        "for name, off in {'calibrated': 0.0, 'off': 0.15}.items():\n"
        "    lows[name] = []\n"
        "    for _ in range(20):\n"
        "        probabilities = random.uniform(0.05, 0.6, 300)\n"
        "        late = random.random(300) < probabilities + off\n"
        "        found = draws(measures.Scored(late, probabilities, late, costs), np.arange(300))\n"
        "        lows[name].append(measures.bounds('calibration_error', found['calibration_error'])['low'])\n"
        "print(json.dumps(lows))\n"
    )
    lows = computed(image_python, program)
    assert sum(low > 0.05 for low in lows["calibrated"]) <= 1
    assert sum(low > 0.05 for low in lows["off"]) >= 16


def test_a_resample_without_a_late_flight_has_no_say_in_how_far_the_ranking_may_be_off(image_python: Path) -> None:
    program = (
        "late = np.arange(400) < 2\n"
        "scored, clusters = measures.Scored(late, random.random(400), late, costs), np.arange(400)\n"
        "found = draws(scored, clusters)\n"
        "assert any(np.isnan(found['roc_auc']))\n"
        "quality = model_quality(scored, late, clusters, found, seed=1)\n"
        "print(json.dumps(quality['binary_classification_metrics']['auc'], allow_nan=False))\n"
    )
    auc = computed(image_python, program)
    assert 0 < auc["standard_deviation"] < 1


def test_the_evaluation_says_in_how_many_clusters_its_rows_lie(
    evaluate: Callable[..., Evaluation], alone: Evaluation, tmp_path: Path
) -> None:
    by_carrier = evaluate(tmp_path, clusters="month,carrier").document("comparison.json")
    assert (by_carrier["clusters"], alone.document("comparison.json")["clusters"]) == (3, 400)
    assert {found["clusters"] for found in by_carrier["slices"]["carrier"].values()} == {1}
