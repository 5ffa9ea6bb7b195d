"""How a composite alarm follows the alarms that its rule names, and when its actions are held back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.cloudwatch.alarm_rules import name_of, parse
from local_aws.cloudwatch.alarms import Alarm, CompositeAlarm
from local_aws.cloudwatch.evaluation import Verdict, timestamp

Alarms = Mapping[str, Alarm]


def children(alarm: CompositeAlarm) -> list[str]:
    """The names of the alarms that its rule names."""
    return [name_of(child) for child in parse(alarm.request["AlarmRule"]).children]


def parents(name: str, alarms: Alarms) -> list[CompositeAlarm]:
    """The composite alarms that depend on the alarm of that name, for their state or to hold back their actions."""
    return [
        alarm
        for alarm in alarms.values()
        if isinstance(alarm, CompositeAlarm)
        and name in (*children(alarm), name_of(alarm.request.get("ActionsSuppressor") or ""))
    ]


def is_in_ring(alarm: CompositeAlarm, alarms: Alarms) -> bool:
    """Whether it depends on itself by way of others: AWS evaluates no such alarm."""
    seen: set[str] = set()
    left = children(alarm)
    while left:
        name = left.pop()
        if name == alarm.name:
            return True
        child = alarms.get(name)
        if isinstance(child, CompositeAlarm) and name not in seen:
            seen.add(name)
            left += children(child)
    return False


def evaluate(alarm: CompositeAlarm, alarms: Alarms) -> Verdict | None:
    """The verdict on a composite alarm that has been configured, or one of whose children has changed; else None."""
    states = {name: alarms[name].state_value for name in children(alarm) if name in alarms}
    if alarm.evaluated == states or is_in_ring(alarm, alarms):
        return None
    alarm.evaluated = states
    holds = parse(alarm.request["AlarmRule"]).holds(lambda child: states.get(name_of(child)))
    state = "ALARM" if holds else "OK"
    changed = sorted((alarms[name] for name in states), key=lambda child: child.state_transitioned)
    if alarm.change:
        reason = f"{alarm.alarm_arn} was {alarm.change} and its alarm rule evaluates to {state}"
        alarm.change = None
    else:
        at = datetime.fromtimestamp(changed[-1].state_transitioned, UTC)
        reason = f"{changed[-1].alarm_arn} transitioned to {changed[-1].state_value} at {at:%A %d %B, %Y %H:%M:%S} UTC"
    return Verdict(state, reason, json.dumps({"triggeringAlarms": [_triggering(child) for child in changed[-1:]]}))


def triggering_children(alarm: Alarm) -> list[dict[str, Any]]:
    """TriggeringChildren of the notification: the alarms that its present state is due to."""
    found = json.loads(alarm.state_reason_data or "{}").get("triggeringAlarms", [])
    return [
        {"Arn": child["arn"], "State": {"Value": child["state"]["value"], "Timestamp": child["state"]["timestamp"]}}
        for child in found
    ]


def _triggering(child: Alarm) -> dict[str, Any]:
    return {
        "arn": child.alarm_arn,
        "state": {"value": child.state_value, "timestamp": timestamp(child.state_transitioned)},
    }


def suppression(alarm: CompositeAlarm, suppressor: Alarm | None, now: float) -> tuple[str, str] | None:
    """What holds the actions of the alarm's last change of state back at `now`, and AWS's reason; None to act.

    It has to be asked at every evaluation: the alarm remembers when its suppressor left ALARM.
    """
    if suppressor is None:
        return None
    if suppressor.state_value == "ALARM":
        alarm.suppressor_left = None
        alarm.suppressor_rang = True
        return "Alarm", f"Actions suppressed by {suppressor.name}"
    if alarm.suppressor_rang and alarm.suppressor_left is None:
        alarm.suppressor_left = suppressor.state_transitioned
    wait, extension = (alarm.request[f"ActionsSuppressor{name}Period"] for name in ("Wait", "Extension"))
    if alarm.suppressor_left is not None and now < alarm.suppressor_left + extension:
        return "ExtensionPeriod", f"{suppressor.name} left ALARM less than {extension} seconds ago"
    was_held = alarm.suppressor_left is not None and alarm.suppressor_left >= alarm.state_transitioned
    if not was_held and now < alarm.state_transitioned + wait:
        return "WaitPeriod", f"{suppressor.name} is waited for, up to {wait} seconds"
    return None
