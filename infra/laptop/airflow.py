"""Starts Airflow's four services, and talks to its REST API."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from laptop import services
from laptop.settings import AIRFLOW_USER, STATE, Settings, airflow_secrets

AIRFLOW = [str(Path(sys.executable).parent / "airflow")]
PRELOADED = services.python("-m", "laptop.preloaded")
SERVICES = {
    "airflow-api-server": [*AIRFLOW, "api-server"],
    # Without the log servers, which would listen on every address: the API server reads the same folder.
    "airflow-scheduler": [*PRELOADED, "scheduler", "--skip-serve-logs"],
    "airflow-dag-processor": [*PRELOADED, "dag-processor"],
    "airflow-triggerer": [*AIRFLOW, "triggerer", "--skip-serve-logs"],
}
START_SECONDS = 180
BACKFILL_TRIES = 5
ANSWER_SECONDS = 120  # longer than SQLite is waited for (settings.py), whose lock Airflow tells of by a 500
# Where SQLite was locked by the scheduler: what is asked for by these methods is the same when asked twice.
AGAIN = Retry(
    connect=0,
    read=0,
    status=5,
    backoff_factor=0.2,
    status_forcelist=[500],
    allowed_methods=["GET", "PUT", "PATCH"],
    raise_on_status=False,
)


def start(environment: Mapping[str, str]) -> None:
    """Bring the metadata database up to date and start what isn't running."""
    if all(services.alive(name) for name in SERVICES):
        return
    migrate = subprocess.run(
        [*AIRFLOW, "db", "migrate"], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if migrate.returncode:
        raise services.ServiceError(
            f"Airflow's database could not be made ({STATE / 'airflow' / 'airflow.db'}); `make clean` starts afresh.\n"
            + "\n".join(migrate.stderr.splitlines()[-10:])
        )
    for name, command in SERVICES.items():
        services.start(name, command, environment)


def require_free_port(settings: Settings) -> None:
    """ServiceError where something else listens on the port that Airflow's server needs."""
    if not services.alive("airflow-api-server"):
        services.require_free_port(settings.airflow_port, "Airflow", "AIRFLOW_PORT")


class Api:
    """Airflow's REST API (https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html)."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.airflow_url
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(max_retries=AGAIN))
        self._session.trust_env = False  # a proxy has nothing to say to 127.0.0.1

    def wait_until_ready(self) -> None:
        """Return once all services report themselves healthy; ServiceError where one ends or none answers in time."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for name in SERVICES:
                services.check(name)
            try:
                health = self._session.get(f"{self._url}/api/v2/monitor/health", timeout=5)
                if health.ok and all(part["status"] == "healthy" for part in health.json().values()):
                    break
            except requests.RequestException:
                pass  # not listening yet: what the deadline is for
            time.sleep(0.3)
        else:
            raise services.ServiceError(
                f"Airflow was not ready within {START_SECONDS} s; see {services.RECORDS}/airflow-*.log"
            )
        login = self._session.post(
            f"{self._url}/auth/token",
            json={"username": AIRFLOW_USER, "password": airflow_secrets()["password"]},
            timeout=30,
        )
        login.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {login.json()['access_token']}"

    def wait_for_dag(self, dag_id: str) -> None:
        """Return once the DAG file has been parsed; ServiceError with the import error where it can't be."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            errors = self._get("/importErrors")["import_errors"]
            if errors:
                raise services.ServiceError("\n".join(f"{e['filename']}:\n{e['stack_trace']}" for e in errors))
            if any(dag["dag_id"] == dag_id for dag in self._get("/dags", dag_id_pattern=dag_id)["dags"]):
                return
            time.sleep(0.3)
        raise services.ServiceError(f"Airflow has not parsed the DAG {dag_id} within {START_SECONDS} s; see its logs")

    def params(self, dag_id: str) -> list[str]:
        """The names of the parameters that the DAG takes."""
        return sorted(self._get(f"/dags/{dag_id}/details")["params"])

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> dict[str, Any]:
        """Start a run with these params, of a DAG that was paused, too; ServiceError with Airflow's reason where it
        refuses them."""
        self.unpause(dag_id)
        return self._post(f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})

    def unpause(self, dag_id: str) -> None:
        """Let runs of the DAG start, also by what is news to it."""
        self._pause(dag_id, False)

    @contextmanager
    def paused(self, dag_id: str) -> Iterator[None]:
        """No run of the DAG starts, and no asset is news to it, until the end."""
        self._pause(dag_id, True)
        try:
            yield
        finally:
            self._pause(dag_id, False)

    def _pause(self, dag_id: str, is_paused: bool) -> None:
        url = f"{self._url}/api/v2/dags/{dag_id}"
        self._session.patch(url, json={"is_paused": is_paused}, timeout=ANSWER_SECONDS).raise_for_status()

    def announce(self, asset: str) -> None:
        """Tell Airflow that the asset is new, so that every DAG scheduled on it starts."""
        self._post("/assets/events", {"asset_id": self.asset_id(asset), "extra": {}})

    def asset_id(self, asset: str) -> int:
        """The number of the asset of that name; ServiceError where there is none."""
        found = [item for item in self._get("/assets", name_pattern=asset)["assets"] if item["name"] == asset]
        if not found:
            raise services.ServiceError(f"no DAG of dags/ is scheduled on the asset {asset}, or makes it")
        return int(found[0]["id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """The state of a DAG run."""
        return self._get(f"/dags/{dag_id}/dagRuns/{run_id}")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The newest runs of a DAG, the last one first."""
        return list(self._get(f"/dags/{dag_id}/dagRuns", order_by="-run_after", limit="50")["dag_runs"])

    def unfinished_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs that wait or go on."""
        path = f"/dags/{dag_id}/dagRuns"
        found = [run for state in ("queued", "running") for run in self._get(path, state=state)["dag_runs"]]
        return list({run["dag_run_id"]: run for run in found}.values())  # one may have changed state in between

    def fail_unfinished_runs(self, dag_id: str) -> int:
        """Mark every run that has not ended as failed; returns how many there were."""
        unfinished = self.unfinished_runs(dag_id)
        for run in unfinished:
            url = f"{self._url}/api/v2/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
            self._session.patch(url, json={"state": "failed"}, timeout=ANSWER_SECONDS).raise_for_status()
        return len(unfinished)

    def backfill(self, dag_id: str, month: str) -> dict[str, Any]:
        """The run that Airflow's backfill has made for the month, or has started again; ServiceError where it refuses.

        A month at a time: of several, SQLite has been seen to be locked after the first, for whose sake the others were
        not made. Hence also the tries.
        """
        self.unpause(dag_id)
        date = f"{month}-01T00:00:00Z"
        request = {"dag_id": dag_id, "from_date": date, "to_date": date, "max_active_runs": 1}
        for _ in range(BACKFILL_TRIES):
            response = self._session.post(
                f"{self._url}/api/v2/backfills",
                json=request | {"reprocess_behavior": "completed"},
                timeout=ANSWER_SECONDS,
            )
            run = self.run_of(dag_id, month)
            if run is not None and (response.ok or run["state"] in ("queued", "running")):
                return run
            if response.status_code < requests.codes.server_error:
                break
            self.close_backfills(dag_id)  # half made, it would be in the way of the next
            time.sleep(1)
        raise services.ServiceError(f"Airflow made no backfill of {dag_id} for {month}: {response.text}")

    def close_backfills(self, dag_id: str) -> None:
        """Let no run of a backfill start any more; by itself Airflow sees late that all are over."""
        found = self._get("/backfills", dag_id=dag_id, order_by="-id")["backfills"]
        for backfill in found:
            if backfill["completed_at"] is None:
                response = self._session.put(
                    f"{self._url}/api/v2/backfills/{backfill['id']}/cancel", timeout=ANSWER_SECONDS
                )
                if response.status_code != requests.codes.conflict:  # now it is
                    response.raise_for_status()

    def run_of(self, dag_id: str, month: str) -> dict[str, Any] | None:
        """The run of a backfill for the month; None where there is none."""
        date = f"{month}-01T00:00:00Z"
        found = self._get(f"/dags/{dag_id}/dagRuns", logical_date_gte=date, logical_date_lte=date)["dag_runs"]
        return dict(found[0]) if found else None

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a DAG run, in the order they started; those that wait come last."""
        found: list[dict[str, Any]] = self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return sorted(found, key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))

    def log_lines(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """What a try of a task logged, as plain lines."""
        lines = []
        for event in self._log(dag_id, run_id, task_id, try_number):
            if isinstance(event, str):
                lines.append(event)
                continue
            lines += [str(event.get("event", "")), *_errors(event)]
        return [line for text in lines for line in text.splitlines() if not line.startswith("::")]

    def errors(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """What was raised in a try of a task, each error before its cause."""
        events = self._log(dag_id, run_id, task_id, try_number)
        return [error for event in events if isinstance(event, dict) for error in _errors(event)]

    def _log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[Any]:
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        return list(self._get(path, full_content="true")["content"])

    def xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task returned, or one of those that it is mapped to."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._get(path, deserialize="true", map_index=str(map_index))["value"]

    def form(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """What a task that waits for a person asks, and what it was answered."""
        return self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails")

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        response = self._session.get(f"{self._url}/api/v2{path}", params=query, timeout=ANSWER_SECONDS)
        response.raise_for_status()
        return dict(response.json())

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._url}/api/v2{path}"
        response = self._session.post(url, json=body, timeout=ANSWER_SECONDS)
        if response.status_code == requests.codes.server_error:  # SQLite stayed locked, and what was begun is undone
            response = self._session.post(url, json=body, timeout=ANSWER_SECONDS)
        if not response.ok:
            raise services.ServiceError(f"Airflow refuses {path}: {response.text}")
        return dict(response.json())


def _errors(event: Mapping[str, Any]) -> list[str]:
    return [f"{error.get('exc_type')}: {error.get('exc_value')}" for error in event.get("error_detail") or []]
