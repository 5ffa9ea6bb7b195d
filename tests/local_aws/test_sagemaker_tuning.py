"""Tuning jobs train with one set of hyperparameters after another, and name the best."""

import pickle
import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends
from sagemaker_requests import BUCKET, bucket_client, eventually, finished, training_job

from local_aws.sagemaker import jobs, tuning

# Its objective is best where alpha is 3; `mode` may ask for worse.
SCRIPT = """
    import argparse, time
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--mode", default="fine")
    arguments = parser.parse_args()
    if arguments.mode == "fail" or arguments.alpha > 90:
        raise SystemExit(f"alpha={arguments.alpha} is out of bounds")
    if arguments.mode == "sleep":
        print("auc=0.5;", flush=True)
        time.sleep(60)
    if arguments.mode != "no metric":
        print(f"auc={-abs(arguments.alpha - 3)};", flush=True)
    if arguments.mode == "slow if bad" and arguments.alpha > 5:
        time.sleep(60)
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
            seconds=120,
        )

    def run(self, *arguments: Any, **config: Any) -> Any:
        self.start(*arguments, **config)
        return self.ended(arguments[0])

    def metrics(self, training_job_name: str) -> list[dict[str, Any]]:
        described = self.sagemaker.describe_training_job(TrainingJobName=training_job_name)
        return list(described.get("FinalMetricDataList", []))

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
    backend = sagemaker_backends["123456789012"]["us-east-1"]
    read_again = pickle.loads(pickle.dumps(backend.tuning_jobs["stopped-tuning"])).response_object
    tunings.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped-tuning")
    job = tunings.ended("stopped-tuning")
    assert (job["HyperParameterTuningJobStatus"], job["TrainingJobStatusCounters"]["Stopped"]) == ("Stopped", 2)
    for summary in tunings.listed("stopped-tuning"):
        assert finished(tunings.sagemaker, summary["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    # What would be found after a restart at that moment.
    assert read_again["HyperParameterTuningJobStatus"] == "Failed"
    assert read_again["TrainingJobStatusCounters"]["RetryableError"] == 2


def test_a_tuning_job_that_runs_too_long_ends_with_what_it_has(
    tunings: Tunings, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = tunings.request("too-long", "Random", 5, {"IntegerParameterRanges": [INTEGER]}, mode="sleep", parallel=1)
    request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxRuntimeInSeconds"] = 120
    tunings.sagemaker.create_hyper_parameter_tuning_job(**request)
    (summary,) = eventually(lambda: tunings.listed("too-long"), bool)
    eventually(lambda: tunings.metrics(summary["TrainingJobName"]), bool)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 120, sleep=time.sleep)
    monkeypatch.setattr(tuning, "time", clock)
    job = tunings.ended("too-long")
    assert (job["HyperParameterTuningJobStatus"], job["TrainingJobStatusCounters"]["Stopped"]) == ("Completed", 1)
    assert job["BestTrainingJob"]["TrainingJobStatus"] == "Stopped"


def test_a_tuning_job_waits_for_a_place_without_taking_one(tunings: Tunings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.slots, "_value", 0)
    tunings.start("waits-tuning", "Grid", None, values("1"))
    (summary,) = eventually(lambda: tunings.listed("waits-tuning"), bool)
    assert summary["TrainingJobStatus"] == "InProgress"
    monkeypatch.setattr(jobs.slots, "_value", 1)
    assert tunings.ended("waits-tuning")["HyperParameterTuningJobStatus"] == "Completed"
    monkeypatch.undo()


def test_a_training_job_that_is_behind_is_stopped_early(tunings: Tunings) -> None:
    ranges = values("3", "9")
    job = tunings.run(
        "early", "Grid", None, ranges, mode="slow if bad", parallel=1, TrainingJobEarlyStoppingType="Auto"
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    found = [(x["TrainingJobStatus"], x["ObjectiveStatus"]) for x in tunings.listed("early")]
    assert found == [("Completed", "Succeeded"), ("Stopped", "Succeeded")]


def test_hyperband_stops_a_training_job_that_has_had_its_most(tunings: Tunings) -> None:
    strategy = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 1}}
    ranges = {"IntegerParameterRanges": [{**INTEGER, "MinValue": "9"}]}
    job = tunings.run("hyperband", "Hyperband", 1, ranges, mode="slow if bad", StrategyConfig=strategy)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1
    assert job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == -6


@pytest.fixture(scope="module")
def target(tunings: Tunings) -> dict[str, Any]:
    """A tuning job that could try two values, and reaches its target with the first."""
    criteria = {"TargetObjectiveMetricValue": -0.6}
    job: dict[str, Any] = tunings.run(
        "target", "Grid", None, values("2.5", "1"), parallel=1, TuningJobCompletionCriteria=criteria
    )
    return job


def test_a_tuning_job_completes_where_its_target_is_reached(target: dict[str, Any]) -> None:
    assert target["HyperParameterTuningJobStatus"] == "Completed"
    assert target["TrainingJobStatusCounters"]["Completed"] == 1
    assert target["TuningJobCompletionDetails"] == {"NumberOfTrainingJobsObjectiveNotImproving": 0}


def test_a_warm_start_knows_the_best_of_its_parents_too(tunings: Tunings, grid: dict[str, Any]) -> None:
    request = tunings.request("child", "Bayesian", 1, {"IntegerParameterRanges": [{**INTEGER, "MaxValue": "1"}]})
    parents = [{"HyperParameterTuningJobName": "grid"}]
    warm = {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "IdenticalDataAndAlgorithm"}
    tunings.sagemaker.create_hyper_parameter_tuning_job(**request, WarmStartConfig=warm)
    job = tunings.ended("child")
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"alpha": "1"}
    overall = job["OverallBestTrainingJob"]
    assert (overall["TuningJobName"], overall["TunedHyperParameters"]) == ("grid", {"alpha": "2.5"})


def test_a_warm_start_needs_parents_with_its_own_objective(tunings: Tunings, grid: dict[str, Any]) -> None:
    request = tunings.request("orphan", "Grid", None, values("1"))
    request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = "Minimize"
    for name in ("grid", "nowhere"):
        warm = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}]}
        with pytest.raises(ClientError, match=rf"\(ValidationException\).*The parent tuning job {name} is to exist"):
            tunings.sagemaker.create_hyper_parameter_tuning_job(
                **request, WarmStartConfig={**warm, "WarmStartType": "TransferLearning"}
            )


def test_a_deleted_tuning_job_leaves_its_training_jobs(tunings: Tunings, target: dict[str, Any]) -> None:
    tunings.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="target")
    with pytest.raises(tunings.sagemaker.exceptions.ResourceNotFound):
        tunings.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="target")
    assert finished(tunings.sagemaker, target["BestTrainingJob"]["TrainingJobName"])


@pytest.mark.parametrize(
    ("config", "definition", "code", "message"),
    [
        (
            {"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"},
            {},
            "ValidationException",
            "TrainingJobEarlyStoppingType must be Off to use Hyperband",
        ),
        (
            {"ParameterRanges": {"AutoParameters": [{"Name": "alpha", "ValueHint": "1"}]}},
            {},
            "NotImplementedException",
            "CreateHyperParameterTuningJob with AutoParameters (say the ranges)",
        ),
        (
            {"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}},
            {},
            "NotImplementedException",
            "CreateHyperParameterTuningJob with ConvergenceDetected (use BestObjectiveNotImproving)",
        ),
        (
            {},
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
            "NotImplementedException",
            "CreateTrainingJob with more than one instance",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "f1"}},
            {},
            "ValidationException",
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions.",
        ),
        ({"ParameterRanges": {}}, {}, "ValidationException", "A tuning job needs ParameterRanges"),
        (
            {"ParameterRanges": {"ContinuousParameterRanges": [{"Name": "alpha", "MinValue": "0", "MaxValue": "1"}]}},
            {},
            "ValidationException",
            "The Grid strategy searches CategoricalParameterRanges only.",
        ),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "alpha", "MinValue": "2", "MaxValue": "1"}]}},
            {},
            "ValidationException",
            "alpha: MinValue 2 is to be less than MaxValue 1,",
        ),
        ({"Strategy": "Random"}, {}, "ValidationException", "The Random strategy needs ResourceLimits.MaxNumberOf"),
        (
            {},
            {"StaticHyperParameters": {"alpha": "1"}},
            "ValidationException",
            "Hyperparameters can't be static and have a range: alpha.",
        ),
        (
            {},
            {"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket-anywhere/models"}},
            "ValidationException",
            'Invalid S3OutputPath "s3://no-such-bucket-anywhere/models": the S3 bucket does not exist.',
        ),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(
    tunings: Tunings, config: dict[str, Any], definition: dict[str, Any], code: str, message: str
) -> None:
    request = tunings.request("refused", "Grid", None, values("1"), **config)
    request["TrainingJobDefinition"] |= definition
    with pytest.raises(ClientError) as refused:
        tunings.sagemaker.create_hyper_parameter_tuning_job(**request)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"][: len(message)]) == (code, message)


def test_a_taken_and_an_unknown_name_are_refused_in_awss_words(tunings: Tunings, grid: dict[str, Any]) -> None:
    errors = tunings.sagemaker.exceptions
    with pytest.raises(errors.ResourceInUse, match="A hyperparameter tuning job with the name, grid, already exists."):
        tunings.start("grid", "Grid", None, values("1"))
    with pytest.raises(errors.ResourceNotFound, match="can't find a tuning job called nowhere. Type another name."):
        tunings.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="nowhere")
