"""Runs an Airflow task as worker and triggerer do, without a scheduler."""

import asyncio
from typing import Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["waiting", "deferred"])


class TaskInstance:
    """As much of a running task as the provider's operators ask for; `links` are those shown in Airflow's UI."""

    def __init__(self) -> None:
        self.links: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.links[key] = value


def run(task: Any) -> Any:
    """What the task returns. One that defers itself goes on where its trigger's event says, as in Airflow: the trigger
    is made anew from what it serializes to, and runs in an event loop."""
    context = {"ti": TaskInstance(), "task": task}
    try:
        return task.execute(context)
    except TaskDeferred as deferred:
        path, arguments = deferred.trigger.serialize()
        event = asyncio.run(first_event(import_string(path)(**arguments)))
        return task.resume_execution(deferred.method_name, {**(deferred.kwargs or {}), "event": event}, context)


async def first_event(trigger: Any) -> Any:
    """The payload with which a trigger wakes its task."""
    async for event in trigger.run():
        return event.payload
    raise AssertionError(f"{trigger} ended without an event")
