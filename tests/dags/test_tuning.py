"""A search for hyperparameters, as a spec says it and as SageMaker gets it; what a training job gets of it."""

import dataclasses
from typing import Any

import pytest

from flight_delay import spec
from silverline import sagemaker_requests, tuning
from silverline.spec import PipelineSpec, Range, Tuning

TUNING = Tuning(
    metric="log_loss",
    goal="Minimize",
    ranges={"learning_rate": Range(0.01, 0.1, "Logarithmic"), "max_leaf_nodes": Range(7, 31), "seed": (1, 2)},
    max_jobs=5,
)
SPEC = dataclasses.replace(spec, tuning=TUNING)
BEST = {
    "HyperParameterTuningJobName": "t-1",
    "HyperParameterTuningJobArn": "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/t-1",
    "TrainingJobStatusCounters": {"Completed": 5},
    "BestTrainingJob": {
        "TrainingJobName": "t-1-003-abc",
        "TunedHyperParameters": {"learning_rate": "0.05", "max_leaf_nodes": "9", "seed": "2"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "validation:log_loss", "Value": 0.38714},
    },
}


def request() -> dict[str, Any]:
    training = sagemaker_requests.training_job(SPEC, "n", "s3://silver/splits/", "s3://artifacts/source", "v")
    return tuning.tuning_job(TUNING, "t-1", training)


def test_ranges_are_of_the_kind_of_their_ends_and_choices_are_json() -> None:
    config = request()["HyperParameterTuningJobConfig"]
    assert config["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "0.01", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [
            {"Name": "max_leaf_nodes", "MinValue": "7", "MaxValue": "31", "ScalingType": "Auto"}
        ],
        "CategoricalParameterRanges": [{"Name": "seed", "Values": ["1", "2"]}],
    }
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "validation:log_loss"}


def test_training_jobs_of_a_search_are_as_the_pipeline_trains_without_what_is_looked_for() -> None:
    training = sagemaker_requests.training_job(SPEC, "n", "s3://silver/splits/", "s3://artifacts/source", "v")
    definition = request()["TrainingJobDefinition"]
    assert not TUNING.ranges.keys() & definition["StaticHyperParameters"].keys()
    same = training.keys() - {"TrainingJobName", "HyperParameters", "Tags", "TensorBoardOutputConfig"}
    assert {member: definition[member] for member in same} == {member: training[member] for member in same}
    assert definition["EnableNetworkIsolation"] is True and request()["Tags"] == training["Tags"]


def test_the_best_training_jobs_hyperparameters_are_chosen_and_said_with_where_they_come_from() -> None:
    chosen = tuning.choose(SPEC, TUNING, BEST)
    assert chosen["hyperparameters"] == {"learning_rate": "0.05", "max_leaf_nodes": "9", "seed": "2"}
    assert chosen["tuning_job"]["best_training_job"] == "t-1-003-abc"
    assert chosen["sentence"] == (
        "learning_rate 0.05, max_leaf_nodes 9, seed 2: tuned by t-1, the best of 5 by validation:log_loss, 0.3871"
    )


def test_without_a_search_the_specs_hyperparameters_are_chosen() -> None:
    chosen = tuning.choose(SPEC, TUNING, None)
    assert chosen["hyperparameters"] == {"learning_rate": "0.06", "max_leaf_nodes": "15", "seed": "2013"}
    assert chosen["tuning_job"] is chosen["sentence"] is None


def test_a_search_that_has_measured_nothing_is_told() -> None:
    with pytest.raises(ValueError, match="no training job of t-1 has measured log_loss"):
        tuning.choose(SPEC, TUNING, {"HyperParameterTuningJobName": "t-1"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "accuracy"}, "tuning by 'accuracy', which is none of its metrics"),
        ({"metric": "test:log_loss"}, "tuning by 'test:log_loss', which is none of its metrics"),
        ({"ranges": {"depth": Range(1, 9)}}, "hyperparameters lack depth, which a run that doesn't tune needs"),
        ({"strategy": "Grid"}, "Grid tries every combination"),
        ({"strategy": "Grid", "ranges": {"seed": (1, 2)}}, "Grid tries every combination"),
    ],
)
def test_what_can_not_be_looked_for_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(spec, tuning=dataclasses.replace(TUNING, **changes))


def test_a_tuned_pipelines_name_leaves_room_in_a_tuning_jobs() -> None:
    arguments: dict[str, Any] = {field.name: getattr(SPEC, field.name) for field in dataclasses.fields(PipelineSpec)}
    with pytest.raises(ValueError, match="to be tuned its name has to have 20 letters"):
        PipelineSpec(**arguments | {"name": "a" * 21})
    assert len(f"{'a' * 20}-12345678-99") == 32
