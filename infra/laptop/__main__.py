"""`python -m laptop run | airflow | down | announce | invoke | demo-data | reproduce`: what the make targets call."""

import argparse
import fcntl
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from deploy import account, git, sources
from deploy.plan import Refused
from deploy.platform import commit_change, read
from laptop import airflow, demo_data, hybrid, platform, progress, reproduce, services, summary, terraformed
from laptop.settings import ALL_STATE, ENVIRONMENT, LOCAL, REPOSITORY, STATE, Settings, make, write_privately
from silverline.platform import Platform

FREE_BYTES = 2 * 1024**3


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Start what isn't running, load the demo data, run the pipeline and show it; 0 where it ended green."""
    began = time.monotonic()
    conf = _conf(arguments)
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(STATE).free < FREE_BYTES:
        raise services.ServiceError(f"less than 2 GB are free where {STATE} is: make room first")
    with _starting(), ThreadPoolExecutor(1) as background:
        settings = _settings(arguments.aws_port, arguments.airflow_port)
        settings.enter()
        api = airflow.Api(settings)
        anew = not (_has_local_aws() and services.alive("airflow-scheduler"))
        console.print(f"starting {'local AWS and ' if ENVIRONMENT == LOCAL else ''}Airflow ...")
        airflow.require_free_port(settings)
        if ENVIRONMENT == LOCAL:
            _require_free_aws_port(settings)
            started = background.submit(airflow.start, settings.environment())
            _start_local_aws(settings)
            document = platform.apply()
        else:
            document = terraformed.document(settings)
            started = background.submit(airflow.start, settings.role_environment(document["airflow_role_arn"]))
        for change in sources.changes(document["artifacts_bucket"]) + commit_change(ENVIRONMENT, git.commit()):
            change.make()
        loaded = demo_data.load(document["bronze_bucket"])
        console.print(
            f"bronze: {loaded['uploaded']} files loaded, {loaded['found']} were there "
            f"({time.monotonic() - began:.0f} s)",
            highlight=False,
        )
        started.result()
        api.wait_until_ready()
        api.wait_for_dag(arguments.pipeline)
        if unknown := conf.keys() - (known := api.params(arguments.pipeline)):
            raise services.ServiceError(f"{arguments.pipeline} takes {', '.join(known)}, and not {', '.join(unknown)}")
        if anew and (count := api.fail_unfinished_runs(arguments.pipeline)):
            console.print(f"gave up {count} unfinished run(s): what they were at ended with the services of then")
    triggered = api.trigger(arguments.pipeline, conf)
    console.print(
        f"Airflow is up at {settings.airflow_url} ({time.monotonic() - began:.0f} s); {arguments.pipeline} runs\n",
        highlight=False,
    )
    state = progress.follow(api, arguments.pipeline, triggered["dag_run_id"], console)
    if state != "success":
        summary.print_failed_tasks(console, api, arguments.pipeline, triggered["dag_run_id"])
        console.print(f"\nThe run is at {settings.airflow_url}; everything stays up until `{make('down')}`.")
        return 1
    report = api.xcom(arguments.pipeline, triggered["dag_run_id"], "report")
    show = summary.print_batch if arguments.pipeline.endswith("_batch") else summary.print_report
    show(console, settings, arguments.pipeline, report)
    console.print(f"Took      {time.monotonic() - began:.0f} s", highlight=False)
    return 0


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
    settings = _settings(None, None)
    settings.enter()
    api = airflow.Api(settings)
    api.wait_until_ready()
    api.announce(f"{arguments.pipeline}.bronze")
    console.print(f"{arguments.pipeline} starts: {settings.airflow_url}/dags/{arguments.pipeline}")
    return 0


def invoke(arguments: argparse.Namespace, console: Console) -> int:
    """Send the sample row to the endpoint, after starting local AWS where it is down, and print what comes back."""
    sample = summary.sample_file(arguments.pipeline)
    if not sample.exists():
        raise services.ServiceError(f"there is no endpoint of {arguments.pipeline} yet: `{make('run')}` brings it up")
    with _starting():
        settings = _settings(None, None)
        settings.enter()
        if ENVIRONMENT == LOCAL:
            _require_free_aws_port(settings)
            _start_local_aws(settings)
        else:
            terraformed.document(settings)
    request = sample.read_text()
    response = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=arguments.pipeline.replace("_", "-"), ContentType="application/json", Body=request
    )
    console.print_json(request)
    console.print_json(response["Body"].read().decode())
    return 0


def reproduce_model(arguments: argparse.Namespace, console: Console) -> int:
    """Train a registered model again from what its package says of it, and compare; 0 where it is the same."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ENVIRONMENT == LOCAL:
        with _starting():
            settings = _settings(None, None)
            settings.enter()
            _require_free_aws_port(settings)
            _start_local_aws(settings)
    else:
        os.environ.update(Settings(0, 0).user_environment())
        account.caller()
    place = Platform.from_document(read(ENVIRONMENT))
    return reproduce.reproduce(place, arguments.pipeline, arguments.model, console)


def start_airflow(arguments: argparse.Namespace, console: Console) -> int:
    """Run Airflow on your own AWS account, as the AWS CLI finds it, until Ctrl-C."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    return hybrid.serve(_settings(None, arguments.airflow_port), console)


def load_demo_data(arguments: argparse.Namespace, console: Console) -> int:
    """Put the demo data into bronze of your own AWS account, as the AWS CLI finds it."""
    os.environ.update(Settings(0, 0).user_environment())
    account.caller()
    loaded = demo_data.load(read(ENVIRONMENT)["bronze_bucket"])
    console.print(f"bronze: {loaded['uploaded']} files loaded, {loaded['found']} were there", highlight=False)
    return 0


def _conf(arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's params; ServiceError, before anything is started, where there is no such pipeline or month."""
    pipelines = sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py"))
    if arguments.pipeline not in pipelines:
        raise services.ServiceError(
            f"there is no pipeline {arguments.pipeline!r} in dags/, only {', '.join(pipelines)}"
        )
    conf: dict[str, Any] = {}
    for name in ("as_of", "month"):
        if (month := getattr(arguments, name)) is not None:
            if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
                raise services.ServiceError(
                    f"{name.upper()}={month} is no month: write it as yyyy-mm, for example 2013-06"
                )
            conf[name] = month
    if arguments.tune is not None:
        if arguments.tune not in ("true", "false"):
            raise services.ServiceError(f"TUNE={arguments.tune} is neither true nor false")
        conf["tune"] = arguments.tune == "true"
    if arguments.prefix is not None:
        conf["prefix"] = arguments.prefix
    if arguments.test_months is not None:
        if arguments.test_months not in {str(number) for number in range(1, 13)}:
            raise services.ServiceError(f"TEST_MONTHS={arguments.test_months} is no number of months from 1 to 12")
        conf["test_months"] = int(arguments.test_months)
    return conf


def _settings(aws_port: int | None, airflow_port: int | None) -> Settings:
    """The ports asked for; without, those of the time before, since what they serve is kept; without, 4566 and 8080."""
    path = STATE / "ports.json"
    kept: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    asked = {"aws_port": aws_port, "airflow_port": airflow_port}
    for name, port in asked.items():
        if port and kept and port != kept[name] and services.any_alive():
            raise services.ServiceError(f"already running with {name}={kept[name]}: `{make('down')}` before another")
    ports = {"aws_port": 4566, "airflow_port": 8080} | kept | {name: port for name, port in asked.items() if port}
    write_privately(path, json.dumps(ports))
    return Settings(**ports)


@contextmanager
def _starting() -> Iterator[None]:
    """What starts services, one command after the other: the second finds everything started."""
    with (STATE / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _has_local_aws() -> bool:
    """Whether local AWS is up, as far as this has to do with it: with Terraform's platform it is the user's own."""
    return ENVIRONMENT != LOCAL or services.alive("local-aws")


def _require_free_aws_port(settings: Settings) -> None:
    if not services.alive("local-aws"):
        services.require_free_port(settings.aws_port, "local AWS", "AWS_PORT")


def _start_local_aws(settings: Settings) -> None:
    command = services.python(
        "-m", "local_aws", "--port", str(settings.aws_port), "--state-dir", str(STATE / "local_aws")
    )
    services.start("local-aws", command, settings.environment())
    services.wait_for_port("local-aws", settings.aws_port, seconds=60)


def main() -> int:
    """Parse the command line and run; 1 with one clear message where something is in the way."""
    parser = argparse.ArgumentParser(prog="laptop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    named: dict[str, Callable[[argparse.Namespace, Console], int]] = {
        "run": run,
        "airflow": start_airflow,
        "down": down,
        "announce": announce,
        "invoke": invoke,
        "demo-data": load_demo_data,
        "reproduce": reproduce_model,
    }
    for name, command in named.items():
        subparser = commands.add_parser(name, help=command.__doc__)
        subparser.set_defaults(command=command)
        if command in (run, announce, invoke, reproduce_model):
            subparser.add_argument("--pipeline", default="flight_delay", help="the DAG (default flight_delay)")
        if command is reproduce_model:
            subparser.add_argument("model", help="a model package's ARN, or its version in the pipeline's group")
        if command is run:
            subparser.add_argument("--as-of", help="test month, yyyy-mm (default: the newest in bronze)")
            subparser.add_argument("--test-months", help="months of test up to as-of (default 1)")
            subparser.add_argument("--tune", help="true: look for hyperparameters first (default: as the spec has it)")
            subparser.add_argument("--month", help="month that a batch scores, yyyy-mm (default: the newest of silver)")
            subparser.add_argument("--prefix", help="s3:// prefix of JSON Lines to score as that month")
            subparser.add_argument("--aws-port", type=int, help="port of local AWS (default 4566)")
        if command in (run, start_airflow):
            subparser.add_argument("--airflow-port", type=int, help="port of Airflow (default 8080)")
    arguments = parser.parse_args()
    console = Console()
    try:
        if not re.fullmatch(r"[a-z][a-z0-9]{1,15}", ENVIRONMENT):
            raise services.ServiceError(
                f"ENV={ENVIRONMENT} is no environment: use 2 to 16 of a-z and 0-9, a letter first"
            )
        return int(arguments.command(arguments, console))
    except (services.ServiceError, Refused, demo_data.BronzeConflict) as error:
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
