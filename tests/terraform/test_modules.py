"""The modules by themselves: laid out, valid, and their variables checked before anything is asked of AWS."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from terraform_cli import REPOSITORY, LocalAws, Root

TERRAFORM = REPOSITORY / "infra" / "terraform"
APPLIED = {"examples/local", "bootstrap"}  # by other tests, which could not be if they weren't valid
ROOTS = {str(file.parent.relative_to(TERRAFORM)) for file in TERRAFORM.rglob("main.tf")}


def test_every_file_has_the_layout_of_terraform_fmt(modules: Path) -> None:
    checked = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(TERRAFORM)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


# What who applies it is to get: MWAA's class, who is told of alarms, the budget, and whether data go with the buckets.
EXAMPLES = {
    "examples/dev": ([], ["a@example.com"], 150, True),
    "examples/prod": (["mw1.medium"], ["a@example.com"], 1500, False),
}


@pytest.mark.parametrize("root", sorted(ROOTS - APPLIED))
def test_a_root_module_that_needs_an_account_is_planned_as_its_first_apply_would_be(
    root: str, modules: Path, aws: LocalAws
) -> None:
    module = Root(modules / root, aws.environment)
    (module.folder / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    runbook = 'runbook_url = "https://example.com/runbook.md"\n' if root == "examples/prod" else ""
    (module.folder / "test.auto.tfvars").write_text(f'alarm_emails = ["a@example.com"]\n{runbook}')
    module.init("-reconfigure")  # other tests have had another backend here
    (planned,) = json.loads(module.plan().read_text())["planned_values"]["root_module"]["child_modules"]

    def of(kind: str, attribute: str) -> list[Any]:
        return [each["values"][attribute] for each in planned["resources"] if each["type"] == kind]

    mwaa, emails, budget, destroyed = EXAMPLES[root]
    assert of("aws_mwaa_environment", "environment_class") == mwaa
    assert of("aws_sns_topic_subscription", "endpoint") == emails
    assert [float(limit) for limit in of("aws_budgets_budget", "limit_amount")] == [budget]
    assert set(of("aws_s3_bucket", "force_destroy")) == {destroyed}


def test_the_modules_own_tests_pass(modules: Path, aws: LocalAws) -> None:
    module = Root(modules, aws.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})  # nothing is to be asked there
    module.init()
    output = module.run("test")
    passed = re.search(r"Success! (\d+) passed, 0 failed", output)
    assert passed is not None and int(passed[1]) > 0, output
