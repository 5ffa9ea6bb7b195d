"""Tuning jobs train with one set of hyperparameters after another, and name the best."""

from typing import Any

import boto3
import pytest
from sagemaker_requests import BUCKET, bucket_client, eventually, finished, training_job

# Its objective is best where alpha is 3; "no metric" and "fail" are what `mode` may ask for.
SCRIPT = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--mode", default="fine")
    arguments = parser.parse_args()
    if arguments.mode == "fail" or arguments.alpha > 90:
        raise SystemExit(f"alpha={arguments.alpha} is out of bounds")
    if arguments.mode == "sleep":
        import time
        print("auc=0.5;", flush=True)
        time.sleep(60)
    if arguments.mode != "no metric":
        print(f"auc={-abs(arguments.alpha - 3)};")
"""


class Tunings:
    """Creates tuning jobs over one script."""

    def __init__(self) -> None:
        self.s3 = bucket_client()
        self.sagemaker: Any = boto3.client("sagemaker")
        self.definition = training_job(self.s3, "tuned", SCRIPT)

    def request(self, name: str, strategy: str, jobs: int | None, ranges: dict[str, Any], **config: Any) -> Any:
        """A CreateHyperParameterTuningJob request; `mode` of `config` is the script's."""
        static = {**self.definition["HyperParameters"], "mode": config.pop("mode", "fine")}
        limits = {"MaxParallelTrainingJobs": config.pop("parallel", 2)}
        limits |= {"MaxNumberOfTrainingJobs": jobs} if jobs else {}
        specification = {
            **self.definition["AlgorithmSpecification"],
            "MetricDefinitions": [{"Name": "auc", "Regex": r"auc=(\S+);"}],
        }
        kept = ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
                "ResourceLimits": limits,
                "ParameterRanges": ranges,
                **config,
            },
            "TrainingJobDefinition": {
                **{key: self.definition[key] for key in kept},
                "AlgorithmSpecification": specification,
                "StaticHyperParameters": static,
            },
            "Tags": [{"Key": "team", "Value": "data"}],
        }

    def start(self, name: str, strategy: str, jobs: int | None, ranges: dict[str, Any], **config: Any) -> None:
        self.sagemaker.create_hyper_parameter_tuning_job(**self.request(name, strategy, jobs, ranges, **config))

    def ended(self, name: str) -> Any:
        """DescribeHyperParameterTuningJob's answer once the job has ended."""
        return eventually(
            lambda: self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda job: job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
        )

    def run(self, *arguments: Any, **config: Any) -> Any:
        self.start(*arguments, **config)
        return self.ended(arguments[0])

    def listed(self, name: str, **request: Any) -> list[dict[str, Any]]:
        answer = self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, **request
        )
        return list(answer["TrainingJobSummaries"])


def values(*texts: str) -> dict[str, Any]:
    return {"CategoricalParameterRanges": [{"Name": "alpha", "Values": list(texts)}]}


@pytest.fixture(scope="module")
def tunings(local_aws: Any) -> Tunings:
    return Tunings()


@pytest.fixture(scope="module")
def grid(tunings: Tunings) -> dict[str, Any]:
    """A tuning job that tries three values, of which the last fails."""
    job: dict[str, Any] = tunings.run("grid", "Grid", None, values("1", "2.5", "99"))
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    return job


def test_the_best_training_job_is_named_with_its_hyperparameters(grid: dict[str, Any]) -> None:
    best = grid["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"alpha": "2.5"}
    objective = best["FinalHyperParameterTuningJobObjectiveMetric"]
    assert (objective["MetricName"], objective["Type"], objective["Value"]) == ("auc", "Maximize", -0.5)


def test_training_jobs_are_counted_by_what_became_of_them(grid: dict[str, Any]) -> None:
    assert grid["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 1,
        "Stopped": 0,
    }
    assert grid["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}


def test_a_tuning_job_says_when_it_ran(grid: dict[str, Any]) -> None:
    assert grid["CreationTime"] <= grid["HyperParameterTuningEndTime"] <= grid["LastModifiedTime"]
    assert grid["ConsumedResources"]["RuntimeInSeconds"] >= 1


def test_its_training_jobs_are_training_jobs_like_others(tunings: Tunings, grid: dict[str, Any]) -> None:
    name = grid["BestTrainingJob"]["TrainingJobName"]
    job = tunings.sagemaker.describe_training_job(TrainingJobName=name)
    assert name.startswith("grid-002-")
    assert job["TuningJobArn"] == grid["HyperParameterTuningJobArn"]
    tuned = {key: job["HyperParameters"][key] for key in ("alpha", "mode", "_tuning_objective_metric")}
    assert tuned == {"alpha": "2.5", "mode": "fine", "_tuning_objective_metric": "auc"}
    tags = tunings.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "data"}]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/{name}/output/model.tar.gz"


@pytest.mark.parametrize(
    ("request_", "tried"),
    [
        ({}, ["1", "2.5", "99"]),
        ({"SortOrder": "Descending"}, ["99", "2.5", "1"]),
        ({"StatusEquals": "Failed"}, ["99"]),
        ({"SortBy": "FinalObjectiveMetricValue"}, ["1", "2.5"]),
        ({"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Descending", "MaxResults": 1}, ["2.5"]),
    ],
)
def test_training_jobs_are_listed_by_name_or_objective(
    tunings: Tunings, grid: dict[str, Any], request_: dict[str, Any], tried: list[str]
) -> None:
    assert [summary["TunedHyperParameters"]["alpha"] for summary in tunings.listed("grid", **request_)] == tried


def test_tuning_jobs_are_listed_and_have_their_tags(tunings: Tunings, grid: dict[str, Any]) -> None:
    listed = tunings.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="grid", StatusEquals="Completed")
    (summary,) = listed["HyperParameterTuningJobSummaries"]
    assert (summary["Strategy"], summary["ObjectiveStatusCounters"]["Succeeded"]) == ("Grid", 2)
    tags = tunings.sagemaker.list_tags(ResourceArn=grid["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "data"}]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (
            "fail",
            "No training job succeeded after 2 attempts. Please take a look at the training job failures to get more "
            "details. ",
        ),
        (
            "no metric",
            "No objective metrics found after running 2 training jobs. Please ensure that the custom algorithm is "
            "emitting the objective metric as defined by the regular expression provided.",
        ),
    ],
)
def test_a_tuning_job_without_one_objective_fails_in_awss_words(tunings: Tunings, mode: str, reason: str) -> None:
    name = f"none-{mode.replace(' ', '-')}"
    job = tunings.run(name, "Random", 2, {"IntegerParameterRanges": [INTEGER]}, mode=mode)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert mode != "fail" or "is out of bounds" in job["FailureReason"]
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 2}


INTEGER = {"Name": "alpha", "MinValue": "1", "MaxValue": "9"}


def test_stopping_a_tuning_job_stops_its_training_jobs(tunings: Tunings) -> None:
    tunings.start("stopped-tuning", "Bayesian", 5, {"IntegerParameterRanges": [INTEGER]}, mode="sleep")
    eventually(lambda: tunings.listed("stopped-tuning"), lambda found: len(found) == 2)
    tunings.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped-tuning")
    job = tunings.ended("stopped-tuning")
    assert (job["HyperParameterTuningJobStatus"], job["TrainingJobStatusCounters"]["Stopped"]) == ("Stopped", 2)
    for summary in tunings.listed("stopped-tuning"):
        assert finished(tunings.sagemaker, summary["TrainingJobName"])["TrainingJobStatus"] == "Stopped"


def test_a_taken_and_an_unknown_name_are_refused_in_awss_words(tunings: Tunings, grid: dict[str, Any]) -> None:
    errors = tunings.sagemaker.exceptions
    with pytest.raises(errors.ResourceInUse, match="A hyperparameter tuning job with the name, grid, already exists."):
        tunings.start("grid", "Grid", None, values("1"))
    with pytest.raises(errors.ResourceNotFound, match="can't find a tuning job called nowhere. Type another name."):
        tunings.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="nowhere")
