"""`python -m laptop run | backfill | history | airflow | down | ...`: what the make targets call."""

import argparse
import importlib
import os
import re
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from deploy import account
from deploy.plan import Refused
from deploy.platform import read
from laptop import (
    airflow,
    backfill,
    contract,
    cost,
    dashboard,
    demo_data,
    demo_drift,
    hybrid,
    progress,
    reproduce,
    services,
    summary,
    terraformed,
)
from laptop.arguments import flag, month
from laptop.settings import ALL_STATE, ENVIRONMENT, LOCAL, REPOSITORY, STATE, Settings, make
from laptop.starting import enter_local_aws, settled, start_all
from silverline import costs, silver
from silverline.platform import Platform
from silverline.sources import table_of
from silverline.spec import PipelineSpec


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Start what isn't running, load the demo data, run the pipeline and show it; 0 where it ended green."""
    began = time.monotonic()
    conf = _conf(arguments)
    started = start_all(arguments.pipeline, arguments.aws_port, arguments.airflow_port, console)
    settings, api, place = started
    if unknown := conf.keys() - (known := api.params(arguments.pipeline)):
        raise services.ServiceError(f"{arguments.pipeline} takes {', '.join(known)}, and not {', '.join(unknown)}")
    console.print(f"Airflow is up at {settings.airflow_url} ({time.monotonic() - began:.0f} s)", highlight=False)
    for source in _unpublished(place, arguments.pipeline):
        console.print(f"{arguments.pipeline} is made of silver tables that {source} has yet to publish: it comes first")
        told = {"as_of": conf["as_of"]} if "as_of" in conf else {}
        if _run(api, settings, source, told, console) is None:
            return 1
    run_id = _run(api, settings, arguments.pipeline, conf, console)
    if run_id is None:
        return 1
    if arguments.pipeline == "monitoring":
        summary.print_monitoring(console, settings, api, run_id)
        return 0
    report = api.xcom(arguments.pipeline, run_id, "report")
    show = summary.print_batch if arguments.pipeline.endswith("_batch") else summary.print_report
    show(console, settings, arguments.pipeline, report)
    summary.print_tracking(console, api, arguments.pipeline, run_id)
    console.print(f"Took      {time.monotonic() - began:.0f} s", highlight=False)
    return 0


def _run(api: airflow.Api, settings: Settings, dag_id: str, conf: dict[str, Any], console: Console) -> str | None:
    """Start a run and show it until it ends; its id, or None where it failed, which is told."""
    run_id: str = api.trigger(dag_id, conf)["dag_run_id"]
    console.print(f"{dag_id} runs\n", highlight=False)
    if progress.follow(api, dag_id, run_id, console) == "success":
        return run_id
    summary.print_failed_tasks(console, api, dag_id, run_id)
    console.print(f"\nThe run is at {settings.airflow_url}; everything stays up until `{make('down')}`.")
    return None


def _unpublished(place: Platform, dag_id: str) -> list[str]:
    """The pipelines that have yet to publish silver tables which this one is made of."""
    described = getattr(importlib.import_module(dag_id), "spec", None)
    tables = described.silver_sources if isinstance(described, PipelineSpec) else ()
    return sorted({one.partition(".")[0] for one in tables if not silver.published_months(place, table_of(one))})


def backfill_months(arguments: argparse.Namespace, console: Console) -> int:
    """Run the pipeline once for each month that lacks a run, in order, and show what the registry then has."""
    asked = backfill.wanted(arguments.first, arguments.last)
    again = flag("AGAIN", arguments.again)
    started = start_all(arguments.pipeline, arguments.aws_port, arguments.airflow_port, console)
    if "as_of" not in started.api.params(arguments.pipeline):
        raise services.ServiceError(f"{arguments.pipeline} makes no model of a month: there is nothing to backfill")
    console.print(f"Airflow is up at {started.settings.airflow_url}", highlight=False)
    failed = backfill.backfill(started, arguments.pipeline, asked, again, console)
    return failed or backfill.show_history(started.platform, arguments.pipeline, None, console)


def show_history(arguments: argparse.Namespace, console: Console) -> int:
    """Print a table of the registry's versions, month by month, and draw their test quality."""
    _require_model(arguments.pipeline)
    return backfill.show_history(_platform(), arguments.pipeline, arguments.png, console)


def down(arguments: argparse.Namespace, console: Console) -> int:
    """Stop what `run` and `airflow` started: in this environment, or in all where none is given."""
    everywhere = [folder for depth in ("", "*/", "*/*/") for folder in ALL_STATE.glob(f"{depth}services")]
    stopped = services.stop_all(everywhere if ENVIRONMENT == LOCAL else None)
    console.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def announce(arguments: argparse.Namespace, console: Console) -> int:
    """Tell Airflow that bronze has new files: the pipeline starts by its schedule, for the newest month."""
    if not services.alive("airflow-api-server"):
        raise services.ServiceError(f"Airflow is not up: `{make('run')}` brings it up")
    settings = settled(None, None)
    settings.enter()
    api = airflow.Api(settings)
    api.wait_until_ready()
    api.unpause(arguments.pipeline)
    api.announce(f"{arguments.pipeline}.bronze")
    console.print(f"{arguments.pipeline} starts: {settings.airflow_url}/dags/{arguments.pipeline}")
    return 0


def invoke(arguments: argparse.Namespace, console: Console) -> int:
    """Send the sample row to the endpoint, after starting local AWS where it is down, and print what comes back."""
    sample = summary.sample_file(arguments.pipeline)
    if not sample.exists():
        raise services.ServiceError(f"there is no endpoint of {arguments.pipeline} yet: `{make('run')}` brings it up")
    if ENVIRONMENT == LOCAL:
        enter_local_aws()
    else:
        settings = settled(None, None)
        settings.enter()
        terraformed.document(settings)
    request = sample.read_text()
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=arguments.pipeline.replace("_", "-"), ContentType="application/json", Body=request
    )
    console.print_json(request)
    console.print_json(response["Body"].read().decode())
    return 0


def show_drift(arguments: argparse.Namespace, console: Console) -> int:
    """Ask an endpoint what its model has not learned from, and watch it being found, alarmed of, and learned."""
    console.print("starting, and where no such model is served training one: ten minutes in all")
    started = start_all("flight_delay", arguments.aws_port, arguments.airflow_port, console)
    started.api.wait_for_dag("monitoring")
    return demo_drift.demo(started, console)


def show_cost(arguments: argparse.Namespace, console: Console) -> int:
    """Print what the pipeline would cost on AWS, a run and a month, by list prices and what its last run took."""
    if not re.fullmatch("[1-9][0-9]{0,3}", arguments.runs):
        raise services.ServiceError(f"RUNS={arguments.runs} is no number of runs a month, from 1 to 9999")
    _require_model(arguments.pipeline)
    _require_pipeline(f"{arguments.pipeline}_batch")
    return cost.show(_platform(), arguments.pipeline, int(arguments.runs), console)


def open_dashboard(arguments: argparse.Namespace, console: Console) -> int:
    """Open the environment's dashboard in the browser, and print its address; local AWS has to be up."""
    if ENVIRONMENT == LOCAL and not services.alive("local-aws"):
        raise services.ServiceError(f"local AWS is not up: `{make('run')}` brings it up, and lays the dashboard")
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = settled(None, None)
    settings.enter()
    dashboard.require(settings, ENVIRONMENT)
    console.print(settings.dashboard_url, soft_wrap=True, highlight=False)
    if not webbrowser.open(settings.dashboard_url):
        console.print("there is no browser to be found here: open it in yours")
    return 0


def reproduce_model(arguments: argparse.Namespace, console: Console) -> int:
    """Train a registered model again from what its package says of it, and compare; 0 where it is the same."""
    _require_model(arguments.pipeline)
    place = _platform()
    services.end_by_interrupt()  # it stops its job then, and takes its tables away
    return reproduce.reproduce(place, arguments.pipeline, arguments.model, console)


def start_airflow(arguments: argparse.Namespace, console: Console) -> int:
    """Run Airflow on your own AWS account, as the AWS CLI finds it, until Ctrl-C."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    return hybrid.serve(settled(None, arguments.airflow_port), console)


def load_demo_data(arguments: argparse.Namespace, console: Console) -> int:
    """Put the demo data into bronze of your own AWS account, as the AWS CLI finds it."""
    os.environ.update(Settings(0, 0).user_environment())
    account.caller()
    loaded = demo_data.load(read(ENVIRONMENT)["bronze_bucket"])
    console.print(f"bronze: {loaded['uploaded']} files loaded, {loaded['found']} were there", highlight=False)
    return 0


def check_contract(arguments: argparse.Namespace, console: Console) -> int:
    """Print what a file breaks of the contract of its bronze table; 0 where it is nothing."""
    return contract.show(arguments.table, arguments.file.expanduser(), console)


def _platform() -> Platform:
    """The environment's platform, after starting local AWS where that is down."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ENVIRONMENT == LOCAL:
        enter_local_aws()
    else:
        os.environ.update(Settings(0, 0).user_environment())
        account.caller()
    return Platform.from_document(read(ENVIRONMENT))


def _require_pipeline(name: str) -> None:
    """ServiceError, before anything is started, where there is no such pipeline."""
    pipelines = sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py"))
    if name not in pipelines:
        raise services.ServiceError(f"there is no pipeline {name!r} in dags/, only {', '.join(pipelines)}")


def _require_model(name: str) -> None:
    """ServiceError where the pipeline trains no model."""
    if not isinstance(getattr(importlib.import_module(name), "spec", None), PipelineSpec):
        raise services.ServiceError(f"{name} trains no model")


def _conf(arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's params; ServiceError, before anything is started, where there is no such month."""
    conf: dict[str, Any] = {}
    for name in ("as_of", "month"):
        if (text := getattr(arguments, name)) is not None:
            conf[name] = month(name.upper(), text, "2013-06")
    if arguments.tune is not None:
        conf["tune"] = flag("TUNE", arguments.tune)
    if arguments.prefix is not None:
        conf["prefix"] = arguments.prefix
    if arguments.test_months is not None:
        if arguments.test_months not in {str(number) for number in range(1, 13)}:
            raise services.ServiceError(f"TEST_MONTHS={arguments.test_months} is no number of months from 1 to 12")
        conf["test_months"] = int(arguments.test_months)
    return conf


def main() -> int:
    """Parse the command line and run; 1 with one clear message where something is in the way."""
    parser = argparse.ArgumentParser(prog="laptop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    named: dict[str, Callable[[argparse.Namespace, Console], int]] = {
        "run": run,
        "backfill": backfill_months,
        "history": show_history,
        "airflow": start_airflow,
        "down": down,
        "announce": announce,
        "invoke": invoke,
        "cost": show_cost,
        "dashboard": open_dashboard,
        "demo-drift": show_drift,
        "demo-data": load_demo_data,
        "contract": check_contract,
        "reproduce": reproduce_model,
    }
    for name, command in named.items():
        subparser = commands.add_parser(name, help=command.__doc__)
        subparser.set_defaults(command=command)
        if command in (run, backfill_months, show_history, announce, invoke, reproduce_model, show_cost):
            subparser.add_argument("--pipeline", default="flight_delay", help="the DAG (default flight_delay)")
        if command is check_contract:
            subparser.add_argument("table", help="the bronze table")
            subparser.add_argument("file", type=Path, help="a file as it is delivered to bronze")
        if command is show_cost:
            subparser.add_argument("--runs", default="30", help="runs a month (default 30)")
        if command is reproduce_model:
            subparser.add_argument("model", help="a model package's ARN, or its version in the pipeline's group")
        if command is run:
            subparser.add_argument("--as-of", help="test month, yyyy-mm (default: the newest in bronze)")
            subparser.add_argument("--test-months", help="months of test up to as-of (default 1)")
            subparser.add_argument("--tune", help="true: look for hyperparameters first (default: as the spec has it)")
            subparser.add_argument("--month", help="month that a batch scores, yyyy-mm (default: the newest of silver)")
            subparser.add_argument("--prefix", help="s3:// prefix of JSON Lines to score as that month")
        if command is backfill_months:
            subparser.add_argument("first", help="first test month, yyyy-mm")
            subparser.add_argument("last", help="last test month, yyyy-mm")
            subparser.add_argument("--again", default="false", help="true: also months that are done (default false)")
        if command is show_history:
            subparser.add_argument("--png", help="where to draw it (default: in the state folder)")
        if command in (run, backfill_months, show_drift):
            subparser.add_argument("--aws-port", type=int, help="port of local AWS (default 4566)")
        if command in (run, backfill_months, start_airflow, show_drift):
            subparser.add_argument("--airflow-port", type=int, help="port of Airflow (default 8080)")
    arguments = parser.parse_args()
    console = Console()
    try:
        if not re.fullmatch(r"[a-z][a-z0-9]{1,15}", ENVIRONMENT):
            raise services.ServiceError(
                f"ENV={ENVIRONMENT} is no environment: use 2 to 16 of a-z and 0-9, a letter first"
            )
        if hasattr(arguments, "pipeline"):
            _require_pipeline(arguments.pipeline)
        return int(arguments.command(arguments, console))
    except (services.ServiceError, Refused, demo_data.BronzeConflict, costs.UnknownPrice) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (requests.RequestException, BotoCoreError, ClientError) as error:
        print(f"\n{error}\nAWS or Airflow did not answer as it should; see {services.RECORDS}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ninterrupted; the run goes on in Airflow, `{make('down')}` stops everything", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
