"""`make backfill`: which months it runs, in which order, and where it stops; Airflow is a fake that keeps its runs."""

from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from laptop import backfill, progress
from laptop.airflow import Api
from laptop.services import ServiceError
from laptop.settings import Settings
from laptop.starting import Started

MEASURED = {"roc_auc": {"value": 0.75}}
REPORT = {
    "decision": "promote",
    "metrics": {"challenger": MEASURED, "champion": MEASURED},
    "model_package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/group/4",
    "smoke_test": None,
}


class Airflow:
    """What the command asks of Airflow's API; a run ends at once, well unless its month is among `failing`."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.failing: set[str] = set()
        self.ran: list[str] = []
        self.before = 0

    def unfinished_runs(self, dag_id: str) -> list[dict[str, Any]]:
        self.before -= 1
        return [{}] if self.before >= 0 else []

    def close_backfills(self, dag_id: str) -> None: ...

    def backfill(self, dag_id: str, month: str) -> None:
        self.ran.append(month)
        self.runs[month] = "failed" if month in self.failing else "success"

    def run_of(self, dag_id: str, month: str) -> dict[str, Any] | None:
        dates = {"start_date": "2026-11-29T12:00:00Z", "end_date": "2026-11-29T12:00:48Z"}
        return {"dag_run_id": month, "state": self.runs[month], **dates} if month in self.runs else None

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        return REPORT

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return []


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    monkeypatch.setattr(backfill, "_require_files", lambda *arguments: None)
    monkeypatch.setattr(progress, "pause", lambda: None)
    return Airflow()


def run(airflow: Airflow, first: str, last: str, again: bool = False) -> tuple[int, str]:
    """What the command returns, and what it shows."""
    console = Console(record=True, width=200)
    platform: Any = None
    started = Started(Settings(1, 2), airflow, platform)  # type: ignore[arg-type]
    status = backfill.backfill(started, "flight_delay", backfill.wanted(first, last), again, console)
    return status, console.export_text()


def test_months_are_run_one_after_the_other_the_oldest_first(airflow: Airflow) -> None:
    status, shown = run(airflow, "2012-12", "2013-02")
    assert status == 0 and airflow.ran == ["2012-12", "2013-01", "2013-02"]
    assert "2013-01  promote  ROC-AUC 0.7500, champion's 0.7500  version 4, not deployed  48 s" in shown


def test_months_that_are_done_are_run_again_only_when_asked(airflow: Airflow) -> None:
    airflow.runs = {"2013-03": "success", "2013-04": "failed"}
    assert "2013-03  done before" in run(airflow, "2013-03", "2013-05")[1]
    assert airflow.ran == ["2013-04", "2013-05"]
    airflow.ran.clear()
    run(airflow, "2013-03", "2013-04", again=True)
    assert airflow.ran == ["2013-03", "2013-04"]


def test_it_stops_at_the_first_month_that_fails_and_goes_on_from_there(airflow: Airflow) -> None:
    airflow.failing = {"2013-04"}
    status, shown = run(airflow, "2013-03", "2013-05")
    assert status == 1 and airflow.ran == ["2013-03", "2013-04"] and "2013-04  failed" in shown
    airflow.failing.clear()
    assert run(airflow, "2013-03", "2013-05")[0] == 0 and airflow.ran[2:] == ["2013-04", "2013-05"]


def test_it_waits_for_a_run_that_goes_on(airflow: Airflow) -> None:
    airflow.before = 3
    assert "waiting: another run of flight_delay must end first" in run(airflow, "2013-03", "2013-03")[1]
    assert airflow.before < 0 and airflow.ran == ["2013-03"]


class Answers:
    """A session with Airflow whose answers to POST come from a list; a run is there after a good one."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.run, self.closed = list(statuses), False, 0
        self.trust_env, self.headers = True, {}

    def mount(self, prefix: str, adapter: Any) -> None: ...

    def post(self, url: str, json: Any, timeout: int) -> Any:
        status = self.statuses.pop(0)
        self.run = status == 200
        return SimpleNamespace(ok=status == 200, status_code=status, text=f"answer {status}")

    def get(self, url: str, params: Any, timeout: int) -> Any:
        runs = [{"dag_run_id": "backfill__2013-03", "state": "queued"}] if self.run else []
        open_ones = [{"id": 7, "completed_at": None}]
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: {"dag_runs": runs, "backfills": open_ones})

    def patch(self, url: str, json: Any, timeout: int) -> Any:
        assert url.endswith("/dags/flight_delay") and json == {"is_paused": False}
        return SimpleNamespace(raise_for_status=lambda: None)

    def put(self, url: str, timeout: int) -> Any:
        assert url.endswith("/backfills/7/cancel")
        self.closed += 1
        return SimpleNamespace(status_code=200, raise_for_status=lambda: None)


def api(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> tuple[Api, Answers]:
    answers = Answers(*statuses)
    monkeypatch.setattr("laptop.airflow.requests.Session", lambda: answers)
    monkeypatch.setattr("laptop.airflow.time.sleep", lambda seconds: None)
    return Api(Settings(1, 2)), answers


def test_a_backfill_that_airflow_made_by_half_is_closed_and_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow, answers = api(monkeypatch, 500, 500, 200)
    assert airflow.backfill("flight_delay", "2013-03")["dag_run_id"] == "backfill__2013-03"
    assert answers.closed == 2


def test_a_backfill_that_airflow_refuses_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow, answers = api(monkeypatch, 422)
    with pytest.raises(ServiceError, match="no backfill of flight_delay for 2013-03: answer 422"):
        airflow.backfill("flight_delay", "2013-03")
    assert answers.closed == 0
