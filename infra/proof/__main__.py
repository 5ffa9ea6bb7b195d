"""`make proof`: run everything from an empty state, and write docs/proof.md of what was seen.

It runs `make demo-drift` with a person who approves, in a state folder of its own, and lays Terraform's platform on a
local AWS of its own; ten minutes. Needs Chromium and Terraform.
"""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import boto3
from playwright.sync_api import Browser
from rich.console import Console

from deploy import git
from laptop import airflow, progress, services, summary
from laptop.settings import ALL_STATE, REPOSITORY, STATE, Settings
from laptop.starting import settled
from proof import terraform
from proof.chromium import NoBrowser, chromium
from proof.pictures import ASK, IMAGES, PIPELINE, Pictures, Unfit

ALARM = "silverline-local-flight-delay-traffic"
DASHBOARD = "/_dashboard/silverline-local?range=15m"
PLOTS = ("roc", "calibration", "lift", "slices")
SEGMENTS = "airport_weather"
PORTS = {"aws_port": 4576, "airflow_port": 8090}  # beside those of `make run`


def main() -> int:
    """Write docs/proof.md and its pictures; 1 with a message where something is in the way."""
    began = time.monotonic()
    if ALL_STATE.name != "proof":
        print(f"{ALL_STATE} would be emptied: `make proof` gives it a state folder of its own", file=sys.stderr)
        return 1
    services.stop_all()
    shutil.rmtree(ALL_STATE, ignore_errors=True)
    STATE.mkdir(mode=0o700, parents=True)
    try:
        with chromium() as browser:
            print("laying Terraform's platform", flush=True)
            values = {"terraform": _indented(terraform.applied(PORTS["aws_port"]))}
            values |= _run(browser)
    except (NoBrowser, Unfit, services.ServiceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        services.stop_all()
    values |= {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": git.commit()[:7],
        "processors": str(os.cpu_count()),
        "minutes": f"{(time.monotonic() - began) / 60:.0f}",
    }
    template = Template((Path(__file__).parent / "page.md").read_text())
    (REPOSITORY / "docs" / "proof.md").write_text(template.substitute(values))
    print(f"docs/proof.md is made ({time.monotonic() - began:.0f} s): look at every picture of it before you commit")
    return 0


def _run(browser: Browser) -> dict[str, str]:
    """The demo from its beginning to its end, and pictures of it; what of it stands in the page."""
    settings = settled(**PORTS)
    airflow.require_free_port(settings)
    settings.enter()
    airflow.start(settings.environment() | {"AIRFLOW__CORE__DAGS_FOLDER": str(_dags_with_a_person())})
    api = airflow.Api(settings)
    with _demo() as demo:
        api.wait_until_ready()
        api.wait_for_dag(PIPELINE)
        pictures = Pictures(browser, settings, api)
        while demo.poll() is None:
            _look(api, pictures)
            time.sleep(1)
    said = (STATE / "demo.log").read_text()
    if demo.returncode:
        raise services.ServiceError(f"make demo-drift has failed:\n{said}")
    print(said)
    while api.unfinished_runs(f"{PIPELINE}_batch"):
        progress.pause()
    run_id = api.runs(PIPELINE)[0]["dag_run_id"]
    pictures.graph(run_id)
    pictures.grid(run_id)
    pictures.log(run_id, "train.train")
    pictures.assets("flight_delay.flight_features")
    pictures.page("jobs", "/_console/jobs")
    pictures.page("dashboard", DASHBOARD, full=True)
    pictures.chart("feature-drift", DASHBOARD, f"{PIPELINE}: PSI of the ten features that have moved furthest")
    pictures.invoke("flight-delay")
    report = api.xcom(PIPELINE, run_id, "report")
    _plots(report, {plot: plot for plot in PLOTS})
    answered, answer = _invoked(settings, report["smoke_test"]["sample_request"])
    return {
        "demo": _indented(said),
        "form": str(api.form(PIPELINE, run_id, ASK)["body"]),
        "invoked": _indented(answered),
        "answer": _indented(answer),
        "segments": _segments(api),
    }


def _segments(api: airflow.Api) -> str:
    """What the second pipeline's gate said of its segments, of which the plots are kept."""
    run_id = api.trigger(SEGMENTS, {})["dag_run_id"]
    if progress.follow(api, SEGMENTS, run_id, Console()) != "success":
        raise services.ServiceError(f"the run of {SEGMENTS} has failed: {run_id}")
    report = api.xcom(SEGMENTS, run_id, "report")
    _plots(report, {"scatter": "segments-scatter", "profile": "segments-profile"})
    reasons = "\n".join(f"- {reason}" for reason in report["reasons"])
    return f"The model {report['answers']}.\n\n{report['decision']}:\n\n{reasons}"


def _plots(report: dict[str, Any], names: dict[str, str]) -> None:
    """Keep those of the evaluation's plots, under these names."""
    bucket, _, key = report["evaluation"].removeprefix("s3://").partition("/")
    for plot, name in names.items():
        boto3.client("s3").download_file(bucket, f"{key.rstrip('/')}/plots/{plot}.png", str(IMAGES / f"{name}.png"))


def _look(api: airflow.Api, pictures: Pictures) -> None:
    """Approve what waits for it, and take a picture of the dashboard when the alarm is on."""
    for run in api.unfinished_runs(PIPELINE):
        states = {task["task_id"]: task["state"] for task in api.task_instances(PIPELINE, run["dag_run_id"])}
        if states.get(ASK) == "deferred" and not api.form(PIPELINE, run["dag_run_id"], ASK)["response_received"]:
            pictures.approve(run["dag_run_id"])
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    if [alarm["StateValue"] for alarm in alarms] == ["ALARM"] and not (IMAGES / "dashboard-alarm.png").exists():
        pictures.page("dashboard-alarm", DASHBOARD, full=True)


@contextmanager
def _demo() -> Iterator[subprocess.Popen[bytes]]:
    """`make demo-drift`, which is ended where it hasn't by itself."""
    (IMAGES / "dashboard-alarm.png").unlink(missing_ok=True)
    with (STATE / "demo.log").open("w") as log:
        demo = subprocess.Popen(services.python("-m", "laptop", "demo-drift"), stdout=log, stderr=log)
        try:
            yield demo
        finally:
            demo.terminate()
            demo.wait()


def _dags_with_a_person() -> Path:
    """A copy of dags/ whose flight_delay asks a person."""
    folder = STATE / "dags"
    shutil.copytree(REPOSITORY / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = folder / f"{PIPELINE}.py"
    spec.write_text(spec.read_text().replace("spec = PipelineSpec(", 'spec = PipelineSpec(\n    approval="person",'))
    return folder


def _invoked(settings: Settings, flight: Any) -> tuple[str, str]:
    """What AWS's CLI says, and what it writes into its file."""
    request, answer = STATE / "flight.json", STATE / "answer.json"
    request.write_text(json.dumps(flight))
    command = [summary.aws_cli(), "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "flight-delay"]
    command += ["--content-type", "application/json", "--body", f"fileb://{request}", str(answer)]
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True)
    if done.returncode:
        raise services.ServiceError(f"aws sagemaker-runtime invoke-endpoint has failed: {done.stderr}")
    return done.stdout, answer.read_text()


def _indented(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ")


if __name__ == "__main__":
    sys.exit(main())
