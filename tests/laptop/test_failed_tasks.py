"""What `make run` shows of the tasks that have failed."""

import io
from typing import Any

from rich.console import Console

from laptop import summary

CHECKS = [f"ok   2026-{number:02} churn: keys are unique" for number in range(1, 13)] * 4


class Answers:
    """Airflow's answers about a run whose audit failed, and with it the verdict."""

    _errors = {
        "silver.features.audit": ["AirflowFailException: not published,\n1 check fails"],
        "verdict": ["Consequence: see the tasks before: no report"],
    }

    def __init__(self, *failed: str) -> None:
        self._failed = failed

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        states = {"bronze.plan": "success"} | dict.fromkeys(self._failed, "failed")
        return [
            {"task_id": name, "state": state, "try_number": 1, "rendered_fields": {}} for name, state in states.items()
        ]

    def errors(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        return self._errors[task_id]

    def log_lines(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """What was printed comes by another way than what was raised, and may come after it."""
        return [line for error in self._errors[task_id] for line in error.splitlines()] + CHECKS


def said(*failed: str) -> list[str]:
    console = Console(record=True, width=200, file=io.StringIO())
    summary.print_failed_tasks(console, Answers(*failed), "churn", "run")  # type: ignore[arg-type]
    return console.export_text().strip().splitlines()


def test_what_was_raised_is_shown_however_much_was_printed_after_it() -> None:
    lines = said("silver.features.audit")
    assert lines[0] == "silver.features.audit failed (try 1); the end of its log:"
    assert lines[-2:] == ["  AirflowFailException: not published,", "  1 check fails"]


def test_a_consequence_is_shown_where_nothing_else_has_failed() -> None:
    assert not [line for line in said("silver.features.audit", "verdict") if "verdict" in line or "Consequence" in line]
    assert said("verdict")[0] == "verdict failed (try 1); the end of its log:"
