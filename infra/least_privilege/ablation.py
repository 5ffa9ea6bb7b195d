"""Takes one action at a time from a role and runs the pipeline: an action whose removal breaks nothing is too many."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from laptop.airflow import Api
from laptop.settings import write_privately
from least_privilege import calls, reading, scenarios, traces
from least_privilege.grants import DOCUMENTED, READER, Grant, policies, replace, resources, without
from least_privilege.left_jobs import end_left_jobs
from least_privilege.scenarios import FIRST_RUN, LATER, SCENARIOS, Scenario

BROKEN = {"failed", "up_for_retry"}
RUN_SECONDS = 600
POLL_SECONDS = 0.3
UNREAD = re.compile(r"the log of \S+ can't be read")  # job_logs.py
REFUSAL = re.compile(r"not authorized|access ?denied|could not|permission|fail|error", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """What became of a run without an action, which was granted `on` these resources: what `broken` is the task that
    failed and what it said, or, where the run ended well, the first of its `TRACES` that it didn't leave and the calls
    that were refused."""

    role: str
    action: str
    scenario: str
    broken: str | None
    message: str
    on: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether anything broke without the action, or would on AWS."""
        return self.broken is not None or (self.role, self.action) in DOCUMENTED


class Ablation:
    """Runs of one pipeline on a platform of local AWS that records calls; Airflow and the platform are up."""

    def __init__(
        self, api: Api, iam: Any, document: Mapping[str, Any], role_names: Mapping[str, str], dag_id: str, record: Path
    ) -> None:
        self._api = api
        self._iam = iam
        self._document = document
        self._role_names = role_names
        self._dag_id = dag_id
        self._record = record

    def baseline(self, conf: Mapping[str, Any]) -> dict[str, list[str]]:
        """The names of the scenarios in which each role's actions are called, by "role action".

        RuntimeError where a run breaks with everything granted, or doesn't call what it is there for.
        """
        used: dict[str, list[str]] = {}
        self.run_whole(conf)
        for scenario in SCENARIOS:
            offset = self._record.stat().st_size
            self._run_well(scenario, conf)
            for call in calls.read(self._record, self._role_names, offset):
                names = used.setdefault(f"{call.role} {call.action}", [])
                if scenario.name not in names:
                    names.append(scenario.name)
        for (role, action), name in LATER.items():
            if name not in used.get(f"{role} {action}", []):
                raise RuntimeError(f"{name}: {role} did not call {action}, as least_privilege/scenarios.py says")
        return used

    def run_whole(self, conf: Mapping[str, Any]) -> None:
        """Run once with everything granted, so that all that a scenario begins with is there."""
        self._run_well(FIRST_RUN, conf)

    def without(self, role: str, action: str, scenario: Scenario, conf: Mapping[str, Any]) -> Outcome:
        """What a run from `scenario` comes to when `role` may not do `action`."""
        offset = self._record.stat().st_size
        with removed(self._iam, self._role_names[role], action):
            broken = self._run(scenario, conf)
        seen = calls.read(self._record, self._role_names, offset)
        refused = sorted({f"{call.action} on {call.resource}" for call in seen if not call.allowed})
        what, message = broken or (None, "")
        return Outcome(role, action, scenario.name, what, message or f"refused: {', '.join(refused) or 'nothing'}")

    def _run_well(self, scenario: Scenario, conf: Mapping[str, Any]) -> None:
        if broken := self._run(scenario, conf):
            what, message = broken
            raise RuntimeError(f"{scenario.name}: {what} broke with every action granted: {message or 'not there'}")

    def _run(self, scenario: Scenario, conf: Mapping[str, Any]) -> tuple[str, str] | None:
        """The first task that broke and its message, or what a run that ended well didn't leave; None where nothing
        broke. The run is over in each case."""
        end_left_jobs(self._dag_id)
        scenario.prepare(self._document, self._dag_id)
        batch = f"{self._dag_id}_batch"
        if scenario.is_batch:
            return self._run_dag(batch, {}, traces.BATCH)
        with self._api.paused(batch):  # or new features would start one
            return self._run_dag(self._dag_id, {**conf, **scenario.conf}, traces.PIPELINE)

    def _run_dag(self, dag_id: str, conf: Mapping[str, Any], left: traces.Traces) -> tuple[str, str] | None:
        began = datetime.now(UTC)
        run_id = self._api.trigger(dag_id, dict(conf))["dag_run_id"]
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            for task in self._api.task_instances(dag_id, run_id):
                if task["state"] in BROKEN:
                    lines = self._api.log_lines(dag_id, run_id, task["task_id"], task["try_number"])
                    message = scenarios.failure_reason(self._dag_id, began) or _message(lines)
                    self._end(dag_id)
                    return task["task_id"], message
            if self._api.run(dag_id, run_id)["state"] == "success":
                missing = traces.first_missing(self._dag_id, began, left) or self._unread_log(dag_id, run_id)
                return (missing, "") if missing else None
            time.sleep(POLL_SECONDS)
        self._end(dag_id)
        raise RuntimeError(f"{run_id} of {dag_id} has not ended within {RUN_SECONDS} s")

    def _unread_log(self, dag_id: str, run_id: str) -> str | None:
        """`JOB_LOG` where a task of the run says that it could not read its job's log."""
        for task in [task for task in self._api.task_instances(dag_id, run_id) if task["state"] == "success"]:
            lines = self._api.log_lines(dag_id, run_id, task["task_id"], task["try_number"])
            if any(UNREAD.search(line) for line in lines):
                return traces.JOB_LOG
        return None

    def _end(self, dag_id: str) -> None:
        self._api.fail_unfinished_runs(dag_id)
        while self._api.unfinished_runs(dag_id):
            time.sleep(POLL_SECONDS)


def without_reading(iam: Any, role_name: str, action: str, document: Mapping[str, Any]) -> Outcome:
    """What people who look can no longer find out when the read-only role may not do `action`."""
    with removed(iam, role_name, action):
        failed = reading.first_failure(document)
    question, message = failed or (None, "")
    return Outcome(READER, action, "people look", question, message)


@contextmanager
def removed(iam: Any, role_name: str, action: str) -> Iterator[None]:
    """Take the action from the role's policies, and give it back at the end."""
    before = policies(iam, role_name)
    rests = {name: without(document, action) for name, document in before.items()}
    changed = [name for name, rest in rests.items() if rest != before[name]]
    try:
        for name in changed:
            replace(iam, role_name, name, rests[name])
        yield
    finally:
        for name in changed:
            replace(iam, role_name, name, before[name])


def in_order(granted: Iterable[tuple[str, str]], used: Mapping[str, Sequence[str]]) -> list[tuple[str, str, Scenario]]:
    """Each granted action with the scenario to try it in: the one that it waits for, or else the first of `SCENARIOS`
    in which it is called; one that no run called is tried in a first run. An action's removal leaves a scenario behind,
    so each has its turn once."""
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    names = {pair: LATER.get(pair) or used.get(" ".join(pair), [FIRST_RUN.name])[0] for pair in granted}
    planned = [(role, action, by_name[name]) for (role, action), name in names.items()]
    return sorted(planned, key=lambda plan: (-SCENARIOS.index(plan[2]), plan[0], plan[1]))


@dataclass
class Findings:
    """What was found so far: the scenarios in which each action is called, and what came of its removal; `removals` are
    the times, from and to, in which an action was missing on purpose."""

    used: dict[str, list[str]]
    outcomes: list[Outcome]
    removals: list[tuple[str, str | None]]

    def write(self, path: Path) -> None:
        """Keep it, whole or not at all."""
        write_privately(path, json.dumps(asdict(self), indent=1))

    @contextmanager
    def removing(self, path: Path) -> Iterator[None]:
        """Keep when the removal was; one that is killed goes on until the next begins, when the action is back."""
        begin = calls.now()
        self.removals = [(one, end or begin) for one, end in self.removals] + [(begin, None)]
        self.write(path)
        try:
            yield
        finally:
            self.removals[-1] = (begin, calls.now())
            self.write(path)


def kept(record: Path) -> Path:
    """Where the findings are kept that belong to a recording of calls."""
    return record.with_name(f"{record.stem}-ablation.json")


def read(path: Path, granted: Iterable[Grant]) -> Findings:
    """What was found before of what is granted as it was then; nothing where there is no file."""
    if not path.exists():
        return Findings({}, [], [])
    found: Any = json.loads(path.read_text())
    on = resources(granted)
    outcomes = [Outcome(**{**one, "on": tuple(one["on"])}) for one in found["outcomes"]]
    return Findings(
        found["used"],
        [one for one in outcomes if on.get((one.role, one.action)) == one.on],
        [(begin, end) for begin, end in found["removals"]],
    )


def _message(lines: Sequence[str]) -> str:
    telling = [line for line in lines if "not authorized" in line] or [line for line in lines if REFUSAL.search(line)]
    return (telling or list(lines) or ["it logged nothing"])[-1].strip()
