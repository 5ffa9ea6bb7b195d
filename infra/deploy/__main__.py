"""`python -m deploy --env dev`: what `make deploy ENV=dev` calls."""

import argparse
import os
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import track

from deploy import account, dags, git, mwaa, platform, sources
from deploy.plan import Change, Refused


def plan(environment: str, document: dict[str, Any]) -> list[Change]:
    """All that has to be done, in the order in which it has to be."""
    changes = sources.changes(document["artifacts_bucket"])
    if "mwaa" in document:
        changes += dags.changes(document["mwaa"]["bucket"]) + mwaa.changes(document["mwaa"])
    return changes + platform.commit_change(environment, git.commit())


def deploy(environment: str, dry_run: bool, console: Console) -> None:
    """Show the plan, and carry it out unless it is a dry run."""
    if environment == "prod" and (changed := git.changed_files()):
        raise Refused("prod is deployed from a commit, but these files are in none as they are:\n" + "\n".join(changed))
    account.caller()
    document = platform.read(environment)
    changes = plan(environment, document)
    console.print(f"{environment} in {platform.where()}", *[change.text for change in changes], sep="\n  ")
    if not changes:
        console.print("  nothing to do: it has everything as it is here")
    elif dry_run:
        console.print(f"changes to make: {len(changes)}; none is made (--dry-run)")
    else:
        for change in track(changes, "deploying", console=console):
            change.make()
        console.print(f"changes made: {len(changes)}")
    if "mwaa" not in document:
        start = "make run" if environment == "local" else f"make airflow ENV={environment}"
        console.print(f"Airflow is not on MWAA here: `{start}` runs it on this machine")


def main() -> int:
    """Parse the command line and deploy; 1 with one clear message where something is in the way."""
    parser = argparse.ArgumentParser(prog="deploy", description="Bring this checkout to an environment.")
    parser.add_argument("--env", required=True, help="the environment: dev, prod, or local")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    arguments = parser.parse_args()
    os.environ.update(account.region())
    try:
        deploy(arguments.env, arguments.dry_run, Console(soft_wrap=True, highlight=False, markup=False))
    except Refused as refusal:
        print(f"\n{refusal}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"\n{error}\nrun it again when that is mended: what is done by then is not done twice", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
