"""What is done about an action at a time, apart from the runs themselves."""

from pathlib import Path

import pytest

from least_privilege import ablation, tables
from least_privilege.ablation import Findings, Outcome
from least_privilege.grants import Grant
from least_privilege.scenarios import SCENARIOS

NO_ENDPOINT, FIRST, CHANGED, FAILED, *_, BATCH = SCENARIOS
PUT = Grant("jobs", "s3", "s3:PutObject", ("arn:aws:s3:::silver-123456789012/*",))
STOPPED = Outcome("jobs", "s3:PutObject", FIRST.name, "train.train", "is not authorized", on=PUT.resources)
REFUSED = "refused: logs:PutLogEvents on arn"


def test_actions_are_tried_in_the_cheapest_scenario_in_which_they_are_called() -> None:
    used = {
        "airflow a": [FIRST.name, CHANGED.name],
        "airflow b": [CHANGED.name],
        "airflow c": [FAILED.name],
        "airflow d": [NO_ENDPOINT.name, FIRST.name],
        "airflow e": [BATCH.name],
        "airflow sagemaker:UpdateEndpoint": [NO_ENDPOINT.name],  # by something else that was going on
    }
    granted = [("airflow", name) for name in ("a", "b", "c", "d", "e", "never called", "sagemaker:UpdateEndpoint")]
    planned = [(action, scenario) for _, action, scenario in ablation.in_order(granted, used)]
    assert planned == [
        ("e", BATCH),
        ("c", FAILED),
        ("b", CHANGED),
        ("sagemaker:UpdateEndpoint", CHANGED),
        ("a", FIRST),
        ("never called", FIRST),
        ("d", NO_ENDPOINT),
    ]


@pytest.mark.parametrize(
    ("outcome", "needed"),
    [
        (STOPPED, True),
        (Outcome("jobs", "logs:PutLogEvents", FIRST.name, "the training job's log", REFUSED), True),
        (Outcome("jobs", "logs:PutLogEvents", FIRST.name, None, REFUSED), False),
        (Outcome("airflow", "glue:GetPartition", FIRST.name, None, ""), True),  # AWS's page says so
        (Outcome("reader", "glue:GetPartition", FIRST.name, None, ""), False),  # of another role
    ],
)
def test_an_action_is_needed_where_something_broke_or_aws_asks_for_it(outcome: Outcome, needed: bool) -> None:
    assert outcome.is_needed is needed


def test_what_was_found_is_kept_until_the_action_is_granted_on_something_else(tmp_path: Path) -> None:
    Findings({"jobs s3:PutObject": [FIRST.name]}, [STOPPED], []).write(tmp_path / "found.json")
    assert ablation.read(tmp_path / "found.json", [PUT]).outcomes == [STOPPED]
    wider = Grant("jobs", "s3", "s3:PutObject", ("arn:aws:s3:::*",))
    assert ablation.read(tmp_path / "found.json", [wider]).outcomes == []


def test_a_removal_that_was_killed_goes_on_until_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    Findings({}, [], [("2026-01-01T00:00:00.000Z", None)]).write(path)
    with ablation.read(path, []).removing(path):
        (_, ended), (began, goes_on) = ablation.read(path, []).removals
        assert (ended, goes_on) == (began, None)
    assert ablation.read(path, []).removals[1][1] >= began


def test_the_table_says_where_and_why_without_what_differs_from_account_to_account() -> None:
    assert tables.ablation([PUT], [STOPPED]).splitlines()[-1] == (
        "| `s3:PutObject` | `s3:silver/*` | `train.train` (first run) | is not authorized |"
    )


@pytest.mark.parametrize(
    ("broken", "message", "cells"),
    [
        ("the training job's log", REFUSED, f"the training job's log (first run) | {REFUSED}"),
        ("a job's log in its task's", REFUSED, f"a job's log in its task's (first run) | {REFUSED}"),
        (None, REFUSED, f"**nothing** | {REFUSED}"),
    ],
)
def test_of_a_run_that_ended_well_the_table_says_what_it_did_not_leave(
    broken: str | None, message: str, cells: str
) -> None:
    outcome = Outcome("jobs", "s3:PutObject", FIRST.name, broken, message)
    assert tables.ablation([PUT], [outcome]).splitlines()[-1].endswith(f"| {cells} |")


def test_what_aws_asks_for_is_said_with_the_page_that_says_so() -> None:
    grant = Grant("airflow", "glue", "glue:GetPartition", ("*",))
    outcome = Outcome("airflow", "glue:GetPartition", FIRST.name, None, "")
    assert "| nothing here | [Athena has refused a query without it](https://" in tables.ablation([grant], [outcome])


def test_a_table_takes_its_place_in_the_page_and_no_other() -> None:
    page = "before\n<!-- ablation -->\nold\n<!-- /ablation -->\nafter\n"
    renewed = tables.renewed(page, {"ablation": "new"})
    assert renewed == "before\n<!-- ablation -->\n\nnew\n<!-- /ablation -->\nafter\n"
    with pytest.raises(ValueError, match="no <!-- other -->"):
        tables.renewed(page, {"other": "new"})
