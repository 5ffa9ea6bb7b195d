"""What a tuning job can't be here, or on AWS: refused by name."""

from collections.abc import Mapping
from typing import Any

from local_aws.sagemaker.exceptions import NotImplementedHere, ValidationError
from local_aws.sagemaker.limits import check_training_job
from local_aws.sagemaker.search import RangeError, parameters
from local_aws.sagemaker.tuning import training_job

REFUSED_TUNING = {
    "TrainingJobDefinitions": "make a tuning job for each, with TrainingJobDefinition",
    "Autotune": "say ParameterRanges and ResourceLimits",
}


def check_tuning_job(request: Mapping[str, Any]) -> None:
    """NotImplementedException where a CreateHyperParameterTuningJob request asks for what can't be had here;
    ValidationException where AWS refuses it."""
    config = request["HyperParameterTuningJobConfig"]
    ranges, criteria = config.get("ParameterRanges") or {}, config.get("TuningJobCompletionCriteria") or {}
    definition = request.get("TrainingJobDefinition") or {}
    refused = [f"{name} ({instead})" for name, instead in REFUSED_TUNING.items() if request.get(name)]
    if (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence") == "Enabled":
        refused.append("ConvergenceDetected (use BestObjectiveNotImproving)")
    if ranges.get("AutoParameters"):
        refused.append("AutoParameters (say the ranges)")
    for name in ("TuningObjective", "HyperParameterRanges"):
        if definition.get(name):
            refused.append(f"TrainingJobDefinition.{name} (say it in HyperParameterTuningJobConfig)")
    if refused:
        raise NotImplementedHere(f"CreateHyperParameterTuningJob with {', '.join(refused)}")
    objective = config.get("HyperParameterTuningJobObjective")
    if not definition or not objective:
        raise ValidationError("A tuning job needs TrainingJobDefinition and HyperParameterTuningJobObjective.")
    check_training_job(training_job(definition, request["HyperParameterTuningJobName"], {}, "", []))
    metrics = [metric["Name"] for metric in definition["AlgorithmSpecification"].get("MetricDefinitions") or []]
    if objective["MetricName"] not in metrics:
        raise ValidationError(
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions."
        )
    _check_hyperband(config)
    _check_ranges(config, ranges, definition.get("StaticHyperParameters") or {})


def _check_hyperband(config: Mapping[str, Any]) -> None:
    settings = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
    if config["Strategy"] != "Hyperband":
        if settings:
            raise ValidationError(f"HyperbandStrategyConfig is not for the {config['Strategy']} strategy.")
    elif config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise ValidationError("TrainingJobEarlyStoppingType must be Off to use Hyperband, which stops jobs itself.")
    elif settings.get("MaxResource") and settings.get("MinResource", 1) > settings["MaxResource"]:
        raise ValidationError("HyperbandStrategyConfig: MinResource is to be at most MaxResource.")


def _check_ranges(config: Mapping[str, Any], ranges: Mapping[str, Any], static: Mapping[str, str]) -> None:
    try:
        searched = parameters(ranges)
    except RangeError as error:
        raise ValidationError(str(error)) from error
    if not searched:
        raise ValidationError("A tuning job needs ParameterRanges: there is nothing to search.")
    both = [parameter.name for parameter in searched if parameter.name in static]
    if both:
        raise ValidationError(f"Hyperparameters can't be static and have a range: {', '.join(both)}.")
    if config["Strategy"] == "Grid":
        if ranges.get("ContinuousParameterRanges") or ranges.get("IntegerParameterRanges"):
            raise ValidationError("The Grid strategy searches CategoricalParameterRanges only.")
    elif "MaxNumberOfTrainingJobs" not in config["ResourceLimits"]:
        raise ValidationError(f"The {config['Strategy']} strategy needs ResourceLimits.MaxNumberOfTrainingJobs.")
