"""What `make run` says at its end of the MLflow that it told, or could not."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from laptop import summary


class Answers:
    """Airflow's answers about a run whose task register.track ended in a state."""

    def __init__(self, state: str, errors: Sequence[str] = ()) -> None:
        self.state, self._errors = state, errors

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return [{"task_id": name, "state": state, "try_number": 2} for name, state in self.states().items()]

    def states(self) -> dict[str, str]:
        return {"register.register": "success", "register.track": self.state}

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        return {"experiment": "flight_delay-local", "run_id": "0123abcd"}

    def errors(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        return list(self._errors)


def said(answers: Answers) -> str:
    console = Console(record=True, width=200, file=io.StringIO())
    summary.print_tracking(console, answers, "flight_delay", "run")  # type: ignore[arg-type]
    return console.export_text()


def test_where_it_was_told_it_says_where_to_look() -> None:
    assert said(Answers("success")).split() == ["MLflow", "flight_delay-local,", "run", "0123abcd"]


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            ["MlflowException: http://127.0.0.1:1 failed", "OSError: no route"],
            "MlflowException: http://127.0.0.1:1 failed",
        ),
        ([], "see the log of register.track"),
    ],
)
def test_where_it_was_not_it_says_why(errors: list[str], reason: str) -> None:
    lines = said(Answers("failed", errors)).strip().splitlines()
    assert lines == ["Not tracked in MLflow, all else is as it would be with it:", reason]


def test_where_there_is_none_it_says_nothing() -> None:
    assert said(Answers("skipped")) == ""
