"""What surrounds the code, forms, hooks, workflow and licence, is in the form that its readers ask for."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_github_asks_of_one(form: Path) -> None:
    read = yaml.safe_load(form.read_text())
    assert read["name"] and read["description"]
    fields = [field for field in read["body"] if field["type"] != "markdown"]
    assert all(field["type"] in ("textarea", "input", "dropdown") and field["attributes"]["label"] for field in fields)
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids)


def test_the_workflow_may_only_read_knows_no_secret_and_takes_actions_by_their_major_version() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "secrets" not in str(WORKFLOW)
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    assert steps[-1] == {"run": ".ci/run"}


def test_hooks_are_the_projects_own_tools() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in repositories[0]["hooks"]} == {"system"}


def test_the_licence_is_apaches_word_for_word_but_for_whose_work_it_is() -> None:
    ours = (ROOT / "LICENSE").read_text()
    theirs = distribution("apache-airflow").read_text("licenses/LICENSE") or ""  # which is indented otherwise
    assert ours.replace("2026 The Silverline authors", "[yyyy] [name of copyright owner]").split() == theirs.split()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"
