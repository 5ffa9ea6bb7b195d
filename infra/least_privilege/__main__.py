"""`python -m least_privilege diff | ablation`: what the roles of a platform may do, beside what the pipeline does.

Both work on local AWS on which Terraform has laid the platform, started with --enforce-iam and --record-calls.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from laptop import services
from laptop.airflow import Api
from laptop.settings import REPOSITORY
from least_privilege import ablation, calls, comparison, reading, tables
from least_privilege.grants import ROLES, Grant, actions, grants, policies, role_names

PAGE = REPOSITORY / "docs" / "iam.md"


def main(argv: Sequence[str] | None = None) -> int:
    """0 where nothing is granted that isn't needed, and nothing needed that isn't granted; 1 otherwise."""
    parser = argparse.ArgumentParser(prog="least_privilege", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (diff, ablate):
        subparser = commands.add_parser(command.__name__, help=command.__doc__)
        subparser.set_defaults(command=command)
        subparser.add_argument("--env", default="dev", help="the environment (default dev)")
        subparser.add_argument("--calls", type=Path, required=True, help="what local AWS has written down")
        if command is ablate:
            subparser.add_argument("--pipeline", default="flight_delay", help="the DAG (default flight_delay)")
            subparser.add_argument("--as-of", default="2013-03", help="the runs' test month (default 2013-03)")
            subparser.add_argument("--found", type=Path, required=True, help="file that keeps what was found so far")
            subparser.add_argument("--renew-docs", action="store_true", help=f"write the table into {PAGE.name}")
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (ValueError, RuntimeError, OSError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


def diff(arguments: argparse.Namespace) -> int:
    """Compare policies with recorded calls: granted and not used, used and not granted."""
    document = _document(arguments.env)
    names = role_names(document)
    found = comparison.compare(_grants(names), calls.read(arguments.calls, names))
    print(tables.comparison(found))
    return 0 if found.is_exact else 1


def ablate(arguments: argparse.Namespace) -> int:
    """Take each action from its role, run the pipeline, and say what breaks. Resumes where it was interrupted."""
    raise NotImplementedError


def _document(environment: str) -> dict[str, Any]:
    name = f"/silverline/{environment}/platform"
    document: dict[str, Any] = json.loads(boto3.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    return document


def _grants(names: Mapping[str, str]) -> list[Grant]:
    iam = boto3.client("iam")
    return [grant for role, name in names.items() for grant in grants(role, policies(iam, name))]


if __name__ == "__main__":
    sys.exit(main())
