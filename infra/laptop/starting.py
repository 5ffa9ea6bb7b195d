"""Brings up local AWS and Airflow, with the platform, the scripts and the demo data that a pipeline needs."""

import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console

from deploy import git, sources
from deploy.platform import commit_change
from laptop import airflow, demo_data, platform, services, terraformed
from laptop.settings import ENVIRONMENT, LOCAL, REPOSITORY, STATE, Settings, make, write_privately
from silverline.platform import Platform

FREE_BYTES = 2 * 1024**3


class Started(NamedTuple):
    """What is up, and how to talk to it."""

    settings: Settings
    api: airflow.Api
    platform: Platform


def start_all(pipeline: str, aws_port: int | None, airflow_port: int | None, console: Console) -> Started:
    """Start what isn't running, load the demo data, and wait until Airflow has parsed the DAG."""
    began = time.monotonic()
    if ENVIRONMENT == LOCAL and not _has_opt_ml():
        raise services.ServiceError(
            "no process can have its own /opt/ml here, for which jobs take Linux's user namespaces: use Linux, in "
            "a virtual machine on macOS, in WSL on Windows; in a container allow `unshare`"
        )
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(STATE).free < FREE_BYTES:
        raise services.ServiceError(f"less than 2 GB are free where {STATE} is: make room first")
    with _one_at_a_time(), ThreadPoolExecutor(1) as background:
        settings = settled(aws_port, airflow_port)
        settings.enter()
        api = airflow.Api(settings)
        anew = not (_has_local_aws() and services.alive("airflow-scheduler"))
        console.print(f"starting {'local AWS and ' if ENVIRONMENT == LOCAL else ''}Airflow ...")
        airflow.require_free_port(settings)
        if ENVIRONMENT == LOCAL:
            _require_free_aws_port(settings)
            started = background.submit(airflow.start, settings.environment())
            _start_local_aws(settings)
            document = platform.apply(pipeline)
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
        api.wait_for_dag(pipeline)
        batch = f"{pipeline}_batch"
        if (REPOSITORY / "dags" / f"{batch}.py").exists():
            api.wait_for_dag(batch)
            if not api.runs(batch):  # later it is as somebody has left it
                api.unpause(batch)
        if anew:
            api.close_backfills(pipeline)
            if count := api.fail_unfinished_runs(pipeline):
                console.print(f"gave up {count} unfinished run(s): what they were at ended with the services of then")
    return Started(settings, api, Platform.from_document(document))


def enter_local_aws() -> None:
    """Talk to local AWS, after starting it where it is down."""
    with _one_at_a_time():
        settings = settled(None, None)
        settings.enter()
        _require_free_aws_port(settings)
        _start_local_aws(settings)


def settled(aws_port: int | None, airflow_port: int | None) -> Settings:
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
def _one_at_a_time() -> Iterator[None]:
    """What starts services, one command after the other: the second finds everything started."""
    with (STATE / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _has_local_aws() -> bool:
    """Whether local AWS is up, as far as this has to do with it: with Terraform's platform it is the user's own."""
    return ENVIRONMENT != LOCAL or services.alive("local-aws")


def _has_opt_ml() -> bool:
    from local_aws.sagemaker.container import has_opt_ml  # it forgets the user's AWS_PROFILE, which others go by

    return has_opt_ml()


def _require_free_aws_port(settings: Settings) -> None:
    if not services.alive("local-aws"):
        services.require_free_port(settings.aws_port, "local AWS", "AWS_PORT")


def _start_local_aws(settings: Settings) -> None:
    command = services.python(
        "-m", "local_aws", "--port", str(settings.aws_port), "--state-dir", str(STATE / "local_aws")
    )
    services.start("local-aws", command, settings.environment())
    services.wait_for_port("local-aws", settings.aws_port, seconds=180)
