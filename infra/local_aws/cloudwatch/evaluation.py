"""How an alarm's state follows from its data points, by AWS's documented rules."""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# As in AWS's examples: it looks at more data points than it evaluates, for those that come late or with gaps.
EXTRA_PERIODS = 2
# A period is looked at this long after its end: what belongs to it is still on its way.
SETTLE_SECONDS = 2

BREACHING: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class Datapoint:
    """One period's value, None where it has none, and how many samples are behind it."""

    start: float
    value: float | None
    sample_count: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The state an alarm should be in, and AWS's words for why."""

    state: str
    reason: str
    reason_data: str | None


@dataclass(frozen=True)
class Rule:
    """What a metric alarm compares, and how often it has to hold."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> "Rule":
        """The rule of a PutMetricAlarm request; AWS ignores missing data of DynamoDB whatever the alarm says."""
        is_dynamodb = alarm.get("Namespace") == "AWS/DynamoDB"
        return cls(
            alarm["ComparisonOperator"],
            float(alarm["Threshold"]),
            alarm["EvaluationPeriods"],
            alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
            "ignore" if is_dynamodb else alarm.get("TreatMissingData") or "missing",
        )

    @property
    def range(self) -> int:
        """How many of the latest periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        """Whether a data point of this value counts towards an alarm."""
        return BREACHING[self.comparison](value, self.threshold)


def last_boundary(now: float, period: int) -> float:
    """Where the periods that are looked at `now` end: on the minute, for periods below one on ten seconds."""
    resolution = 10 if period < 60 else 60
    return (now - SETTLE_SECONDS) // resolution * resolution


def decide(points: Sequence[bool | None], rule: Rule) -> str | None:
    """The state that breaching, not breaching and missing (None) points, oldest first, lead to; None to keep it."""
    real = [point for point in points if point is not None][-rule.evaluation_periods :]
    breaching, missing = sum(real), rule.evaluation_periods - len(real)
    if missing and rule.treat_missing_data in _TREATED:
        breaching += missing if rule.treat_missing_data == "breaching" else 0
        return "ALARM" if breaching >= rule.datapoints_to_alarm else "OK"
    if breaching >= rule.datapoints_to_alarm:
        return "ALARM"
    if not all(real) or not missing:
        return "OK"
    if rule.treat_missing_data == "ignore":
        return None
    # Few points, all breaching: an alarm once the oldest is old enough for the others to have come.
    age = len(points) - points.index(True) if breaching else 0
    return "ALARM" if age >= rule.datapoints_to_alarm else "INSUFFICIENT_DATA"


def has_few_samples(rule: Rule, datapoints: Sequence[Datapoint], percentile: float) -> bool:
    """Whether AWS finds too few samples behind the data points for a percentile (0.99, say) to mean something."""
    needed = 10 / (1 - percentile) if percentile >= 0.5 else 10 / percentile
    counts = [point.sample_count for point in datapoints if point.sample_count][-rule.evaluation_periods :]
    return 0 < sum(counts) < needed


def evaluate(
    rule: Rule, datapoints: Sequence[Datapoint], old_state: str, now: float, query: Mapping[str, Any]
) -> Verdict:
    """The verdict on the data points of the range, oldest first; its state is `old_state` where that is kept.

    `query` is what the reason says of where the points come from: Period, and Statistic and Unit where there is one.
    """
    state = decide([None if point.value is None else rule.breaches(point.value) for point in datapoints], rule)
    real = [point for point in datapoints if point.value is not None][-rule.evaluation_periods :]
    return Verdict(
        state or old_state,
        _reason(rule, real, state or old_state),
        json.dumps(_reason_data(rule, datapoints, real, now, query)),
    )


def _reason(rule: Rule, real: Sequence[Datapoint], state: str) -> str:
    missing = rule.evaluation_periods - len(real)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_counted(missing, 'datapoint was', 'datapoints were')} unknown."
    treated = _TREATED.get(rule.treat_missing_data)
    filled = f"{_counted(missing, 'missing datapoint was', 'missing datapoints were')} treated as [{treated}]"
    if not real:
        silent = _counted(rule.evaluation_periods, "period", "periods")
        return f"Threshold Crossed: no datapoints were received for {silent} and {filled}."
    verdict = [point for point in real if rule.breaches(point.value or 0.0) == (state == "ALARM")]
    shown = ", ".join(f"{point.value} ({_clock(point.start)})" for point in reversed(verdict))
    was = "was" if len(verdict) == 1 else "were"
    negation = "" if state == "ALARM" else "not "
    change = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    needed = rule.datapoints_to_alarm
    if state == "OK":
        needed = rule.evaluation_periods - rule.datapoints_to_alarm + 1
    minimum = f"(minimum {_counted(needed, 'datapoint', 'datapoints')} for {change} transition)"
    also = f" and {filled}" if missing and treated else ""
    return (
        f"Threshold Crossed: {len(verdict)} out of the last {rule.evaluation_periods} datapoints [{shown}] {was} "
        f"{negation}{_WORDS[rule.comparison]} the threshold ({rule.threshold}){also} {minimum}."
    )


def _reason_data(
    rule: Rule, datapoints: Sequence[Datapoint], real: Sequence[Datapoint], now: float, query: Mapping[str, Any]
) -> dict[str, Any]:
    data: dict[str, Any] = {"version": "1.0", "queryDate": timestamp(now)}
    if datapoints:
        data["startDate"] = timestamp((real or datapoints)[0].start)
    data |= {name[0].lower() + name[1:]: value for name, value in query.items() if value is not None}
    data |= {"recentDatapoints": [point.value for point in real], "threshold": rule.threshold}
    evaluated = []
    for point in reversed(datapoints[-rule.evaluation_periods :] if not real else real):
        entry: dict[str, Any] = {"timestamp": timestamp(point.start)}
        if point.sample_count is not None:
            entry["sampleCount"] = point.sample_count
        if point.value is not None:
            entry["value"] = point.value
        evaluated.append(entry)
    return {**data, "evaluatedDatapoints": evaluated}


def timestamp(seconds: float) -> str:
    """The time as CloudWatch writes it into JSON."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%m/%y %H:%M:%S")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
