"""Shows a DAG run while it goes on: a live table on a terminal, a line for each change elsewhere."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from laptop import services
from laptop.airflow import SERVICES, Api
from laptop.settings import ENVIRONMENT, LOCAL

WATCHED = (*SERVICES, "local-aws") if ENVIRONMENT == LOCAL else tuple(SERVICES)
FINISHED = {"success", "failed"}
STYLES = {
    "success": "green",
    "failed": "bold red",
    "upstream_failed": "red",
    "running": "bold cyan",
    "deferred": "cyan",
    "up_for_retry": "yellow",
    "skipped": "bright_black",
}
# A line for each of these would hide the task that they wait for.
UNTOLD = {None, "scheduled", "queued", "upstream_failed"}
POLL_SECONDS = 0.5
LONGEST_PAUSE = 5.0
LONGEST_SHARE = 0.1  # of Airflow's time: on a busy machine to look takes as long as a task does


def follow(api: Api, dag_id: str, run_id: str, console: Console) -> str:
    """Show the tasks until the run has ended; returns its state."""
    show = _live if console.is_terminal else _lines
    return show(api, dag_id, run_id, console)


def wait(api: Api, dag_id: str, run_id: str) -> str:
    """The state of the run once it has ended; nothing is shown meanwhile."""
    while (state := str(api.run(dag_id, run_id)["state"])) not in FINISHED:
        pause()
    return state


def pause(seconds: float = POLL_SECONDS) -> None:
    """Wait until it is time to look again; ServiceError where a service has ended."""
    for name in WATCHED:
        services.check(name)
    time.sleep(seconds)


def _live(api: Api, dag_id: str, run_id: str, console: Console) -> str:
    with Live(console=console, refresh_per_second=4) as live:
        return _until_finished(api, dag_id, run_id, console, lambda tasks: live.update(_table(tasks)))


def _lines(api: Api, dag_id: str, run_id: str, console: Console) -> str:
    shown: dict[str, str | None] = {}

    def show(tasks: list[dict[str, Any]]) -> None:
        for task in tasks:
            if task["state"] != shown.get(task["task_id"]) and task["state"] not in UNTOLD:
                shown[task["task_id"]] = task["state"]
                clock = datetime.now().strftime("%H:%M:%S")
                console.print(f"{clock}  {task['task_id']:<28} {task['state']:<16} {_seconds(task)}", highlight=False)

    return _until_finished(api, dag_id, run_id, console, show)


def _until_finished(
    api: Api, dag_id: str, run_id: str, console: Console, show: Callable[[list[dict[str, Any]]], None]
) -> str:
    waiting = False
    while True:
        began = time.monotonic()
        state: str = api.run(dag_id, run_id)["state"]
        if state == "queued" and not waiting and (ahead := len(api.unfinished_runs(dag_id)) - 1):
            waiting = True
            console.print(
                f"waiting: {ahead} earlier run{'s' * (ahead > 1)} of {dag_id} must end first", highlight=False
            )
        show(api.task_instances(dag_id, run_id))
        if state in FINISHED:
            return state
        pause(min(max(POLL_SECONDS, (time.monotonic() - began) / LONGEST_SHARE), LONGEST_PAUSE))


def _table(tasks: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2))
    table.add_column("task")
    table.add_column("state")
    table.add_column("time", justify="right")
    for task in tasks:
        state = task["state"] or "waiting"
        style = STYLES.get(state, "bright_black")
        table.add_row(task["task_id"], f"[{style}]{state}[/]", _seconds(task))
    return table


def _seconds(task: dict[str, Any]) -> str:
    if not task["start_date"]:
        return ""
    end = datetime.fromisoformat(task["end_date"]) if task["end_date"] else datetime.now(UTC)
    return f"{(end - datetime.fromisoformat(task['start_date'])).total_seconds():.1f} s"
