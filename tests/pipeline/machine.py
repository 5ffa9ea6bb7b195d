"""A laptop of its own for the pipeline tests: other ports and another state folder than `make run` uses."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from sagemaker_requests import eventually

from airflow_services import UNHURRIED, state_in
from laptop import airflow
from laptop.progress import FINISHED
from laptop.settings import Settings

ROOT = Path(__file__).parents[2]


def until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 900) -> Any:
    """What `look` returns once it is good; the server has better to do than to be asked all the time."""
    return eventually(look, good, seconds, every=2)


@dataclass(frozen=True)
class Laptop:
    """`python -m laptop` with its own state; `settings` knows the addresses."""

    settings: Settings
    state: Path

    def command(self, *arguments: str, timeout: int = 1500) -> subprocess.CompletedProcess[str]:
        """Run a command as the make targets do; both outputs are captured."""
        environment = {**os.environ, "SILVERLINE_STATE": str(self.state), "PYTHONPATH": ""}
        return subprocess.run(
            [sys.executable, "-m", "laptop", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=ROOT,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`make run` on these ports, up to March: a month to train, one to validate, one to test."""
        ports = [f"--aws-port={self.settings.aws_port}", f"--airflow-port={self.settings.airflow_port}"]
        return self.command("run", "--as-of", "2013-03", *ports, *arguments)

    def start(self, **changed: str) -> "Airflow":
        """Bring up what `make run` does, and run nothing, where a run has been before; Airflow's environment has
        `changed` in it."""
        (self.state / "ports.json").write_text(json.dumps(asdict(self.settings)))
        answered = self.command("invoke")
        assert answered.returncode == 0, answered.stderr
        with self.entered():
            airflow.start(self.settings.environment() | UNHURRIED | changed)
        return self.airflow()

    def dags(self, *replaced: tuple[str, str, str]) -> str:
        """A copy of dags/ for its Airflow, in whose files (by name, what stands there, and what is to) is replaced."""
        folder = self.state / "dags"
        shutil.copytree(ROOT / "dags", folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name, old, new in replaced:
            text = (folder / name).read_text()
            assert old in text, f"{name} has no {old!r} any more"
            (folder / name).write_text(text.replace(old, new))
        return str(folder)

    def airflow(self) -> "Airflow":
        """Its Airflow, which is up."""
        with self.entered():
            api = Airflow(self.settings)
            api.wait_until_ready()
            api.wait_for_dag("flight_delay_batch")
        return api

    def training(self) -> tuple[str, psutil.Process]:
        """The name and the process of the training job that is in progress, once there is one."""
        record = json.loads((self.state / "services" / "local-aws.json").read_text())

        def look() -> tuple[str, psutil.Process] | None:
            running = boto3.client("sagemaker").list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
            for process in psutil.Process(record["pid"]).children(recursive=True) if running else []:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "train.py" in process.cmdline():
                        return running[0]["TrainingJobName"], process
            return None

        found: tuple[str, psutil.Process] = eventually(look, bool, 600, every=0.2)
        return found

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """`laptop`, in this process, is about this machine, and so is every AWS client."""
        with pytest.MonkeyPatch.context() as patch, state_in(self.state):
            for name, value in self.settings.aws_environment().items():
                patch.setenv(name, value)
            yield


class Airflow(airflow.Api):
    """Airflow's API, with what only tests ask for."""

    def start_run(self, **conf: Any) -> str:
        """A run of flight_delay up to March; its id."""
        return str(self.trigger("flight_delay", {"as_of": "2013-03"} | conf)["dag_run_id"])

    def states(self, run_id: str) -> dict[str, str | None]:
        """Of each task of a run of flight_delay its state, and under "run" the run's."""
        run = self.run("flight_delay", run_id)["state"]
        return {task["task_id"]: task["state"] for task in self.task_instances("flight_delay", run_id)} | {"run": run}

    def until(
        self, run_id: str, reached: Callable[[Mapping[str, str | None]], bool], seconds: float = 900
    ) -> dict[str, str | None]:
        """The same once they are so; AssertionError where that takes too long."""
        states: dict[str, str | None] = until(lambda: self.states(run_id), reached, seconds)
        return states

    def ended(self, run_id: str) -> dict[str, str | None]:
        """The same once the run has ended."""
        return self.until(run_id, lambda states: states["run"] in FINISHED)

    def clear(self, run_id: str, task_id: str, downstream: bool = False) -> None:
        """Have a task of a run of flight_delay run again, and all after it where that is said."""
        tasks = {"task_ids": [task_id], "include_downstream": downstream, "only_failed": False, "dry_run": False}
        self.change("POST", "/dags/flight_delay/clearTaskInstances", dag_run_id=run_id, **tasks)

    def batch_report(self, number: int) -> dict[str, Any]:
        """What the batch DAG's run of that number reported, once it has ended."""
        runs: list[dict[str, Any]] = until(
            lambda: self._get("/dags/flight_delay_batch/dagRuns", order_by="run_after")["dag_runs"],
            lambda seen: len(seen) > number and seen[number]["state"] in FINISHED,
        )
        assert runs[number]["state"] == "success"
        return dict(self.xcom("flight_delay_batch", runs[number]["dag_run_id"], "report"))

    def change(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Airflow's answer to a change."""
        url = f"{self._url}/api/v2{path}"
        answer = self._session.request(method, url, json=body, timeout=airflow.ANSWER_SECONDS)
        if answer.status_code == 500:  # SQLite stayed locked, and what was begun is undone
            answer = self._session.request(method, url, json=body, timeout=airflow.ANSWER_SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())
