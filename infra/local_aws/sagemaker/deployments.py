"""Deployment guardrails: in what steps traffic goes over to a new fleet, and which alarms take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

LONGEST_DEPLOYMENT_SECONDS = 28800


class InvalidDeployment(Exception):
    """A DeploymentConfig that AWS refuses; the text says why."""


class RolledBack(Exception):
    """The deployment has to be undone; the text says why."""


@dataclass(frozen=True)
class Plan:
    """How traffic shifts: to each of `shares` in turn, with a wait after each, then one before the old fleet ends."""

    shares: tuple[Fraction, ...] = (Fraction(1),)
    bake_seconds: float = 0
    termination_wait_seconds: float = 0
    timeout_seconds: float = LONGEST_DEPLOYMENT_SECONDS
    alarms: tuple[str, ...] = ()


def plan(config: Mapping[str, Any] | None, instance_counts: Sequence[int]) -> Plan:
    """What a DeploymentConfig means for variants of `instance_counts`; InvalidDeployment where AWS refuses it."""
    if not config:
        return Plan()
    alarms = (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    names = tuple(alarm["AlarmName"] for alarm in alarms if alarm.get("AlarmName"))
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise InvalidDeployment("DeploymentConfig takes either BlueGreenUpdatePolicy or RollingUpdatePolicy, not both.")
    policy = blue_green or rolling
    if not policy:
        return Plan(alarms=names)
    instance_count = min(instance_counts)
    if rolling:  # instances take their share of the requests with them, so a batch is a step
        shares = _steps(_share("MaximumBatchSize", rolling["MaximumBatchSize"], instance_count, Fraction(1, 20)))
        bake_seconds = rolling["WaitIntervalInSeconds"]
    else:
        shares = _shares(policy["TrafficRoutingConfiguration"], instance_count)
        bake_seconds = policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    termination_wait_seconds = policy.get("TerminationWaitInSeconds") or 0
    timeout_seconds = policy.get("MaximumExecutionTimeoutInSeconds") or LONGEST_DEPLOYMENT_SECONDS
    waits = bake_seconds * len(shares) + termination_wait_seconds
    if waits >= timeout_seconds:
        raise InvalidDeployment(
            f"MaximumExecutionTimeoutInSeconds ({timeout_seconds}) must be larger than the total waiting time of "
            f"WaitIntervalInSeconds and TerminationWaitInSeconds ({waits})."
        )
    return Plan(shares, bake_seconds, termination_wait_seconds, timeout_seconds, names)


def _shares(routing: Mapping[str, Any], instance_count: int) -> tuple[Fraction, ...]:
    """The steps of a TrafficRoutingConfiguration."""
    kind = routing["Type"]
    own = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for size in ("CanarySize", "LinearStepSize"):
        if (size == own) != bool(routing.get(size)):
            needs = "needs" if size == own else "does not take"
            raise InvalidDeployment(f"TrafficRoutingConfiguration of type {kind} {needs} {size}.")
    if kind == "CANARY":
        return (_share("CanarySize", routing["CanarySize"], instance_count, Fraction(0)), Fraction(1))
    if kind == "LINEAR":
        return _steps(_share("LinearStepSize", routing["LinearStepSize"], instance_count, Fraction(1, 10)))
    return (Fraction(1),)


def _share(name: str, size: Mapping[str, Any], instance_count: int, least: Fraction) -> Fraction:
    """A CapacitySize as a share of the instances; InvalidDeployment unless it is between `least` and a half."""
    share = Fraction(size["Value"], instance_count if size["Type"] == "INSTANCE_COUNT" else 100)
    if not least <= share <= Fraction(1, 2):
        allowed = f"between {float(least):.0%} and 50%" if least else "less than or equal to 50%"
        raise InvalidDeployment(
            f"{name}.Value {size['Value']} must be {allowed} of each variant's total instance count, "
            f"which is {instance_count} for the smallest."
        )
    return share


def _steps(share: Fraction) -> tuple[Fraction, ...]:
    return tuple(min(share * step, Fraction(1)) for step in range(1, -int(-1 // share) + 1))


class Alarms:
    """The CloudWatch alarms of an AutoRollbackConfiguration, as `client` sees them."""

    def __init__(self, client: Any, names: Sequence[str]) -> None:
        self._client = client
        self._names = list(names)

    def missing(self) -> list[str]:
        """The names that CloudWatch has no alarm of."""
        found = {alarm["AlarmName"] for alarm in self._described()}
        return [name for name in self._names if name not in found]

    def check(self) -> None:
        """RolledBack where one of them is in ALARM."""
        ringing = [alarm["AlarmName"] for alarm in self._described() if alarm["StateValue"] == "ALARM"]
        if ringing:
            raise RolledBack(f"these alarms of its AutoRollbackConfiguration are in ALARM: {', '.join(ringing)}")

    def _described(self) -> list[dict[str, Any]]:
        if not self._names:
            return []
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self._client.describe_alarms(AlarmNames=self._names, AlarmTypes=kinds)
        return [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
