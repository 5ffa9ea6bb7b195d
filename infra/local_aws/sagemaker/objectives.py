"""What a tuning job makes of its training jobs: their lines in its list, their objectives, the best of them."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

IMPROVEMENT = 0.01  # what BestObjectiveNotImproving counts as one

Summary = dict[str, Any]


def training_job_summary(
    described: Mapping[str, Any], objective: Mapping[str, str], tuned: Mapping[str, str]
) -> Summary:
    """A training job's line in ListTrainingJobsForHyperParameterTuningJob, from its description."""
    members = ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "CreationTime", "FailureReason")
    times = ("TrainingStartTime", "TrainingEndTime")
    summary = {name: described[name] for name in (*members, *times) if described.get(name) is not None}
    summary["TunedHyperParameters"] = dict(tuned)
    summary["ObjectiveStatus"] = "Pending"
    if has_ended(summary):
        metrics = {metric["MetricName"]: metric["Value"] for metric in described.get("FinalMetricDataList") or []}
        value = metrics.get(objective["MetricName"])
        if value is None or described["TrainingJobStatus"] == "Failed":
            summary["ObjectiveStatus"] = "Failed"
        else:
            summary["ObjectiveStatus"] = "Succeeded"
            summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": value}
    return summary


def status_counters(summaries: Iterable[Summary]) -> dict[str, int]:
    """TrainingJobStatusCounters; only what is AWS's own fault could be tried again."""
    counters = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    for summary in summaries:
        status = summary["TrainingJobStatus"]
        if status == "Failed":
            internal = summary.get("FailureReason", "").startswith("InternalServerError")
            status = "RetryableError" if internal else "NonRetryableError"
        counters["InProgress" if status == "Stopping" else status] += 1
    return counters


def objective_counters(summaries: Iterable[Summary]) -> dict[str, int]:
    """ObjectiveStatusCounters."""
    counters = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for summary in summaries:
        counters[summary["ObjectiveStatus"]] += 1
    return counters


def best(summaries: Iterable[Summary], objective_type: str) -> Summary | None:
    """The one with the best objective; None where none has any."""
    measured = [(value, summary) for summary in summaries if (value := value_of(summary)) is not None]
    sign = 1 if objective_type == "Minimize" else -1
    return min(measured, key=lambda pair: sign * pair[0])[1] if measured else None


def not_improving(found: Sequence[float], objective_type: str) -> int:
    """How many of the last values are not 1 % better than the best before them."""
    sign = 1 if objective_type == "Maximize" else -1
    count, top = 0, None
    for value in found:
        if top is None or sign * (value - top) >= IMPROVEMENT * abs(top):
            count = 0
        else:
            count += 1
        top = value if top is None or sign * (value - top) > 0 else top
    return count


def is_behind(history: Sequence[float], previous: Iterable[Sequence[float]], objective_type: str) -> bool:
    """AWS's rule for stopping a training job early: its last objective is worse than the median of the running
    averages that previous training jobs had after as many epochs."""
    averages = [mean(other[: len(history)]) for other in previous if other and history]
    if not averages:
        return False
    return history[-1] < median(averages) if objective_type == "Maximize" else history[-1] > median(averages)


def values(summaries: Iterable[Summary]) -> list[float]:
    """The objectives of those that have one, in the order in which they ended."""
    measured = [summary for summary in summaries if value_of(summary) is not None]
    measured.sort(key=lambda summary: summary["TrainingEndTime"])
    return [summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for summary in measured]


def tried(summaries: Iterable[Summary]) -> list[tuple[dict[str, str], float]]:
    """The hyperparameters that have an objective, with it."""
    return [
        (summary["TunedHyperParameters"], value) for summary in summaries if (value := value_of(summary)) is not None
    ]


def value_of(summary: Mapping[str, Any]) -> float | None:
    """Its objective; None where it has none, or none yet."""
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return float(metric["Value"]) if metric else None


def has_ended(summary: Mapping[str, Any]) -> bool:
    """Whether the training job is Completed, Failed or Stopped."""
    return summary["TrainingJobStatus"] not in ("InProgress", "Stopping")
