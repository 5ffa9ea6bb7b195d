"""The rules of composite alarms, and when a suppressor holds their actions back."""

import pytest

from local_aws.cloudwatch.alarm_rules import RuleError, parse
from local_aws.cloudwatch.alarms import CompositeAlarm, MetricAlarm
from local_aws.cloudwatch.composites import suppression

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "with space": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ("OK(a)", False),
        ("INSUFFICIENT_DATA( c )", True),
        ('ALARM("with space")', True),
        ("TRUE", True),
        ("false", False),
        ("NOT ALARM(b)", True),
        ("NOT NOT ALARM(b)", False),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ("ALARM(a) AND NOT (ALARM(b) OR OK(c))", True),
        (" OR ".join(["ALARM(b)"] * 499), False),
    ],
)
def test_a_rule_holds_or_not(rule: str, holds: bool) -> None:
    assert parse(rule).holds(STATES.get) is holds


def test_a_rule_knows_the_alarms_it_names() -> None:
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:far"
    assert parse(f'ALARM(a) OR OK("with space") AND NOT ALARM(a) OR ALARM({arn})').children == ("a", "with space", arn)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("", "ends too early"),
        ("ALARM(a) AND", "ends too early"),
        ("ALARM(a) ALARM(b)", "'ALARM' is not expected there"),
        ("ALARM()", "ALARM takes the name or the ARN of an alarm"),
        ("(ALARM(a)", r"'\)' is expected before 'the end'"),
        ("RINGS(a)", "'RINGS' is not expected there"),
        ('ALARM("a)', "can't be read"),
        ("(" * 5000, "nested more than 50 deep"),
        (" OR ".join(["TRUE"] * 501), "more than 500 elements"),
        (" OR ".join(f"ALARM(a{number})" for number in range(101)), "names more than 100 alarms"),
    ],
)
def test_what_is_no_rule_says_why(rule: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=complaint):
        parse(rule)


def composite(rang_at: float) -> CompositeAlarm:
    """An alarm that went into ALARM at that time; its suppressor is waited for 60 s, and holds on for 30 s."""
    alarm = CompositeAlarm(
        {
            "AlarmName": "composite",
            "AlarmRule": "TRUE",
            "ActionsSuppressor": "deploying",
            "ActionsSuppressorWaitPeriod": 60,
            "ActionsSuppressorExtensionPeriod": 30,
        },
        "arn:composite",
        0.0,
    )
    alarm.set_state("ALARM", "rings", None, rang_at)
    return alarm


@pytest.mark.parametrize(
    ("suppressor_states", "held"),
    [
        ({}, {100: "WaitPeriod", 159: "WaitPeriod", 161: None}),  # it never rings
        ({0: "ALARM"}, {100: "Alarm", 500: "Alarm"}),
        ({130: "ALARM"}, {100: "WaitPeriod", 140: "Alarm"}),
        ({0: "ALARM", 200: "OK"}, {100: "Alarm", 210: "ExtensionPeriod", 231: None}),
        ({0: "ALARM", 90: "OK"}, {80: "Alarm", 100: "ExtensionPeriod", 121: "WaitPeriod", 161: None}),
        ({0: "ALARM", 200: "OK", 220: "ALARM"}, {150: "Alarm", 205: "ExtensionPeriod", 300: "Alarm"}),
    ],
)
def test_actions_are_held_back_while_the_suppressor_rings(
    suppressor_states: dict[int, str], held: dict[int, str | None]
) -> None:
    alarm, suppressor = composite(100.0), MetricAlarm({"AlarmName": "deploying"}, "arn:deploying", -1.0)
    seen = {}
    for now in range(0, 501):
        if now in suppressor_states:
            suppressor.set_state(suppressor_states[now], "", None, now)
        seen[now] = (suppression(alarm, suppressor, now) or (None,))[0]
    assert {now: seen[now] for now in held} == held
