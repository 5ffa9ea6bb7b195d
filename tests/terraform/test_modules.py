"""The modules by themselves: laid out, valid, and their variables checked before anything is asked of AWS."""

import re
import subprocess
from pathlib import Path

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


@pytest.mark.parametrize("root", sorted(ROOTS - APPLIED))
def test_a_root_module_that_needs_an_account_is_valid(root: str, modules: Path, aws: LocalAws) -> None:
    module = Root(modules / root, aws.environment | {"TF_DATA_DIR": str(modules / root / ".terraform" / "validated")})
    module.init("-backend=false")
    assert "Success" in module.run("validate")


def test_the_modules_own_tests_pass(modules: Path, aws: LocalAws) -> None:
    module = Root(modules, aws.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})  # nothing is to be asked there
    module.init()
    output = module.run("test")
    passed = re.search(r"Success! (\d+) passed, 0 failed", output)
    assert passed is not None and int(passed[1]) > 0, output
