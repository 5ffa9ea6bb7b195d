"""What `make run` prints at the end: what came out, or what went wrong."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from laptop.airflow import Api
from laptop.settings import AIRFLOW_USER, REPOSITORY, STATE, Settings, airflow_secrets, make
from silverline import objects

LOG_LINES = 20
TRACKING = "register.track"
SPLITS = ("train", "validation", "test")


def print_report(console: Console, settings: Settings, dag_id: str, report: dict[str, Any]) -> None:
    """Rows, metrics beside champion and baselines, the decision, and the commands that go on from here."""
    rows, splits = report["rows"], report["splits"]
    console.print(
        f"\n[bold]{dag_id}[/] as of {report['as_of']}: {rows['rows_in']:,} rows in, {rows['rows_out']:,} joined, "
        f"{rows['rows_quarantined']:,} quarantined; months computed: {len(report['computed_months'])}",
        soft_wrap=True,
    )
    for rows_of in report["unusable"]:
        what = f"{rows_of['row_count']:,} rows of {rows_of['source_table']}: {rows_of['reason']}"
        console.print(f"  {what}", soft_wrap=True, highlight=False, markup=False)
    if len({tuple(split) for split in splits.values()}) == 1:
        console.print(f"split by key, all of {' to '.join(dict.fromkeys(splits['train']))}")
    else:
        console.print("\n".join(f"{name:<11} {' to '.join(dict.fromkeys(splits[name]))}" for name in SPLITS))
    if tuned := report["tuning"]:
        console.print(f"{'parameters':<11} {tuned}", soft_wrap=True, highlight=False)
    console.print(_metrics(report["metrics"]))
    console.print(f"It {report['answers']}", soft_wrap=True, highlight=False)
    console.print(f"\n[bold]{report['decision']}[/]")
    console.print("\n".join(f"- {reason}" for reason in report["reasons"]), soft_wrap=True, highlight=False)
    console.print(f"All of it: {report['evaluation']}", soft_wrap=True, highlight=False)
    status, description = report["approval"]["status"], report["approval"]["description"]
    said = f"{status} ({description})" if description else status
    console.print(f"\nModel package {report['model_package']}: {said}", soft_wrap=True, highlight=False)
    if report["smoke_test"]:
        _print_endpoint(console, settings, dag_id, report)
    else:
        console.print(f"\nNothing was deployed: endpoint {report['endpoint']} is what it was before.")
    console.print(
        f"\nAirflow   {settings.airflow_url}  (user {AIRFLOW_USER}, password {airflow_secrets()['password']})\n"
        f"AWS       {settings.aws_url}  (AWS_ENDPOINT_URL)\n"
        f"Console   {settings.aws_url}/_console/\n"
        f"Dashboard {settings.dashboard_url}\n"
        f"Stop      {make('down')}",
        highlight=False,
    )


def _print_endpoint(console: Console, settings: Settings, dag_id: str, report: dict[str, Any]) -> None:
    sample = sample_file(dag_id)
    sample.write_text(json.dumps(report["smoke_test"]["sample_request"]))
    environment = " ".join(f"{name}={value}" for name, value in settings.aws_environment().items())
    answer = STATE / "answer.json"
    # Into a file, then shown: /dev/stdout would be overwritten where the output is redirected.
    command = (
        f"env -u AWS_PROFILE {environment} {aws_cli()} sagemaker-runtime invoke-endpoint"
        f" --endpoint-name {report['endpoint']} --content-type application/json --body fileb://{sample}"
        f" {answer} > /dev/null && cat {answer}"
    )
    console.print(
        f"\nEndpoint [bold]{report['endpoint']}[/] is in service, {report['smoke_test']['answers']} known answers "
        f"checked.\nAsk it by `{make(f'invoke PIPELINE={dag_id}')}`, or by:"
    )
    console.print(command, soft_wrap=True, highlight=False)


def print_batch(console: Console, settings: Settings, dag_id: str, report: dict[str, Any]) -> None:
    """What was scored, by which model, and where the predictions are; or why nothing was."""
    if skipped := report.get("skipped"):
        console.print(f"\n[bold]{dag_id}[/] of {', '.join(report['months'])}: {skipped}", soft_wrap=True)
        return
    console.print(f"\n[bold]{dag_id}[/] by {report['model']}", soft_wrap=True, highlight=False)
    for month in report["summary"]:
        said = (
            f"{name.replace('_', ' ')} {value if isinstance(value, str) else format(value, ',')}"
            for name, value in month.items()
            if name != "month"
        )
        console.print(f"{month['month']}   {', '.join(said)}", soft_wrap=True, highlight=False)
    console.print(f"\nTable     {report['table']}\nAirflow   {settings.airflow_url}", highlight=False)


def print_monitoring(console: Console, settings: Settings, api: Api, run_id: str) -> None:
    """Of each pipeline what a run of monitoring has found, in the lines of its page, and where that is."""
    for number in range(len(api.xcom("monitoring", run_id, "pipelines"))):
        address = api.xcom("monitoring", run_id, "check.report", map_index=number)
        title, *lines = objects.read(address).decode().splitlines()
        console.print(f"\n[bold]{title.strip('# ')}[/]", highlight=False)
        for found in filter(None, map(re.compile(r"\| (\w+) \| \**([\w ]+)\** \| (.*) \|").fullmatch, lines)):
            console.print(f"{found[1]:<10}{found[2]:<18}{found[3]}", soft_wrap=True, highlight=False, markup=False)
        console.print(f"\nPage      {address}", soft_wrap=True, highlight=False)
    console.print(f"Dashboard {settings.dashboard_url}", highlight=False)


def print_tracking(console: Console, api: Api, dag_id: str, run_id: str) -> None:
    """Which of MLflow's runs this one is, or why it is none; nothing where no MLflow is configured."""
    for task in api.task_instances(dag_id, run_id):
        if task["task_id"] != TRACKING or task["state"] not in ("success", "failed"):
            continue
        if task["state"] == "success":
            told = api.xcom(dag_id, run_id, TRACKING)
            console.print(f"MLflow    {told['experiment']}, run {told['run_id']}", soft_wrap=True, highlight=False)
        else:
            reason = api.errors(dag_id, run_id, TRACKING, task["try_number"])[:1]
            console.print("\n[bold red]Not tracked[/] in MLflow, all else is as it would be with it:")
            _print_plainly(console, reason or [f"see the log of {TRACKING}"])


def print_failed_tasks(console: Console, api: Api, dag_id: str, run_id: str) -> None:
    """Every failed task of the run, but for those that failed as a consequence: the last lines of its log, and why the
    job or endpoint it waited for has failed."""
    failed = [task for task in api.task_instances(dag_id, run_id) if task["state"] == "failed"]
    for task in failed:
        tried = (dag_id, run_id, task["task_id"], task["try_number"])
        errors = api.errors(*tried)
        if len(failed) > 1 and any(error.startswith("Consequence: ") for error in errors):
            continue
        console.print(f"\n[bold red]{task['task_id']} failed[/] (try {task['try_number']}); the end of its log:")
        lines = api.log_lines(*tried)[-LOG_LINES:]
        # What was printed last may come after what was raised, and push it out.
        lines += [line for error in errors for line in error.splitlines() if line not in lines]
        _print_plainly(console, [f"  {line}" for line in lines])
        request = (task["rendered_fields"] or {}).get("config")
        if request and (reason := failure_reason(request)):
            console.print("\n[bold red]FailureReason[/] given by SageMaker:")
            _print_plainly(console, reason.splitlines())


def failure_reason(request: dict[str, Any]) -> str | None:
    """FailureReason of the job or endpoint that an operator's request names; None where there is none."""
    sagemaker = boto3.client("sagemaker")
    try:
        if name := request.get("TrainingJobName"):
            return sagemaker.describe_training_job(TrainingJobName=name).get("FailureReason")
        if name := request.get("HyperParameterTuningJobName"):
            tuning = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
            return tuning.get("FailureReason")
        if name := request.get("ProcessingJobName"):
            return sagemaker.describe_processing_job(ProcessingJobName=name).get("FailureReason")
        if name := request.get("TransformJobName"):
            return sagemaker.describe_transform_job(TransformJobName=name).get("FailureReason")
        if name := request.get("EndpointName"):
            return sagemaker.describe_endpoint(EndpointName=name).get("FailureReason")
    except ClientError as error:
        return f"{name} can't be asked: {error}"
    return None


def _print_plainly(console: Console, lines: list[str]) -> None:
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def sample_file(dag_id: str) -> Path:
    """The request that `make invoke` sends: a row of the last run's test split."""
    return STATE / f"sample-{dag_id}.json"


def aws_cli() -> str:
    """`aws` where it runs in this folder, else the one that `make setup` installs."""
    try:
        works = subprocess.run(["aws", "--version"], cwd=REPOSITORY, capture_output=True).returncode == 0
    except FileNotFoundError:
        works = False
    return "aws" if works else str(REPOSITORY / ".envs" / "aws-cli" / "bin" / "aws")


def _metrics(models: dict[str, Any]) -> Table:
    """Every model's metrics on the test split, each above the bounds of 95 % of its resamples."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("test split", no_wrap=True)
    for name in models:
        style = "bold" if name == "challenger" else ""
        table.add_column(name.replace("_", " "), justify="right", style=style, min_width=len("0.0000-0.0000"))
    for metric in models["challenger"]:
        values = (found.get(metric) for found in models.values())
        table.add_row(
            metric, *(f"{one['value']:.4f}\n{one['low']:.4f}-{one['high']:.4f}" if one else "" for one in values)
        )
    return table
