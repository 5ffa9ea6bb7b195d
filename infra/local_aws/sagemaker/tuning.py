"""One hyperparameter tuning job: training jobs with one set of values after another, and the best of them."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.sagemaker.jobs import STOP_GRACE_SECONDS, Interrupted, Job, JobFailed, Surroundings, now
from local_aws.sagemaker.objectives import (
    Summary,
    best,
    has_ended,
    is_behind,
    not_improving,
    objective_counters,
    status_counters,
    training_job_summary,
    tried,
    value_of,
    values,
)
from local_aws.sagemaker.search import Search, Suggestion, combinations, parameters
from local_aws.sagemaker.training import TrainingJob

POLL_SECONDS = 0.1
ATTEMPTS = 5  # as many training jobs may end without success before AWS gives the tuning job up
# Of a training job definition, what is no member of a CreateTrainingJob request.
_NOT_PASSED_ON = ("DefinitionName", "StaticHyperParameters", "HyperParameterTuningResourceConfig")


@dataclass(frozen=True)
class Trial:
    """A training job at work, and the values that it tries."""

    suggestion: Suggestion
    job: TrainingJob


Launch = Callable[[dict[str, Any]], TrainingJob]


class TuningJob(Job):
    """What one CreateHyperParameterTuningJob request asked for, and what has become of it.

    `launch` starts a training job; `parents` are those of a warm start. Of its training jobs it keeps their summaries:
    a pickled tuning job has its record without them.
    """

    kind = "HyperParameterTuningJob"
    arn_type = "hyper-parameter-tuning-job"
    summary_members = ("HyperParameterTuningEndTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters")
    taken = "A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
    unknown = "Amazon SageMaker can't find a tuning job called {name}. Type another name."
    inherited: list[Summary]  # of its parents

    def __init__(self, request: Mapping[str, Any], arn: str, launch: Launch, parents: Sequence["TuningJob"]) -> None:
        super().__init__(request, arn)
        self._launch: Launch | None = launch
        self.config: dict[str, Any] = self.request["HyperParameterTuningJobConfig"]
        self.objective: dict[str, str] = self.config["HyperParameterTuningJobObjective"]
        definition = self.request["TrainingJobDefinition"]
        static = {"_tuning_objective_metric": self.objective["MetricName"]}
        static |= definition.get("StaticHyperParameters") or {}
        self.request["TrainingJobDefinition"] = {**definition, "StaticHyperParameters": static}
        self.training_jobs: dict[str, Summary] = {}
        self.inherited = [
            summary for parent in parents for summary in [*parent.inherited, *parent.training_job_summaries()]
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_launch": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for summary in self.training_jobs.values():
            if not has_ended(summary):
                summary.update(
                    TrainingJobStatus="Failed", ObjectiveStatus="Failed", FailureReason=self.failure_reason or ""
                )

    def training_job_summaries(self) -> list[Summary]:
        """Its training jobs, as they are listed."""
        with self._lock:
            return list(self.training_jobs.values())

    @property
    def summary(self) -> dict[str, Any]:
        return {
            **super().summary,
            "Strategy": self.config["Strategy"],
            "ResourceLimits": self.config["ResourceLimits"],
        }

    def _described(self) -> dict[str, Any]:
        own = list(self.training_jobs.values())
        started, ended = self.start_time, self.end_time or now()
        criteria = self.config.get("TuningJobCompletionCriteria")
        warm = self.request.get("WarmStartConfig") or {}
        identical = warm.get("WarmStartType") == "IdenticalDataAndAlgorithm"
        return {
            "HyperParameterTuningEndTime": self.end_time,
            "TrainingJobStatusCounters": status_counters(own),
            "ObjectiveStatusCounters": objective_counters(own),
            "BestTrainingJob": best(own, self.objective["Type"]),
            "OverallBestTrainingJob": best([*self.inherited, *own], self.objective["Type"]) if identical else None,
            "TuningJobCompletionDetails": {
                "NumberOfTrainingJobsObjectiveNotImproving": not_improving(values(own), self.objective["Type"])
            }
            if criteria
            else None,
            "ConsumedResources": {"RuntimeInSeconds": round((ended - started).total_seconds())} if started else None,
        }

    def _work(self, surroundings: Surroundings) -> None:
        with self._lock:
            self._unless_stopped()
            self.start_time = now()
        running: list[Trial] = []
        try:
            self._tune(running)
        finally:
            self._end(running)
        self._give_up_after(1)

    def _tune(self, running: list[Trial]) -> None:
        """Try values until there are no more to try; holds no place for a running job while its training jobs do."""
        search = Search(self.config, tried(self.inherited))
        limits = self.config["ResourceLimits"]
        most = most_training_jobs(self.config)
        until = time.monotonic() + limits["MaxRuntimeInSeconds"] if "MaxRuntimeInSeconds" in limits else None
        histories: list[list[float]] = []  # of the objectives of those that have ended
        while not self._stop.wait(POLL_SECONDS if running else 0):
            for trial in self._collect(running):
                summary = self.training_jobs[trial.job.name]
                search.tell(trial.suggestion, value_of(summary))
                if value_of(summary) is not None:
                    histories.append(self._history(trial))
            self._give_up_after(min(ATTEMPTS, most))
            if self._is_complete() or (until and time.monotonic() > until):
                return
            for trial in running:
                if self._is_to_stop(trial, search, histories):
                    trial.job.stop()
            while len(running) < limits["MaxParallelTrainingJobs"] and len(self.training_jobs) < most:
                running.append(self._start_training_job(search.ask()))
            if not running:
                return
        raise Interrupted("Stopped")

    def _is_to_stop(self, trial: Trial, search: Search, histories: list[list[float]]) -> bool:
        """Whether a training job is to end early."""
        if self.config["Strategy"] == "Hyperband":
            most = ((self.config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}).get("MaxResource")
            history = self._history(trial)
            return search.is_to_stop(trial.suggestion, history) or (most is not None and len(history) >= most)
        if self.config.get("TrainingJobEarlyStoppingType") == "Auto":
            return is_behind(self._history(trial), histories, self.objective["Type"])
        return False

    def _history(self, trial: Trial) -> list[float]:
        return trial.job.metrics.values(self.objective["MetricName"])

    def _start_training_job(self, suggestion: Suggestion) -> Trial:
        assert self._launch is not None
        name = f"{self.name}-{len(self.training_jobs) + 1:03d}-{uuid.uuid4().hex[:8]}"
        definition = self.request["TrainingJobDefinition"]
        trial = Trial(suggestion, self._launch(training_job(definition, name, suggestion.values, self.arn, self.tags)))
        self._note(trial)
        return trial

    def _collect(self, running: list[Trial]) -> list[Trial]:
        """Note how the running training jobs are; those that have ended, which are taken from the list."""
        ended = [trial for trial in running if has_ended(self._note(trial))]
        running[:] = [trial for trial in running if trial not in ended]
        return ended

    def _note(self, trial: Trial) -> Summary:
        definition = self.request["TrainingJobDefinition"]
        summary = training_job_summary(trial.job.response_object, self.objective, trial.suggestion.values)
        summary["TuningJobName"] = self.name
        if "DefinitionName" in definition:
            summary["TrainingJobDefinitionName"] = definition["DefinitionName"]
        with self._lock:
            self.training_jobs[trial.job.name] = summary
        return summary

    def _end(self, running: list[Trial]) -> None:
        """Stop what still runs, and wait for it."""
        for trial in running if not self._killed else ():
            trial.job.stop()
        until = time.monotonic() + 2 * STOP_GRACE_SECONDS
        while running and time.monotonic() < until:
            if self._killed:
                for trial in running:
                    trial.job.kill()
            time.sleep(POLL_SECONDS)
            self._collect(running)

    def _is_complete(self) -> bool:
        """Whether the request's completion criteria are met."""
        criteria = self.config.get("TuningJobCompletionCriteria") or {}
        own = list(self.training_jobs.values())
        found = best(own, self.objective["Type"])
        target = criteria.get("TargetObjectiveMetricValue")
        if found and target is not None:
            value = value_of(found)
            assert value is not None
            if (value >= target) if self.objective["Type"] == "Maximize" else (value <= target):
                return True
        most = (criteria.get("BestObjectiveNotImproving") or {}).get("MaxNumberOfTrainingJobsNotImproving")
        return most is not None and not_improving(values(own), self.objective["Type"]) >= most

    def _give_up_after(self, attempts: int) -> None:
        """JobFailed where so many training jobs have ended and not one has given an objective."""
        ended = [summary for summary in self.training_jobs.values() if has_ended(summary)]
        if len(ended) < attempts or values(ended):
            return
        if any(summary["TrainingJobStatus"] == "Completed" for summary in ended):
            raise JobFailed(
                f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom "
                "algorithm is emitting the objective metric as defined by the regular expression provided."
            )
        last = ended[-1]
        raise JobFailed(
            f"No training job succeeded after {len(ended)} attempts. Please take a look at the training job failures "
            f"to get more details. {last['TrainingJobName']}: {last.get('FailureReason', last['TrainingJobStatus'])}"
        )


def most_training_jobs(config: Mapping[str, Any]) -> int:
    """How many training jobs a tuning job may have: for Grid, no more than there are combinations."""
    most: int | None = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] != "Grid":
        assert most is not None
        return most
    size = len(combinations(parameters(config.get("ParameterRanges") or {})))
    return size if most is None else min(most, size)


def training_job(
    definition: Mapping[str, Any], name: str, tuned: Mapping[str, str], arn: str, tags: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The CreateTrainingJob request for one set of values; TuningJobArn, which AWS sets itself, is in it too."""
    resources = definition.get("HyperParameterTuningResourceConfig")
    if resources:
        first = (resources.get("InstanceConfigs") or [{}])[0]
        kept = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
        resources = {key: value for key, value in {**resources, **first}.items() if key in kept}
    checkpoints = definition.get("CheckpointConfig")
    if checkpoints:  # a folder each: none is to go on where another was
        checkpoints = {**checkpoints, "S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{name}"}
    return {
        **{key: value for key, value in definition.items() if key not in _NOT_PASSED_ON},
        **({"CheckpointConfig": checkpoints} if checkpoints else {}),
        **({"ResourceConfig": resources} if resources else {}),
        "TrainingJobName": name,
        "TuningJobArn": arn,
        "HyperParameters": {**(definition.get("StaticHyperParameters") or {}), **tuned},
        "Tags": list(tags),
    }
