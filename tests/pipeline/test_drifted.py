"""Traffic that has drifted away tells the pipeline to train again, once for each model: by the DAG `monitoring`."""

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

import airflow_runs
from silverline import health, traffic
from silverline.health import Finding
from silverline.platform import Platform

pytestmark = [pytest.mark.timeout(300), pytest.mark.long(40)]
PLATFORM = {field.name: "" for field in fields(Platform)} | {
    "environment": "drifted",
    "gold_bucket": "drifted-gold",
    "log_group": "/silverline/drifted/pipelines",
    "model_package_groups": {"flight_delay": "flight-delay"},
}


class World:
    """What the checks see: a version that is served, and whether its traffic has drifted."""

    version, is_well = "1", True

    def look(self, check: str) -> Any:
        return lambda look: Finding(check, self.is_well or check != "traffic", f"of version {self.version}")

    def served(self, *_: Any) -> traffic.Served:
        return traffic.Served(self.version, "", "", [], datetime.now(UTC))


@pytest.fixture(scope="module")
def monitoring(local_aws: object) -> Iterator[Any]:
    """The DAG, on the tests' local AWS."""
    boto3.client("s3").create_bucket(Bucket=PLATFORM["gold_bucket"])
    boto3.client("logs").create_log_group(logGroupName=PLATFORM["log_group"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_VAR_PLATFORM", json.dumps(PLATFORM))
        airflow_runs.prepare(Path(__file__).parents[2] / "dags" / "monitoring.py", patch)
        from monitoring import dag

        yield dag


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    checks = {check: found.look(check) for check in health.CHECKS}
    monkeypatch.setattr(health, "CHECKS", checks)
    monkeypatch.setattr(traffic, "served", found.served)
    return found


def events(dag: Any) -> list[tuple[str, str]]:
    """Which assets have been told of, and of which version."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        return [
            (event.asset.name, event.extra["version"]) for event in session.query(AssetEvent).order_by(AssetEvent.id)
        ]


def test_the_pipeline_is_told_once_for_each_model(monitoring: Any, world: World) -> None:
    told = []
    for version, is_well in (("1", True), ("1", False), ("1", False), ("2", True), ("2", False)):
        world.version, world.is_well = version, is_well
        told.append(airflow_runs.run(monitoring)["check.retrain"])
    assert told == ["skipped", "success", "skipped", "skipped", "success"]
    assert events(monitoring) == [("flight_delay.drift", "1"), ("flight_delay.drift", "2")]
