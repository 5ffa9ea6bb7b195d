"""When alarms are evaluated, by a clock that the test sets."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from cloudwatch_requests import metric_alarm

from local_aws.cloudwatch import models
from local_aws.cloudwatch.alarms import MetricAlarm
from local_aws.cloudwatch.evaluation import Verdict

NOON = 1_800_014_400.0


class World:
    """A CloudWatch of its own, whose time is seconds after noon."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        patch.setattr(models, "time", SimpleNamespace(time=lambda: self.now))
        self.backend = models.AlarmingCloudWatchBackend("us-east-1", "123456789012")
        patch.setattr(self.backend, "_start", lambda *_: None)

    def alarm(self, **changes: Any) -> None:
        self.backend.put_alarm(MetricAlarm, metric_alarm("a", **{"Period": 60, **changes}))

    def put(self, at: float, value: float) -> None:
        """Put a value that was measured at so many seconds after noon."""
        when = datetime.fromtimestamp(NOON + at, UTC)
        self.backend.put_metric_data("Tests", [{"MetricName": "a", "Value": value, "Timestamp": when}])

    def state(self, at: float) -> str:
        """The alarm's state after the evaluations up to so many seconds after noon."""
        while self.now < NOON + at:
            self.now += 1
            self.backend.evaluate_alarms(self.now)
        return self.backend.alarm("a").state_value


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_value_counts_when_its_period_has_ended(world: World) -> None:
    world.alarm()
    world.put(10, 12)
    assert {at: world.state(at) for at in (59, 61, 62)} == {
        59: "INSUFFICIENT_DATA",
        61: "INSUFFICIENT_DATA",
        62: "ALARM",
    }


def test_a_value_of_a_period_that_has_ended_counts_at_once(world: World) -> None:
    world.alarm()
    world.state(100)
    world.put(10, 12)
    assert world.state(101) == "ALARM"


def test_the_last_of_two_periods_decides_when_both_have_values(world: World) -> None:
    world.alarm()
    world.put(10, 12)
    world.put(70, 1)
    assert {at: world.state(at) for at in (62, 122)} == {62: "ALARM", 122: "OK"}


def test_an_alarm_without_data_waits_for_late_values_before_it_says_so(world: World) -> None:
    world.alarm()
    world.put(10, 1)
    assert {at: world.state(at) for at in (62, 182, 241, 242)} == {
        62: "OK",
        182: "OK",
        241: "OK",
        242: "INSUFFICIENT_DATA",
    }


def test_long_periods_are_evaluated_each_minute(world: World) -> None:
    world.alarm(Period=300, Statistic="Sum", Threshold=20.0)
    world.put(70, 12)
    world.put(310, 12)  # within five minutes of the other, though in another five minutes of the hour
    assert {at: world.state(at) for at in (302, 361, 362)} == {302: "OK", 361: "OK", 362: "ALARM"}


def test_a_state_set_by_hand_stays_until_the_next_evaluation(world: World) -> None:
    world.alarm()
    world.put(10, 1)
    assert world.state(70) == "OK"
    world.backend.set_state("a", Verdict("ALARM", "by hand", None))
    world.put(75, 1)  # of a period that has not ended
    assert {at: world.state(at) for at in (80, 121, 122)} == {80: "ALARM", 121: "ALARM", 122: "OK"}


def test_two_of_three_periods_are_enough_where_the_alarm_says_so(world: World) -> None:
    world.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    for at, value in ((10, 12), (70, 1), (130, 12), (190, 1), (250, 1)):
        world.put(at, value)
    assert {at: world.state(at) for at in (122, 182, 242, 302)} == {122: "OK", 182: "ALARM", 242: "OK", 302: "OK"}
