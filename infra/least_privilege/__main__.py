"""`python -m least_privilege diff | ablation`: what the roles of a platform may do, beside what the pipeline does.

Both work on local AWS on which Terraform has laid the platform, started with --enforce-iam and --record-calls.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.plan import Refused
from deploy.platform import read
from laptop.airflow import Api
from laptop.settings import ENVIRONMENT, LOCAL, REPOSITORY, STATE, Settings
from least_privilege import ablation, calls, comparison, reading, tables
from least_privilege.grants import READER, Grant, grants, policies, resources, role_names
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
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (Refused, ValueError, RuntimeError, OSError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


def diff(arguments: argparse.Namespace) -> int:
    """Ask people's questions; compare policies with recorded calls: granted and not used, used and not granted."""
    _enter()
    document = read(ENVIRONMENT)
    names = role_names(document)
    reading.ask(document)
    removals = ablation.read(ablation.kept(arguments.calls), []).removals
    found = comparison.compare(_grants(names), calls.read(arguments.calls, names, leaving_out=removals))
    shown = tables.comparison(found)
    print(shown)
    if arguments.renew_docs:
        _renew("comparison", shown)
    return _complain(found.needless, [(role, action) for role, action, _ in found.refused])


def ablate(arguments: argparse.Namespace) -> int:
    """Take each action from its role, run the pipeline, and say what breaks. Resumes where it was interrupted."""
    settings = _enter()
    document = read(ENVIRONMENT)
    names = role_names(document)
    granted = _grants(names)
    api = Api(settings)
    api.wait_until_ready()
    iam = boto3.client("iam")
    conf = {"as_of": arguments.as_of}
    runs = ablation.Ablation(api, iam, document, names, arguments.pipeline, arguments.calls)
    kept = ablation.kept(arguments.calls)
    found = ablation.read(kept, granted)
    if not found.used:
        print(f"running {arguments.pipeline} {len(SCENARIOS) + 1} times with everything granted", flush=True)
        found.used = runs.baseline(conf)
        found.write(kept)
    tried = {(outcome.role, outcome.action) for outcome in found.outcomes}
    left = {pair: on for pair, on in resources(granted).items() if pair not in tried}
    planned = ablation.in_order([pair for pair in left if pair[0] != READER], found.used)
    before: Scenario | None = None
    for number, (role, action, scenario) in enumerate(planned, 1):
        if scenario is not before and scenario is not FIRST_RUN:
            runs.run_whole(conf)
        before = scenario
        with found.removing(kept):
            found.outcomes.append(replace(runs.without(role, action, scenario, conf), on=left[role, action]))
        broken = found.outcomes[-1].broken or "nothing"
        print(f"{number}/{len(planned)} {role} without {action} ({scenario.name}): {broken} breaks", flush=True)
    runs.run_whole(conf)
    reading.ask(document)
    for (role, action), on in left.items():
        if role == READER:
            with found.removing(kept):
                found.outcomes.append(replace(ablation.without_reading(iam, names[role], action, document), on=on))
    if arguments.renew_docs:
        _renew("ablation", tables.ablation(granted, found.outcomes))
    return _complain([(outcome.role, outcome.action) for outcome in found.outcomes if not outcome.is_needed])


def _complain(needless: Iterable[tuple[str, str]], refused: Iterable[tuple[str, str]] = ()) -> int:
    """Name what is wrong; the exit code: 0 where nothing is."""
    complaints = [f"{role} doesn't need {action}" for role, action in needless]
    complaints += [f"{role} was refused {action}" for role, action in dict.fromkeys(refused)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


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
