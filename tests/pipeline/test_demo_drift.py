"""`make demo-drift`: the endpoint is really asked what its model has not learned from, and all that follows is real."""

import re
import subprocess

import boto3
import pytest
from machine import Laptop
from published import served

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(54)]  # begins with what test_flight_delay.py has begun with
ALARM = "silverline-local-flight-delay-traffic"


@pytest.fixture(scope="module")
def demo(laptop: Laptop) -> subprocess.CompletedProcess[str]:
    """The whole demo, on a laptop whose model knows January and whose silver ends in March."""
    ports = [f"--aws-port={laptop.settings.aws_port}", f"--airflow-port={laptop.settings.airflow_port}"]
    done = laptop.command("demo-drift", *ports)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_storms_are_found_and_alarmed_of_and_the_pipeline_trains_again_by_itself_and_then_they_are_nothing_new(
    demo: subprocess.CompletedProcess[str],
) -> None:
    said = [
        r"version 2 is served, trained on 2013-01 to 2013-02",
        r"monitoring, traffic: 1500 records .* to version 2; PSI of the prediction 0\.[2-9]",
        rf"{ALARM} is on",
        r"flight_delay trains again: asset_triggered__",
        r"version 3 is served, trained on 2013-01 to 2013-10",
        r"monitoring, traffic: 1500 records .* to version 3; PSI of the prediction 0\.[01]",
        rf"{ALARM} is off",
    ]
    assert re.search(".*".join(said), demo.stdout, re.DOTALL), demo.stdout


def test_the_alarm_was_on_and_is_over_and_the_new_model_is_served(demo: subprocess.CompletedProcess[str]) -> None:
    history = boto3.client("cloudwatch").describe_alarm_history(
        AlarmName=ALARM, HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )["AlarmHistoryItems"]
    changes = [item["HistorySummary"].partition(" from ")[2] for item in history]
    assert changes[-2] in ("OK to ALARM", "INSUFFICIENT_DATA to ALARM") and changes[-1] == "ALARM to OK"
    assert served() == ("InService", "3")
