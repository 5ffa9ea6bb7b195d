"""What is said of a run that is over, and the lines of JSON that it is said in."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

import boto3
import pytest
from moto import mock_aws
from test_health import every_finding
from test_on_moto import PLATFORM

import airport_weather
from flight_delay import dag, spec
from flight_delay_batch import spec as batch_spec
from laptop import dashboard
from silverline import costs, health_report, jobs, metrics, run_metrics
from silverline.metrics import Event

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/test-flight-delay/7"
RETURNED = {
    "silver.count_rows": [
        {"month": "2013-01", "rows_in": 10, "rows_out": 8, "rows_quarantined": 2},
        {"month": "2013-02", "rows_in": 5, "rows_out": 5, "rows_quarantined": 0},
    ],
    "evaluate.gate": {
        "decision": "hold",
        "reasons": ["worse than the champion"],
        "metrics": {"challenger": {"roc_auc": {"value": 0.75, "low": 0.7, "high": 0.8}}},
    },
    "train.train": {
        "Training": {
            "FinalMetricDataList": [
                {"MetricName": "train:roc_auc", "Value": 0.8},
                {"MetricName": "validation:roc_auc", "Value": 0.77},
                {"MetricName": "test:roc_auc", "Value": 0.74},
            ]
        }
    },
    "register.register": PACKAGE,
}


def tasks(**states: str) -> list[dict[str, Any]]:
    ids = [*RETURNED, "deploy.roll_out", "deploy.smoke_test", "report"]
    found = {task_id: states.get(task_id.replace(".", "_"), "success") for task_id in ids}
    return [{"task_id": name, "state": state, "duration": 2.0} for name, state in found.items()]


def said(verdict: str = "success", **states: str) -> dict[str, list[Event]]:
    """The events of a run whose tasks were all well, but for those of `states`, by what they tell of."""
    found: dict[str, list[Event]] = {}
    for event in run_metrics.events("flight_delay", tasks(**states), 60.0, verdict, RETURNED.get):
        found.setdefault(event.what, []).append(event)
    return found


def test_a_run_says_whether_it_was_well_and_how_long_its_steps_took() -> None:
    found = said()
    assert found["run"][0].values == {"RunsSucceeded": 1.0, "RunsFailed": 0.0, "RunSeconds": 60.0}
    assert {event.further[0]["Step"]: event.values["StepSeconds"] for event in found["step"]} == {
        **{"silver": 2.0, "evaluate": 2.0, "train": 2.0, "register": 2.0},
        **{"deploy": 4.0, "report": 2.0},
    }


def test_rows_are_those_of_all_months() -> None:
    (rows,) = said()["rows"]
    assert rows.values == {"RowsIn": 15.0, "RowsOut": 13.0, "RowsQuarantined": 2.0}


def test_a_models_metrics_are_told_by_its_version_and_those_of_the_test_split_as_the_gate_has_seen_them() -> None:
    (model,) = said()["model"]
    assert model.values == {"train:roc_auc": 0.8, "validation:roc_auc": 0.77, "test:roc_auc": 0.75}
    assert model.further == ({}, {"ModelVersion": "7"})


def test_of_the_gates_decisions_the_one_counts() -> None:
    (gate,) = said()["gate"]
    assert gate.values == {"ModelsPromoted": 0.0, "ModelsHeld": 1.0, "ModelsRejected": 0.0}


@pytest.mark.parametrize(
    ("states", "passed"),
    [
        ({}, True),
        ({"deploy_roll_out": "failed", "deploy_smoke_test": "upstream_failed"}, False),
        ({"deploy_smoke_test": "failed"}, False),
        ({"deploy_roll_out": "skipped", "deploy_smoke_test": "skipped"}, None),
    ],
)
def test_a_roll_out_is_told_of_where_there_was_one(states: dict[str, str], passed: bool | None) -> None:
    found = said(**states).get("roll-out", [])
    assert [event.values["RollOutsSucceeded"] == 1.0 for event in found] == [passed] * (passed is not None)


def test_what_a_task_returned_before_it_was_cleared_and_failed_is_not_told() -> None:
    found = said("failed", evaluate_gate="failed", train_train="upstream_failed")
    assert found["run"][0].values["RunsFailed"] == 1.0
    assert found["run"][0].facts["failed_tasks"] == ["evaluate.gate", "train.train"]
    assert "gate" not in found and "model" not in found


JOBS = [
    jobs.Started(jobs.TRAINING, "flight-delay-a-1", "Completed", 1800.0),
    jobs.Started(jobs.PROCESSING, "flight-delay-a-1", "Failed", 1800.0),
    jobs.Started(jobs.TUNING, "flight-delay-b-1", "Completed", 99999.0),
]


def test_a_run_costs_its_jobs_time_and_what_athena_scanned() -> None:
    hour = costs.hourly("ml.m5.xlarge")
    assert costs.estimate(spec, JOBS, 3, 2 * costs.TERABYTE) == pytest.approx(hour + 2 * 5.0)


def test_a_query_costs_ten_megabytes_at_the_least() -> None:
    assert costs.estimate(batch_spec, [], 100_000, 5.0) == pytest.approx(5.0)


def test_where_a_price_is_not_known_no_cost_is_told_and_it_is_said_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "prices", lambda: {"as_of": "2026-11", "instance_hour": {}, "athena_terabyte": 5.0})
    *_, cost = run_metrics.cost(spec, JOBS, 1, 1.0)
    assert cost.values == {}
    assert cost.facts["unknown"] == "no price is known of ml.m5.xlarge: add it to dags/silverline/prices.json"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("logs").create_log_group(logGroupName=PLATFORM.log_group)
        yield


def test_events_are_lines_of_json_that_say_of_which_run_they_are(aws: None) -> None:
    event = Event("model", {"test:roc_auc": 0.75}, ({}, {"ModelVersion": "7"}), {"model_package": PACKAGE})
    for _ in range(2):  # a second try writes beside the first
        metrics.write(PLATFORM, "flight_delay", "flight_delay/slug", {"run": "manual__1"}, [event])
    found = boto3.client("logs").filter_log_events(logGroupName=PLATFORM.log_group)["events"]
    assert [event["logStreamName"] for event in found] == ["flight_delay/slug"] * 2
    written = json.loads(found[0]["message"])
    meta = written.pop("_aws")
    assert written == {
        **{"run": "manual__1", "event": "model", "model_package": PACKAGE, "test:roc_auc": 0.75},
        **{"Environment": "test", "Pipeline": "flight_delay", "ModelVersion": "7"},
    }
    assert meta["CloudWatchMetrics"] == [
        {
            "Namespace": "Silverline",
            "Dimensions": [["Environment", "Pipeline"], ["Environment", "Pipeline", "ModelVersion"]],
            "Metrics": [{"Name": "test:roc_auc", "Unit": "None"}],
        }
    ]


def test_a_metric_without_a_unit_is_not_written() -> None:
    with pytest.raises(ValueError, match="no unit is known for the metrics RowsLost: give them one"):
        metrics.line(PLATFORM, "flight_delay", Event("rows", {"RowsLost": 1.0}), 0)


def test_scanned_bytes_are_those_of_the_workgroup_in_that_time(aws: None) -> None:
    now = datetime.now(UTC)
    for state, minutes, size in (("SUCCEEDED", 3, 5.0), ("FAILED", 2, 7.0), ("SUCCEEDED", 90, 100.0)):
        boto3.client("cloudwatch").put_metric_data(
            Namespace="AWS/Athena",
            MetricData=[
                {
                    "MetricName": "ProcessedBytes",
                    "Timestamp": now - timedelta(minutes=minutes),
                    "Value": size,
                    "Dimensions": [
                        {"Name": "WorkGroup", "Value": PLATFORM.athena_workgroup},
                        {"Name": "QueryState", "Value": state},
                        {"Name": "QueryType", "Value": "DML"},
                    ],
                }
            ],
        )
    assert costs.scanned(PLATFORM, now - timedelta(minutes=10), now) == (2, 12.0)


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, ...]]:
    """The name of every metric that a run of a pipeline, one of its batch and monitoring emit, with the names of its
    dimensions, and of Check its values."""
    with mock_aws():
        for bucket in ("bronze", "gold"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        boto3.client("s3").put_bucket_versioning(Bucket="bronze", VersioningConfiguration={"Status": "Enabled"})
        findings = [asdict(finding) for finding in every_finding(monkeypatch)]
    months = [{"row_count": 3}]
    batch = [{"task_id": "report", "state": "success", "duration": 1.0}]
    returned = {"report": {"months": ["2013-01"], "summary": months}}
    events = [
        *(event for events in said().values() for event in events),
        *run_metrics.events("flight_delay_batch", batch, 1.0, "success", returned.get),
        *run_metrics.cost(spec, JOBS, 1, 1.0),
        *health_report.events(findings),
    ]
    lines = [metrics.line(PLATFORM, "flight_delay", event, 0) for event in events]
    return {
        (metric["Name"], *(line[name] if name == "Check" else name for name in dimensions))
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


def test_what_the_dashboard_draws_is_emitted_by_something(emitted: set[tuple[str, ...]]) -> None:
    widgets = dashboard.body("test", ["flight_delay"], [])["widgets"]
    drawn = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    texts = [[part for part in metric if isinstance(part, str)] for metric in drawn]
    own = [metric for metric in texts if metric and metric[0] == metrics.NAMESPACE]
    named = {
        (metric[1], *(value if name == "Check" else name for name, value in batched(metric[2:], 2))) for metric in own
    }
    searches = [metric[0]["expression"] for metric in drawn if isinstance(metric[0], dict)]
    schema = re.compile(rf'{{{metrics.NAMESPACE},([^}}]*)}} MetricName="([^"]*)"')
    searched = {(name, *names.split(",")) for text in searches for names, name in schema.findall(text)}
    assert own and len(searched) == 1 and (named | searched) - emitted == set()
    # Of models, those of either pipeline: the events are of the first one's.
    measures = {tuple(name.split(":")) for name in re.findall(r'"(\w+:\w+)"', " ".join(searches))}
    assert {metric for _, metric in measures} <= {*spec.metrics, *airport_weather.spec.metrics}
    of_models = {f"{split}:{metric}" for split, metric in measures if metric in spec.metrics}
    assert of_models == {"train:roc_auc", "test:roc_auc"}
    assert {(name, "Environment", "Pipeline", "ModelVersion") for name in of_models} <= emitted
    steps = {metric[-1] for metric in own if metric[-2] == "Step"}
    assert steps and steps <= {task_id.partition(".")[0] for task_id in dag.task_ids}


def test_every_unit_is_of_a_metric_that_is_emitted(emitted: set[tuple[str, ...]]) -> None:
    assert set(metrics.UNITS) - {name for name, *_ in emitted} == set()
