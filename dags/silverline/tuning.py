"""A search for hyperparameters: what a SageMaker tuning job is asked for, and what the training gets of it."""

import json
from collections.abc import Mapping
from typing import Any

from silverline.spec import PipelineSpec, Range, Tuning


# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
def tuning_job(tuning: Tuning, name: str, training: Mapping[str, Any]) -> dict[str, Any]:
    """CreateHyperParameterTuningJob: training jobs like `training`, but for the values that are looked for.

    They get its tags, too: SageMaker hands them on.
    """
    left_out = (
        "TrainingJobName",
        "HyperParameters",
        "Tags",
        "TensorBoardOutputConfig",
    )  # the last AWS doesn't take here
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.strategy,
            "HyperParameterTuningJobObjective": {"Type": tuning.goal, "MetricName": f"validation:{tuning.metric}"},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": tuning.max_jobs,
                "MaxParallelTrainingJobs": tuning.max_parallel_jobs,
            },
            "ParameterRanges": _parameter_ranges(tuning),
            "RandomSeed": 0,  # what is tried doesn't change from run to run by chance alone
        },
        "TrainingJobDefinition": {
            **{member: value for member, value in training.items() if member not in left_out},
            "StaticHyperParameters": {
                key: value for key, value in training["HyperParameters"].items() if key not in tuning.ranges
            },
        },
        "Tags": training["Tags"],
    }


def choose(spec: PipelineSpec, tuning: Tuning, job: Mapping[str, Any] | None) -> dict[str, Any]:
    """The `hyperparameters` that have a range, as a training job takes them: the best of `job`, or, where nothing was
    tuned, the spec's; `tuning_job`, where they come from, and a `sentence` on it for people, each None in that case.

    ValueError where no training job of it was measured.
    """
    if job is None:
        told = {name: json.dumps(spec.hyperparameters[name]) for name in tuning.ranges}
        return {"hyperparameters": told, "tuning_job": None, "sentence": None}
    best = job.get("BestTrainingJob") or {}
    if not (objective := best.get("FinalHyperParameterTuningJobObjectiveMetric")):
        raise ValueError(f"no training job of {job['HyperParameterTuningJobName']} has measured {tuning.metric}")
    found = {name: best["TunedHyperParameters"][name] for name in tuning.ranges}
    return {
        "hyperparameters": found,
        "tuning_job": {
            "name": job["HyperParameterTuningJobName"],
            "arn": job["HyperParameterTuningJobArn"],
            "best_training_job": best["TrainingJobName"],
            "metric": objective["MetricName"],
            "value": objective["Value"],
        },
        "sentence": (
            f"{', '.join(f'{name} {value}' for name, value in found.items())}: tuned by "
            f"{job['HyperParameterTuningJobName']}, the best of {job['TrainingJobStatusCounters']['Completed']} by "
            f"{objective['MetricName']}, {objective['Value']:.4f}"
        ),
    }


def _parameter_ranges(tuning: Tuning) -> dict[str, Any]:
    """ParameterRanges; a tuple's values are as the training toolkit reads them: JSON."""
    found: dict[str, Any] = {}
    for name, values in tuning.ranges.items():
        if isinstance(values, Range):
            kind = "Integer" if isinstance(values.low, int) and isinstance(values.high, int) else "Continuous"
            ends = {"MinValue": str(values.low), "MaxValue": str(values.high), "ScalingType": values.scaling}
            found.setdefault(f"{kind}ParameterRanges", []).append({"Name": name, **ends})
        else:
            choices = [json.dumps(value) for value in values]
            found.setdefault("CategoricalParameterRanges", []).append({"Name": name, "Values": choices})
    return found
