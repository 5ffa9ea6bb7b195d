"""The register group in a DAG of its own, and something that follows it, as a deployment does.

Airflow reads this file as a DAG file; the tests import it."""

from typing import Any

from airflow.sdk import DAG, get_current_context, task
from small_model import SILVER_RUNS

from flight_delay import spec
from silverline.groups.register import register

with DAG("tracked", schedule=None, params={"plan": {}, "gate": {}}, default_args={"retries": 0}) as dag:

    @task
    def plan() -> dict[str, Any]:
        return dict(get_current_context()["params"]["plan"])

    @task
    def split() -> dict[str, Any]:
        return {"silver_runs": SILVER_RUNS}  # the package is the one that the other tests register

    @task
    def gate() -> dict[str, Any]:
        return dict(get_current_context()["params"]["gate"])

    @task
    def deploy(package: str) -> str:
        return package

    deploy(register(spec, plan(), split(), gate()))
