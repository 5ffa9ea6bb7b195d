"""Terraform's platform, laid on a local AWS of its own that enforces IAM."""

import os
import re
import shutil
import subprocess

from laptop import services
from laptop.settings import REPOSITORY, STATE, Settings

ROOT_MODULE = "infra/terraform/examples/local"
COUNTED = 12  # kinds of resources that are told of by name


def applied(aws_port: int) -> str:
    """What `terraform apply` and a `plan` after it say, and what there is then; ServiceError with Terraform's own words
    where one of them fails."""
    if shutil.which("terraform") is None:
        raise services.ServiceError("terraform is not installed: https://developer.hashicorp.com/terraform/install")
    settings, folder = Settings(aws_port, 0), STATE / "terraform"
    folder.mkdir()
    command = services.python("-m", "local_aws", "--port", str(aws_port), "--enforce-iam", "--state-dir", str(folder))
    services.start("terraforms-aws", command, settings.environment())
    try:
        services.wait_for_port("terraforms-aws", aws_port, seconds=60)
        where = os.environ | settings.environment() | {"TF_DATA_DIR": str(folder / "data"), "TF_IN_AUTOMATION": "1"}
        state = f"-state={folder / 'terraform.tfstate'}"
        _terraform(where, "init", "-input=false")
        text = _terraform(where, "apply", state, "-auto-approve", "-input=false")
        text += _terraform(where, "plan", state, "-input=false")
        listed = _terraform(where, "state", "list", state).split()
    finally:
        services.stop_all()
    said = re.findall(r"^(?:Plan: .*|Apply complete! .*|No changes\. .*)$", text, re.MULTILINE)
    kinds = [match[1] for name in listed if (match := re.search(r"(?:^|(?<!data)\.)(aws_\w+)\.", name))]
    counts = sorted({kind: kinds.count(kind) for kind in kinds}.items(), key=lambda item: (-item[1], item[0]))
    rows = [f"{count:>4} {kind}" for kind, count in counts[:COUNTED]]
    others = f"{sum(count for _, count in counts[COUNTED:]):>4} of {len(counts) - COUNTED} other kinds"
    return "\n".join(
        [f"$ terraform -chdir={ROOT_MODULE} apply", *said[:2], "", "$ terraform plan", *said[2:], "", *rows, others]
    )


def _terraform(environment: dict[str, str], command: str, *arguments: str) -> str:
    color = () if command == "state" else ("-no-color",)
    done = subprocess.run(
        ["terraform", f"-chdir={ROOT_MODULE}", *command.split(), *arguments, *color],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise services.ServiceError(f"terraform {command} has failed:\n{done.stdout}{done.stderr}")
    return done.stdout
