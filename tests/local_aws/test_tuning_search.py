"""A tuning job's pure parts: ranges, what is tried next, and what is made of the results."""

import math
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from local_aws.sagemaker.objectives import (
    best,
    is_behind,
    not_improving,
    objective_counters,
    status_counters,
    training_job_summary,
)
from local_aws.sagemaker.search import RangeError, Search, parameters
from local_aws.sagemaker.tuning import most_training_jobs, training_job

START = datetime(2026, 1, 1, tzinfo=UTC)
OBJECTIVE = {"Type": "Maximize", "MetricName": "auc"}


def config(strategy: str = "Random", type_: str = "Maximize", **ranges: Any) -> dict[str, Any]:
    return {
        "Strategy": strategy,
        "RandomSeed": 7,
        "HyperParameterTuningJobObjective": {**OBJECTIVE, "Type": type_},
        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        "ParameterRanges": ranges,
    }


def continuous(low: str, high: str, scale: str = "Auto") -> dict[str, Any]:
    return {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}


def tried(settings: dict[str, Any], count: int) -> list[str]:
    search = Search(settings)
    return [search.ask().values["x"] for _ in range(count)]


def test_random_values_stay_in_their_ranges_and_are_text() -> None:
    integers = tried(config(IntegerParameterRanges=[continuous("2", "4")]), 50)
    assert set(integers) == {"2", "3", "4"}
    numbers = tried(config(ContinuousParameterRanges=[continuous("0.5", "2")]), 50)
    assert all(0.5 <= float(number) <= 2 for number in numbers) and len(set(numbers)) == 50
    words = tried(config(CategoricalParameterRanges=[{"Name": "x", "Values": ['"adam"', "sgd"]}]), 50)
    assert set(words) == {'"adam"', "sgd"}


@pytest.mark.parametrize(
    ("low", "high", "scale", "middle"),
    [
        ("0", "1", "Linear", 0.5),
        ("0.0001", "1", "Logarithmic", 0.01),
        ("0.0001", "1", "Auto", 0.01),
        ("0.1", "1", "Auto", 0.55),
        ("0", "0.9999", "ReverseLogarithmic", 0.99),
    ],
)
def test_a_scale_says_where_the_middle_of_a_range_is(low: str, high: str, scale: str, middle: float) -> None:
    values = sorted(map(float, tried(config(ContinuousParameterRanges=[continuous(low, high, scale)]), 401)))
    below = sum(value < middle for value in values)
    assert 140 < below < 260
    assert float(low) <= values[0] and values[-1] <= float(high)


def test_the_same_seed_tries_the_same_values() -> None:
    ranges = [continuous("0", "1")]
    assert tried(config(ContinuousParameterRanges=ranges), 3) == tried(config(ContinuousParameterRanges=ranges), 3)


def test_a_grid_is_every_combination_in_order() -> None:
    ranges = [{"Name": "x", "Values": ["1", "2"]}, {"Name": "y", "Values": ["a", "b"]}]
    settings = config("Grid", CategoricalParameterRanges=ranges)
    search = Search(settings)
    found = [search.ask().values for _ in range(most_training_jobs(settings))]
    assert [(values["x"], values["y"]) for values in found] == [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")]


@pytest.mark.parametrize(("type_", "sign"), [("Minimize", 1), ("Maximize", -1)])
def test_bayesian_search_closes_in_on_the_optimum(type_: str, sign: int) -> None:
    ranges = [{"Name": name, "MinValue": "-10", "MaxValue": "10"} for name in "xy"]
    search = Search(config("Bayesian", type_, ContinuousParameterRanges=ranges))
    errors = []
    for number in range(30):
        suggestion = search.ask()
        errors.append((float(suggestion.values["x"]) - 3) ** 2 + (float(suggestion.values["y"]) + 1) ** 2)
        search.tell(suggestion, None if number == 5 else sign * errors[-1])
    assert median(errors[20:]) < median(errors[:10]) / 2


def test_bayesian_search_begins_with_what_is_known() -> None:
    ranges = {"ContinuousParameterRanges": [continuous("-10", "10", "Linear")]}
    known = [({"x": str(x)}, (x - 3.0) ** 2) for x in range(-10, 11)]
    ignored = [({"x": "11"}, 0.0), ({"x": "no number"}, 0.0), ({}, 0.0)]
    search = Search(config("Bayesian", "Minimize", **ranges), known + ignored)
    values = [float(search.ask().values["x"]) for _ in range(10)]
    assert sum(abs(value - 3) for value in values) / 10 < 3


def test_hyperband_gives_up_the_bad_early_and_lets_the_best_go_on() -> None:
    strategy = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    ranges = {"ContinuousParameterRanges": [continuous("0", "1")]}
    search = Search({**config("Hyperband", **ranges), "StrategyConfig": strategy})
    lengths: dict[float, int] = {}
    for _ in range(30):
        suggestion = search.ask()
        x = float(suggestion.values["x"])
        history = [x]
        while not search.is_to_stop(suggestion, history) and len(history) < 9:
            history.append(x * len(history))
        search.tell(suggestion, history[-1])
        lengths[x] = len(history)
    assert lengths[max(lengths)] == 9
    assert sum(lengths.values()) < 200 and lengths[min(lengths)] < 9


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ({"ContinuousParameterRanges": [continuous("1", "0")]}, "x: MinValue 1 is to be less than MaxValue 0"),
        ({"ContinuousParameterRanges": [continuous("0", "much")]}, "x: MinValue '0' or MaxValue 'much' is no float"),
        ({"ContinuousParameterRanges": [continuous("0", "inf")]}, "is to be less than MaxValue inf"),
        ({"ContinuousParameterRanges": [continuous("nan", "1")]}, "MinValue nan is to be less than MaxValue 1"),
        ({"IntegerParameterRanges": [continuous("1", "1" + "0" * 400)]}, "neither beyond 9007199254740992"),
        ({"IntegerParameterRanges": [continuous("0", "1.5")]}, "x: MinValue '0' or MaxValue '1.5' is no int"),
        ({"ContinuousParameterRanges": [continuous("0", "1", "Logarithmic")]}, "values greater than 0"),
        ({"ContinuousParameterRanges": [continuous("0", "1", "ReverseLogarithmic")]}, "within 0 <= x < 1"),
        ({"IntegerParameterRanges": [continuous("0", "1", "ReverseLogarithmic")]}, "for continuous"),
        (
            {"IntegerParameterRanges": [continuous("0", "1")], "ContinuousParameterRanges": [continuous("0", "1")]},
            "x has more than one range",
        ),
    ],
)
def test_a_range_that_cannot_be_searched(ranges: dict[str, Any], why: str) -> None:
    with pytest.raises(RangeError, match=why):
        parameters(ranges)


def test_a_training_job_is_made_of_the_definition_and_the_tried_values() -> None:
    definition = {
        "DefinitionName": "d",
        "StaticHyperParameters": {"a": "1"},
        "RoleArn": "role",
        "CheckpointConfig": {"S3Uri": "s3://b/checkpoints/"},
        "HyperParameterTuningResourceConfig": {
            "InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}],
            "AllocationStrategy": "Prioritized",
        },
    }
    assert training_job(definition, "t-001-x", {"b": "2"}, "arn", [{"Key": "k", "Value": "v"}]) == {
        "TrainingJobName": "t-001-x",
        "TuningJobArn": "arn",
        "HyperParameters": {"a": "1", "b": "2"},
        "RoleArn": "role",
        "CheckpointConfig": {"S3Uri": "s3://b/checkpoints/t-001-x"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "Tags": [{"Key": "k", "Value": "v"}],
    }


def summary(status: str, auc: float | None = None, reason: str | None = None, minute: int = 0) -> dict[str, Any]:
    described = {
        "TrainingJobName": f"job-{minute}",
        "TrainingJobArn": "arn",
        "TrainingJobStatus": status,
        "CreationTime": START,
        "TrainingEndTime": START + timedelta(minutes=minute),
        "FailureReason": reason,
        "FinalMetricDataList": [{"MetricName": "auc", "Value": auc}] if auc is not None else None,
    }
    return training_job_summary(described, OBJECTIVE, {})


SUMMARIES = [
    summary("Completed", 0.5),
    summary("Completed", 0.7, minute=1),
    summary("Stopped", 0.6),
    summary("Completed"),
    summary("Failed", 0.9, "AlgorithmError: no"),
    summary("Failed", None, "InternalServerError: local AWS failed"),
    summary("InProgress", 0.99),
    summary("Stopping"),
]


def test_training_jobs_are_counted_by_status_and_by_objective() -> None:
    assert status_counters(SUMMARIES) == {
        "Completed": 3,
        "InProgress": 2,
        "RetryableError": 1,
        "NonRetryableError": 1,
        "Stopped": 1,
    }
    assert objective_counters(SUMMARIES) == {"Succeeded": 3, "Pending": 2, "Failed": 3}


@pytest.mark.parametrize(("type_", "value"), [("Maximize", 0.7), ("Minimize", 0.5)])
def test_the_best_is_of_those_whose_objective_counts(type_: str, value: float) -> None:
    found = best(SUMMARIES, type_)
    assert found is not None
    assert found["FinalHyperParameterTuningJobObjectiveMetric"] == {**OBJECTIVE, "Value": value}


@pytest.mark.parametrize(
    ("values", "type_", "count"),
    [
        ([], "Maximize", 0),
        ([0.5], "Maximize", 0),
        ([0.5, 0.504, 0.4], "Maximize", 2),
        ([0.5, 0.4, 0.6], "Maximize", 0),
        ([0.5, 0.504, 0.508], "Maximize", 2),
        ([-1.0, -0.98], "Maximize", 0),
        ([0.5, 0.4, 0.6], "Minimize", 1),
        ([math.inf, 1.0], "Minimize", 0),
    ],
)
def test_less_than_one_percent_is_no_improvement(values: list[float], type_: str, count: int) -> None:
    assert not_improving(values, type_) == count


@pytest.mark.parametrize(
    ("history", "previous", "type_", "behind"),
    [
        ([0.4], [[0.5, 0.9], [0.3]], "Maximize", False),
        ([0.39], [[0.5, 0.9], [0.3]], "Maximize", True),
        ([0.39], [[0.5, 0.9], [0.3]], "Minimize", False),
        ([0.9, 0.5], [[0.5, 0.7]], "Maximize", True),
        ([0.1, 0.6], [[0.5, 0.7]], "Maximize", False),
        ([], [[0.5]], "Maximize", False),
        ([0.1], [], "Maximize", False),
        ([0.1], [[]], "Maximize", False),
    ],
)
def test_a_job_is_behind_where_it_is_worse_than_the_median_of_running_averages(
    history: list[float], previous: list[list[float]], type_: str, behind: bool
) -> None:
    assert is_behind(history, previous, type_) == behind
