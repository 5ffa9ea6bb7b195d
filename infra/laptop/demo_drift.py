"""The drift demo: an endpoint is asked what its model has not learned from, monitoring sees it, the pipeline trains
again, and the same questions are nothing new any more."""

import gzip
import importlib
import json
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from rich.console import Console

from laptop import progress, summary
from laptop.services import ServiceError
from laptop.settings import ENVIRONMENT
from laptop.starting import Started
from silverline.spec import BatchSpec, PipelineSpec

# The first model knows January and February only, although silver has the whole year.
NAIVE = {"as_of": "2013-12", "test_months": 9}
ASKED_MONTH, STORMY_DAYS, REQUESTS, AT_ONCE = "2013-12", range(14, 28), 1500, 4
CAPTURE_SECONDS = 6  # local AWS writes what it has captured every three
ASSET_SECONDS = 10  # in which Airflow makes a run of an asset's event
WAIT_SECONDS = 600


def demo(started: Started, console: Console) -> int:
    """Run it from the beginning to the end, telling what happens; 0 where the alarm went off and came back."""
    from silverline import silver, traffic  # with awswrangler, for which no other command has to wait

    place, api = started.platform, started.api
    spec: PipelineSpec = importlib.import_module("flight_delay").spec
    batch: BatchSpec = importlib.import_module("flight_delay_batch").spec
    alarm = f"silverline-{ENVIRONMENT}-{spec.aws_name}-traffic"
    model = traffic.served(place, spec)
    if not _is_naive(model) or ASKED_MONTH not in silver.published_months(place, spec.feature_table):
        _say(console, "training a model on January and February alone")
        _finish(started, spec.name, api.trigger(spec.name, NAIVE)["dag_run_id"], console)
        if not _is_naive(model := traffic.served(place, spec)):
            raise ServiceError("the gate did not let that model into service: `make clean`, and once more")
    _say_served(console, model)

    lines = _questions(started, spec, batch)
    days = f"{STORMY_DAYS[0]} to {STORMY_DAYS[-1]}"
    _say(console, f"asking the endpoint for {len(lines)} flights of the storms of {ASKED_MONTH}, {days}")
    _ask(spec.aws_name, lines)
    before = {run["dag_run_id"] for run in api.runs(spec.name)}
    _look(started, spec, console)
    _wait_for_alarm(alarm, "ALARM")
    _say(console, f"[bold red]{alarm} is on[/]")

    def new_run() -> str | None:
        return next((run["dag_run_id"] for run in api.runs(spec.name) if run["dag_run_id"] not in before), None)

    time.sleep(ASSET_SECONDS)
    if new_run() is None:
        _say(console, "the pipeline was told of this model before, once: telling it again")
        api.announce(f"{spec.name}.drift")
    run_id = _until(new_run, "a run by itself")
    _say(console, f"{spec.name} trains again: {run_id}")
    _finish(started, spec.name, run_id, console)
    _say_served(console, traffic.served(place, spec))

    _say(console, "asking it for the same flights")
    _ask(spec.aws_name, lines)
    _look(started, spec, console)
    _wait_for_alarm(alarm, "OK")
    _say(console, f"[bold green]{alarm} is off[/]")
    console.print(f"\nDashboard {started.settings.dashboard_url}", soft_wrap=True, highlight=False)
    return 0


def _is_naive(model: Any) -> bool:
    """Whether the model that is served has learned from no more than what NAIVE leaves it."""
    return model is not None and len(model.trained_on) <= 2


def _say_served(console: Console, model: Any) -> None:
    _say(console, f"version {model.version} is served, trained on {model.trained_on[0]} to {model.trained_on[-1]}")


def _questions(started: Started, spec: PipelineSpec, batch: BatchSpec) -> list[dict[str, Any]]:
    """Flights of those days as their month's batch would be asked for: what the model is told, and whose it is."""
    from silverline import objects, predictions

    model = predictions.current_model(started.platform, batch)
    assert model is not None  # one was asked for its version before
    run = f"demo-drift-{int(time.time())}"
    prefix = predictions.unload(started.platform, batch, [ASKED_MONTH], run, model["model_artifacts"])
    lines = [json.loads(line) for name in objects.etags(prefix) for line in _lines(objects.read(name))]
    stormy = [line for line in lines if int(line["record_key"]["scheduled_departure_at"][8:10]) in STORMY_DAYS]
    return random.Random(2013).sample(stormy, min(REQUESTS, len(stormy)))


def _lines(body: bytes) -> Iterator[str]:
    return (line for line in gzip.decompress(body).decode().split("\n") if line.strip())


def _ask(endpoint: str, lines: Sequence[dict[str, Any]]) -> None:
    """Each flight in a request of its own, by the id under which labels.sql knows how it came in."""
    runtime = boto3.client("sagemaker-runtime")

    def ask(line: dict[str, Any]) -> None:
        key = line["record_key"]
        at = key["scheduled_departure_at"].replace(" ", "T")[:16]
        runtime.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="application/json",
            InferenceId=f"{at}|{key['carrier']}|{key['flight_number']}|{key['origin']}",
            Body=json.dumps(line["features"]),
        )

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(ask, lines):
            pass  # the first error of any is raised here
    time.sleep(CAPTURE_SECONDS)


def _look(started: Started, spec: PipelineSpec, console: Console) -> None:
    """Let monitoring look now, and show what it has found of traffic and quality."""
    run_id = started.api.trigger("monitoring", {})["dag_run_id"]
    _finish(started, "monitoring", run_id, console)
    number = started.api.xcom("monitoring", run_id, "pipelines").index(spec.name)
    for check in ("traffic", "quality"):
        found = started.api.xcom("monitoring", run_id, f"check.look_at_{check}", map_index=number)
        _say(console, f"monitoring, {check}: {found['sentence']}")


def _finish(started: Started, dag_id: str, run_id: str, console: Console) -> None:
    """Return once the run has ended well; ServiceError where it has not."""
    with console.status(f"{dag_id} runs"):
        state = progress.wait(started.api, dag_id, run_id)
    if state != "success":
        summary.print_failed_tasks(console, started.api, dag_id, run_id)
        raise ServiceError(f"{dag_id} has failed: {started.settings.airflow_url}")


def _wait_for_alarm(name: str, state: str) -> None:
    def reached() -> bool:
        (alarm,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm["StateValue"] == state

    _until(reached, f"{name} to be {state}")


def _until(found: Any, what: str) -> Any:
    """What `found` returns once that is something; ServiceError where it takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (value := found()):
        if time.monotonic() > deadline:
            raise ServiceError(f"waited {WAIT_SECONDS} s for {what}")
        time.sleep(1)
    return value


def _say(console: Console, text: str) -> None:
    console.print(f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True)
