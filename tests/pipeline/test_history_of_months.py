"""Two months backfilled after the first run, whose month is one of them: models, each of its time."""

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from machine import Laptop

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(170)]


@pytest.fixture(scope="module")
def backfilled(laptop: Laptop) -> subprocess.CompletedProcess[str]:
    """`make backfill FROM=2013-03 TO=2013-04`."""
    ports = [f"--aws-port={laptop.settings.aws_port}", f"--airflow-port={laptop.settings.airflow_port}"]
    done = laptop.command("backfill", "2013-03", "2013-04", *ports, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def packages() -> list[dict[str, Any]]:
    """The pipeline's model packages, the oldest first."""
    sagemaker = boto3.client("sagemaker")
    parameter = boto3.client("ssm").get_parameter(Name="/silverline/local/platform")
    group = json.loads(parameter["Parameter"]["Value"])["model_package_groups"]["flight_delay"]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Ascending")
    arns = [package["ModelPackageArn"] for package in listed["ModelPackageSummaryList"]]
    return [{**sagemaker.describe_model_package(ModelPackageName=arn)} for arn in arns]


def test_each_month_has_a_model_that_was_held_against_the_one_before(
    backfilled: subprocess.CompletedProcess[str],
) -> None:
    _, march, april = packages()
    facts = [package["CustomerMetadataProperties"] for package in (march, april)]
    assert [(fact["as_of"], fact.get("champion")) for fact in facts] == [
        ("2013-03", None),
        ("2013-04", march["ModelPackageArn"]),
    ]
    assert march["ModelApprovalStatus"] == "Approved"
    lines = [line for line in backfilled.stdout.splitlines() if line.startswith("2013-0")]
    assert [line.split()[0] for line in lines] == ["2013-03", "2013-04"] and "promote" in lines[0]
    assert "| 2013-04 | 3 |" in backfilled.stdout


def test_called_again_it_runs_nothing(laptop: Laptop, backfilled: subprocess.CompletedProcess[str]) -> None:
    again = laptop.command("backfill", "2013-03", "2013-04")
    assert again.returncode == 0 and again.stdout.count("done before") == 2
    assert len(packages()) == 3


def test_a_month_that_leaves_nothing_to_train_on_is_refused_before_it_runs(
    laptop: Laptop, backfilled: subprocess.CompletedProcess[str]
) -> None:
    refused = laptop.command("backfill", "2013-02", "2013-03")
    assert refused.returncode == 1 and "leaves no month to train on" in refused.stderr
    assert len(packages()) == 3


def test_the_history_is_read_from_the_registry_and_drawn(
    laptop: Laptop, backfilled: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    picture = tmp_path / "history.png"
    shown = laptop.command("history", "--png", str(picture))
    assert shown.returncode == 0 and picture.read_bytes().startswith(b"\x89PNG")
    rows = [line for line in shown.stdout.splitlines() if line.startswith("| 2013-")]
    assert len(rows) == 3 and "of version 2" in rows[2]
