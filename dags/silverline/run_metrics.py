"""What there is to say of a run that is over: of its steps, rows, model, gate, canary and cost."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from silverline import costs, jobs
from silverline.metrics import Event
from silverline.spec import Spec

DECISIONS = {"promote": "ModelsPromoted", "hold": "ModelsHeld", "reject": "ModelsRejected"}
ROWS = {"rows_in": "RowsIn", "rows_out": "RowsOut", "rows_quarantined": "RowsQuarantined"}
ROLL_OUT = ("deploy.roll_out", "deploy.smoke_test")

Task = Mapping[str, Any]
"""task_id, map_index, state, operator and duration, in seconds, of a task that has ended."""
Pull = Callable[[str], Any]
"""What a task of the run has returned, by its id."""


def events(dag_id: str, tasks: Sequence[Task], seconds: float, verdict: str, pull: Pull) -> Iterator[Event]:
    """All that the tasks of a run say; `verdict` is the state of the task that judges it."""
    yield from _tasks(dag_id, tasks)
    well = verdict == "success"
    yield Event(
        "run",
        {"RunsSucceeded": float(well), "RunsFailed": float(not well), "RunSeconds": seconds},
        ({}, {"Dag": dag_id}),
        {"failed_tasks": [task["task_id"] for task in tasks if task["state"] in ("failed", "upstream_failed")]},
    )
    ended_well = {task["task_id"] for task in tasks if task["state"] == "success"}

    def returned(task_id: str) -> Any:  # of a try before the last one there may be something left
        return pull(task_id) if task_id in ended_well else None

    if counts := returned("silver.count_rows"):
        yield Event("rows", {name: float(sum(row[column] for row in counts)) for column, name in ROWS.items()})
    if (reported := returned("report")) and "summary" in reported:
        rows = sum(month["row_count"] for month in reported["summary"])
        yield Event("batch", {"RowsScored": float(rows)}, facts={"months": reported["months"]})
    yield from _model(returned("evaluate.gate"), returned("train.train"), returned("register.register"))
    yield from _roll_out({task["task_id"]: task["state"] for task in tasks})


def cost(spec: Spec, started: Sequence[jobs.Started], queries: int, scanned_bytes: float) -> Iterator[Event]:
    """Every job that the run has started, and what all of it has cost; no such metric where a price is not known."""
    for job in started:
        yield Event(
            "job",
            facts={"kind": job.kind.member, "job": job.name, "status": job.status, "seconds": round(job.seconds, 1)},
        )
    facts = {"scanned_bytes": scanned_bytes, "queries": queries, "prices_of": costs.prices()["as_of"]}
    try:
        yield Event("cost", {"EstimatedCost": costs.estimate(spec, started, queries, scanned_bytes)}, facts=facts)
    except costs.UnknownPrice as unknown:
        yield Event("cost", facts=facts | {"unknown": str(unknown)})


def _tasks(dag_id: str, tasks: Iterable[Task]) -> Iterator[Event]:
    steps: dict[str, float] = {}
    for task in tasks:
        yield Event("task", facts={"task": task["task_id"], "state": task["state"], "seconds": task["duration"]})
        if task["duration"] is not None:
            step = task["task_id"].partition(".")[0]
            steps[step] = steps.get(step, 0.0) + max(0.0, task["duration"])  # below 0 where the clock was set back
    for step, seconds in steps.items():
        yield Event("step", {"StepSeconds": seconds}, ({"Dag": dag_id, "Step": step},))


def _model(gated: Any, training: Any, package: str | None) -> Iterator[Event]:
    if not gated:
        return
    decided = {name: float(decision == gated["decision"]) for decision, name in DECISIONS.items()}
    yield Event("gate", decided, facts={"decision": gated["decision"], "reasons": gated["reasons"]})
    if package and training:
        final = training["Training"].get("FinalMetricDataList", [])
        values = {metric["MetricName"]: float(metric["Value"]) for metric in final}
        # Of the test split what the evaluation says, which is what the gate has seen.
        values |= {f"test:{name}": float(found["value"]) for name, found in gated["metrics"]["challenger"].items()}
        version = {"ModelVersion": package.rpartition("/")[2]}
        yield Event("model", values, ({}, version), {"model_package": package})


def _roll_out(states: Mapping[str, str]) -> Iterator[Event]:
    failed = any(states.get(task_id) == "failed" for task_id in ROLL_OUT)
    if failed or states.get("deploy.smoke_test") == "success":
        yield Event("roll-out", {"RollOutsSucceeded": float(not failed), "RollOutsFailed": float(failed)})
