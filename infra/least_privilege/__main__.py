"""`python -m least_privilege diff | ablation`: what the roles of a platform may do, beside what the pipeline does.

Both work on local AWS on which Terraform has laid the platform, started with --enforce-iam and --record-calls.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.plan import Refused
from deploy.platform import read
from laptop.airflow import Api
from laptop.settings import ENVIRONMENT, LOCAL, REPOSITORY, STATE, Settings
from least_privilege import ablation, calls, comparison, reading, tables
from least_privilege.grants import Grant, grants, policies, resources, role_names
from least_privilege.scenarios import FIRST_RUN, SCENARIOS, Scenario

PAGE = REPOSITORY / "docs" / "iam.md"


def main(argv: Sequence[str] | None = None) -> int:
    """0 where nothing is granted that isn't needed, and nothing needed that isn't granted; 1 otherwise."""
    parser = argparse.ArgumentParser(prog="least_privilege", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (diff, ablate):
        subparser = commands.add_parser(command.__name__, help=command.__doc__)
        subparser.set_defaults(command=command)
        subparser.add_argument("--calls", type=Path, required=True, help="what local AWS has written down")
        subparser.add_argument("--renew-docs", action="store_true", help=f"write the tables into {PAGE.name}")
        if command is ablate:
            subparser.add_argument("--pipeline", default="flight_delay", help="the DAG (default flight_delay)")
            subparser.add_argument("--as-of", default="2013-03", help="the runs' test month (default 2013-03)")
            subparser.add_argument("--found", type=Path, required=True, help="file that keeps what was found so far")
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (Refused, ValueError, RuntimeError, OSError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


def diff(arguments: argparse.Namespace) -> int:
    """Compare policies with recorded calls: granted and not used, used and not granted."""
    _enter()
    document = read(ENVIRONMENT)
    names = role_names(document)
    found = comparison.compare(_grants(names), calls.read(arguments.calls, names))
    shown = tables.comparison(found)
    print(shown)
    if arguments.renew_docs:
        _renew("comparison", shown)
    return 0 if found.is_exact else 1


def ablate(arguments: argparse.Namespace) -> int:
    """Take each action from its role, run the pipeline, and say what breaks. Resumes where it was interrupted."""
    settings = _enter()
    document = read(ENVIRONMENT)
    names = role_names(document)
    granted = _grants(names)
    api = Api(settings)
    api.wait_until_ready()
    iam = boto3.client("iam")
    reader = reading.role_arn(document).rpartition("/")[2]
    of_reader = grants("reader", policies(iam, reader))
    conf = {"as_of": arguments.as_of}
    runs = ablation.Ablation(api, iam, document, names, arguments.pipeline, arguments.calls)
    found = ablation.read(arguments.found, granted + of_reader)
    if not found.used:
        print(f"running {arguments.pipeline} {len(SCENARIOS) + 1} times with everything granted", flush=True)
        found.used = runs.baseline(conf)
        found.write(arguments.found)
    tried = {(outcome.role, outcome.action) for outcome in found.outcomes}
    left = [plan for plan in ablation.in_order(resources(granted), found.used) if plan[:2] not in tried]
    before: Scenario | None = None
    for number, (role, action, scenario) in enumerate(left, 1):
        if scenario is not before and scenario is not FIRST_RUN:
            runs.run_whole(conf)
        before = scenario
        outcome = replace(runs.without(role, action, scenario, conf), on=resources(granted)[role, action])
        found.outcomes.append(outcome)
        found.write(arguments.found)
        broken = outcome.task or ("refused, no task broke" if outcome.refused else "NOTHING breaks")
        print(f"{number}/{len(left)} {role} without {action} ({scenario.name}): {broken}", flush=True)
    runs.run_whole(conf)
    if failed := reading.first_failure(reading.session(document), document):
        raise RuntimeError(f"{failed[0]} can't be answered with everything granted: {failed[1]}")
    for (role, action), on in resources(of_reader).items():
        if (role, action) not in tried:
            found.outcomes.append(replace(ablation.without_reading(iam, reader, action, document), on=on))
            found.write(arguments.found)
    if arguments.renew_docs:
        _renew("ablation", tables.ablation(granted + of_reader, found.outcomes))
    needless = [outcome for outcome in found.outcomes if not outcome.is_needed]
    for outcome in needless:
        print(f"{outcome.role} doesn't need {outcome.action}", file=sys.stderr)
    return 1 if needless else 0


def _renew(part: str, text: str) -> None:
    PAGE.write_text(tables.renewed(PAGE.read_text(), {part: text}))


def _enter() -> Settings:
    """Talk to the local AWS that `make run` of this environment used, as its root user."""
    ports = STATE / "ports.json"
    if ENVIRONMENT == LOCAL or not ports.exists():
        raise RuntimeError(
            "no pipeline has run on Terraform's platform here: see docs/environments.md, `make run ENV=dev`"
        )
    settings = Settings(**json.loads(ports.read_text()))
    settings.enter()
    return settings


def _grants(names: Mapping[str, str]) -> list[Grant]:
    iam = boto3.client("iam")
    return [grant for role, name in names.items() for grant in grants(role, policies(iam, name))]


if __name__ == "__main__":
    sys.exit(main())
