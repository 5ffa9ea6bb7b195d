"""What is kept of an alarm: its configuration, its state, and the items of its history."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from local_aws.cloudwatch.evaluation import timestamp
from local_aws.cloudwatch.queries import period_of
from local_aws.cloudwatch.statistics import statistic

ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
HISTORY_SECONDS = 30 * 86400.0  # AWS's own


class Alarm:
    """An alarm of either kind. Its attributes are plain data, so that it can be pickled."""

    kind: ClassVar[str]

    def __init__(self, request: Mapping[str, Any], arn: str, now: float) -> None:
        self.alarm_arn = arn
        self.state_value = "INSUFFICIENT_DATA"
        self.state_reason = "Unchecked: Initial alarm creation"
        self.state_reason_data: str | None = None
        self.state_updated = self.state_transitioned = now
        self.configure(request, now)

    def configure(self, request: Mapping[str, Any], now: float) -> None:
        """Take a Put request's configuration in the place of the one before; the state stays."""
        actions = {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}
        self.request: dict[str, Any] = actions | {name: value for name, value in request.items() if name != "Tags"}
        self.configuration_updated = now

    @property
    def name(self) -> str:
        """AlarmName."""
        return str(self.request["AlarmName"])

    @property
    def actions(self) -> list[str]:
        """The ARNs of what is to be done in the present state."""
        return list(self.request[ACTIONS[self.state_value]])

    @property
    def all_actions(self) -> list[str]:
        """The ARNs of what is to be done in any state."""
        return [arn for actions in ACTIONS.values() for arn in self.request[actions]]

    def set_state(self, value: str, reason: str, reason_data: str | None, now: float) -> None:
        """Be in a state from now on."""
        if value != self.state_value:
            self.state_transitioned = now
        self.state_value, self.state_reason, self.state_reason_data = value, reason, reason_data
        self.state_updated = now

    def described(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms has it."""
        state = {
            "AlarmArn": self.alarm_arn,
            "AlarmConfigurationUpdatedTimestamp": datetime.fromtimestamp(self.configuration_updated, UTC),
            "StateValue": self.state_value,
            "StateReason": self.state_reason,
            "StateReasonData": self.state_reason_data,
            "StateUpdatedTimestamp": datetime.fromtimestamp(self.state_updated, UTC),
            "StateTransitionedTimestamp": datetime.fromtimestamp(self.state_transitioned, UTC),
        }
        return {name: value for name, value in (self.request | state).items() if value is not None}

    def state(self) -> dict[str, Any]:
        """The state as history items have it."""
        state: dict[str, Any] = {"stateValue": self.state_value, "stateReason": self.state_reason}
        if self.state_reason_data:
            state["stateReasonData"] = json.loads(self.state_reason_data)
        return state


class MetricAlarm(Alarm):
    """An alarm on a metric, or on an expression over metrics."""

    kind = "MetricAlarm"

    def __init__(self, request: Mapping[str, Any], arn: str, now: float) -> None:
        super().__init__(request, arn, now)
        self.evaluated: Any = None  # what the last evaluation saw: it is evaluated again when that changes

    def configure(self, request: Mapping[str, Any], now: float) -> None:
        super().configure(request, now)
        if "Metrics" not in self.request:
            self.request.setdefault("Dimensions", [])
        self.evaluated = None

    def described(self) -> dict[str, Any]:
        failed = self.evaluated is not None and self.evaluated[1] is None
        return super().described() | ({"EvaluationState": "EVALUATION_ERROR"} if failed else {})

    @property
    def queries(self) -> list[dict[str, Any]]:
        """MetricDataQueries whose one result it watches."""
        if "Metrics" in self.request:
            return list(self.request["Metrics"])
        metric = {name: self.request[name] for name in ("Namespace", "MetricName", "Dimensions")}
        stat = {
            "Metric": metric,
            "Period": self.request["Period"],
            "Stat": self.request.get("Statistic") or self.request.get("ExtendedStatistic"),
            "Unit": self.request.get("Unit"),
        }
        return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]

    @property
    def period(self) -> int:
        """The seconds that each of its data points stands for."""
        return next(period for query in self.queries if (period := period_of(query)))

    @property
    def percentile_that_needs_samples(self) -> float | None:
        """The share of its percentile (0.99, say), where it ignores percentiles of few samples."""
        if self.request.get("EvaluateLowSampleCountPercentile") != "ignore":
            return None
        watched = statistic(self.request.get("ExtendedStatistic") or "Sum")
        return watched.upper if watched.kind == "p" and watched.upper not in (0.0, 1.0) else None


class CompositeAlarm(Alarm):
    """An alarm on the states of other alarms."""

    kind = "CompositeAlarm"

    def __init__(self, request: Mapping[str, Any], arn: str, now: float) -> None:
        self.change: str | None = None
        self.acted_on = "INSUFFICIENT_DATA"  # the last state whose actions have been done, or were none
        self.suppressed: tuple[str, str] | None = None
        super().__init__(request, arn, now)
        self.change = "created"

    def configure(self, request: Mapping[str, Any], now: float) -> None:
        super().configure(request, now)
        self.evaluated: dict[str, str] | None = None  # the states of its children when it was evaluated
        self.suppressor_left: float | None = None
        self.suppressor_rang = False
        self.change = "updated"

    def described(self) -> dict[str, Any]:
        held = zip(("ActionsSuppressedBy", "ActionsSuppressedReason"), self.suppressed or (), strict=False)
        return super().described() | dict(held)


def history_item(alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any], now: float) -> dict[str, Any]:
    """An item of DescribeAlarmHistory."""
    return {
        "AlarmName": alarm.name,
        "AlarmType": alarm.kind,
        "Timestamp": datetime.fromtimestamp(now, UTC),
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps({"version": "1.0", **data}, default=str),
    }


def configuration_item(alarm: Alarm, change: str, now: float) -> dict[str, Any]:
    """The history item of an alarm's creation, update or deletion, by AWS's type: Create, Update, Delete."""
    past = {"Create": "created", "Update": "updated", "Delete": "deleted"}[change]
    configuration = {name[0].lower() + name[1:]: value for name, value in alarm.request.items()}
    data = {"type": change, f"{past}Alarm": configuration | {"alarmArn": alarm.alarm_arn}}
    return history_item(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {past}', data, now)


def state_item(alarm: Alarm, old: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The history item of a change of state; `old` is the state before."""
    summary = f"Alarm updated from {old['stateValue']} to {alarm.state_value}"
    return history_item(alarm, "StateUpdate", summary, {"oldState": old, "newState": alarm.state()}, now)


def action_item(
    alarm: Alarm, action: str, published: str | None, error: str | None, state_updated: float, now: float
) -> dict[str, Any]:
    """The history item of an action: carried out, or failed with `error`."""
    failed = f'Failed to execute action {action}. Received error: "{error}"'
    data = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": timestamp(state_updated),
        "notificationResource": action,
        "publishedMessage": published,
        "error": error,
    }
    return history_item(alarm, "Action", failed if error else f"Successfully executed action {action}", data, now)


def prune(history: list[dict[str, Any]], now: float) -> None:
    """Forget what is older than AWS keeps; items are in the order of time."""
    oldest = datetime.fromtimestamp(now - HISTORY_SECONDS, UTC)
    kept = next((number for number, item in enumerate(history) if item["Timestamp"] >= oldest), len(history))
    del history[:kept]
