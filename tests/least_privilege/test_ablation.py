"""What is done about an action at a time, apart from the runs themselves."""

from pathlib import Path

import pytest

from least_privilege import ablation, tables
from least_privilege.ablation import Findings, Outcome
from least_privilege.grants import Grant
from least_privilege.scenarios import SCENARIOS

NO_ENDPOINT, FIRST, CHANGED, FAILED = SCENARIOS
PUT = Grant("jobs", "s3", "s3:PutObject", ("arn:aws:s3:::silver-123456789012/*",))
STOPPED = Outcome("jobs", "s3:PutObject", FIRST.name, "train.train", "is not authorized", (), on=PUT.resources)


def test_actions_are_tried_in_the_cheapest_scenario_in_which_they_are_called() -> None:
    used = {
        "airflow a": [FIRST.name, CHANGED.name],
        "airflow b": [CHANGED.name],
        "airflow c": [FAILED.name],
        "airflow d": [NO_ENDPOINT.name, FIRST.name],
    }
    granted = [("airflow", name) for name in ("a", "b", "c", "d", "never called")]
    planned = [(action, scenario) for _, action, scenario in ablation.in_order(granted, used)]
    assert planned == [("c", FAILED), ("b", CHANGED), ("a", FIRST), ("never called", FIRST), ("d", NO_ENDPOINT)]


@pytest.mark.parametrize(
    ("outcome", "needed"),
    [
        (STOPPED, True),
        (Outcome("jobs", "logs:PutLogEvents", FIRST.name, None, "", ("logs:PutLogEvents on arn",)), True),
        (Outcome("airflow", "glue:GetPartition", FIRST.name, None, "", ()), True),  # AWS's page says so
        (Outcome("airflow", "s3:ListAllMyBuckets", FIRST.name, None, "", ()), False),
    ],
)
def test_an_action_is_needed_where_a_task_or_a_call_came_to_grief_or_aws_asks_for_it(
    outcome: Outcome, needed: bool
) -> None:
    assert outcome.is_needed is needed


def test_what_was_found_is_kept_until_the_action_is_granted_on_something_else(tmp_path: Path) -> None:
    Findings({"jobs s3:PutObject": [FIRST.name]}, [STOPPED]).write(tmp_path / "found.json")
    assert ablation.read(tmp_path / "found.json", [PUT]).outcomes == [STOPPED]
    wider = Grant("jobs", "s3", "s3:PutObject", ("arn:aws:s3:::*",))
    assert ablation.read(tmp_path / "found.json", [wider]).outcomes == []


def test_the_table_says_where_and_why_without_what_differs_from_account_to_account() -> None:
    assert tables.ablation([PUT], [STOPPED]).splitlines()[-1] == (
        "| `s3:PutObject` | `s3:silver/*` | `train.train` (first run) | is not authorized |"
    )


def test_a_table_takes_its_place_in_the_page_and_no_other() -> None:
    page = "before\n<!-- ablation -->\nold\n<!-- /ablation -->\nafter\n"
    renewed = tables.renewed(page, {"ablation": "new"})
    assert renewed == "before\n<!-- ablation -->\n\nnew\n<!-- /ablation -->\nafter\n"
    with pytest.raises(ValueError, match="no <!-- other -->"):
        tables.renewed(page, {"other": "new"})
