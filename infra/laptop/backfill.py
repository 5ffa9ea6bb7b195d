"""A history of models: Airflow's own backfill, a run a month, one after the other, each told in a line."""

import importlib
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from laptop import arguments, history, progress, summary
from laptop.airflow import Api
from laptop.services import ServiceError
from laptop.settings import STATE
from laptop.starting import Started
from silverline import bronze, figures, months, sources
from silverline.platform import Platform
from silverline.spec import PipelineSpec


def wanted(first: str, last: str) -> list[str]:
    """The months from `first` to `last`; ServiceError where one is no month, or there is none between them."""
    for name, month in (("FROM", first), ("TO", last)):
        arguments.month(name, month, "2013-03")
    if first > last:
        raise ServiceError(f"FROM={first} comes after TO={last}")
    return months.between(first, last)


def backfill(started: Started, pipeline: str, asked: list[str], again: bool, console: Console) -> int:
    """Run each month whose run has not ended well, or `again` each, and tell of it; 0 where all have one in the end.

    It ends with the first run that fails: the months after it would be held against another champion. Called again, it
    goes on from there.
    """
    api = started.api
    _require_files(started.platform, pipeline, asked)
    if api.unfinished_runs(pipeline):
        console.print(f"waiting: another run of {pipeline} must end first", highlight=False)
        while api.unfinished_runs(pipeline):
            progress.pause()
    for month in asked:
        run = api.run_of(pipeline, month)
        if run and run["state"] == "success" and not again:
            console.print(f"{month}  done before", highlight=False)
            continue
        api.close_backfills(pipeline)
        api.backfill(pipeline, month)
        run = _ended(api, pipeline, month, console)
        if run["state"] != "success":
            console.print(f"{month}  [bold red]failed[/]", highlight=False)
            summary.print_failed_tasks(console, api, pipeline, run["dag_run_id"])
            console.print("\nThe same command goes on with this month.", highlight=False)
            return 1
        report = api.xcom(pipeline, run["dag_run_id"], "report")
        console.print(_line(month, run, report, _spec(pipeline).metrics[0]), highlight=False, soft_wrap=True)
    return 0


def show_history(platform: Platform, pipeline: str, png: str | None, console: Console) -> int:
    """Print the table of the registry's versions, and draw them; ServiceError where there is none."""
    spec = _spec(pipeline)
    versions = history.read(platform, spec)
    if not versions:
        raise ServiceError(f"no run of {pipeline} has registered a model yet")
    path = Path(png) if png else STATE / f"history-{pipeline}.png"
    title = f"{pipeline}: a model a month, {versions[0].month} to {versions[-1].month}"
    path.write_bytes(history.draw(versions, spec, title))
    console.print(history.table(versions, spec), soft_wrap=True, highlight=False, markup=False)
    console.print(f"\nPicture   {path}", soft_wrap=True, highlight=False)
    return 0


def _spec(pipeline: str) -> PipelineSpec:
    spec: PipelineSpec = importlib.import_module(pipeline).spec
    return spec


def _require_files(platform: Platform, pipeline: str, asked: list[str]) -> None:
    """ServiceError, before anything runs, where a month is lacking, or all those that the first would learn from."""
    spec = _spec(pipeline)
    inventory = sources.inventory(platform, spec, bronze.files(platform, spec.monthly_sources))
    try:
        for month in asked:
            months.choose_as_of(month, inventory, sources.monthly(spec))
        months.splits(min(inventory), asked[0], spec.test_months, spec.split_by)
    except ValueError as error:
        raise ServiceError(str(error)) from None  # it is the same sentence


def _ended(api: Api, pipeline: str, month: str, console: Console) -> dict[str, Any]:
    """The month's run once it has ended; until then a terminal shows what it is at."""
    with console.status(month) as status:
        while True:
            run = api.run_of(pipeline, month)
            if run is None:
                raise ServiceError(f"the run of {month} has been deleted")
            if run["state"] in progress.FINISHED:
                return run
            if console.is_terminal:
                tasks = api.task_instances(pipeline, run["dag_run_id"])
                going = [task["task_id"] for task in tasks if task["state"] in ("running", "deferred")]
                status.update(f"{month}  {', '.join(going) or run['state']}")
            progress.pause()


def _line(month: str, run: dict[str, Any], report: dict[str, Any], metric: str) -> str:
    found = {name: f"{metrics[metric]['value']:.4f}" for name, metrics in report["metrics"].items()}
    beside = f"{figures.words(metric)} {found['challenger']}, champion's {found.get('champion', '-'):<6}"
    seconds = (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["start_date"])).total_seconds()
    deployed = "deployed" if report["smoke_test"] else "not deployed"
    return (
        f"{month}  {report['decision']:<8} {beside}  "
        f"version {report['model_package'].rpartition('/')[2]}, {deployed}  {seconds:.0f} s"
    )
