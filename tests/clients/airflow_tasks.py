"""Runs an Airflow task as worker and triggerer do, without a scheduler."""

import asyncio
import functools
from collections.abc import Mapping
from typing import Any

import pytest
from airflow.exceptions import AirflowException, TaskDeferred
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR
from airflow.sdk.module_loading import import_string

MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["waiting", "deferred"])


class TaskInstance:
    """As much of a running task as operators ask for: `xcoms` are what other tasks have returned, `pushed` what they
    have pushed under a key; `links` what this one has pushed, those shown in Airflow's UI among them."""

    def __init__(self, xcoms: Mapping[str, Any] = {}, pushed: Mapping[tuple[str, str], Any] = {}) -> None:
        self.xcoms = xcoms
        self.pushed = pushed
        self.links: dict[str, Any] = {}
        self.try_number, self.max_tries = 1, 0

    def xcom_push(self, key: str, value: Any) -> None:
        self.links[key] = value

    def xcom_pull(self, task_id: str, key: str = "return_value") -> Any:
        if key == "return_value":
            return self.xcoms.get(task_id)
        return self.pushed.get((task_id, key), self.links.get(key))


def run(task: Any, instance: TaskInstance | None = None) -> Any:
    """What the task returns. Whenever it defers itself it goes on where its trigger's event says, as in Airflow: the
    trigger is made anew from what it serializes to, and runs in an event loop."""
    context = {"ti": instance or TaskInstance(), "task": task}
    go_on = functools.partial(task.execute, context)
    while True:
        try:
            return go_on()
        except TaskDeferred as deferred:
            path, arguments = deferred.trigger.serialize()
            try:
                event = asyncio.run(first_event(import_string(path)(**arguments)))
                method, more = deferred.method_name, {**(deferred.kwargs or {}), "event": event}
            except AirflowException as failure:  # whose text Airflow writes into the task's log
                method, more = TRIGGER_FAIL_REPR, {"error": str(failure)}
            go_on = functools.partial(task.resume_execution, method, more, context)


async def first_event(trigger: Any) -> Any:
    """The payload with which a trigger wakes its task."""
    async for event in trigger.run():
        return event.payload
    raise AssertionError(f"{trigger} ended without an event")
