"""What monitoring sees of a pipeline, on moto's mock, and what it says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from test_on_moto import PLATFORM

import flight_delay
from silverline import evaluation, health, health_report, metrics, months, silver, traffic
from silverline.health import Finding, Look
from silverline.monitoring import CHECKS, spec_of

NOW = datetime.now(UTC)
SPEC = flight_delay.spec
LOOK = Look(PLATFORM, SPEC, NOW - timedelta(hours=1), NOW)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        for bucket in ("bronze", "gold"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        boto3.client("s3").put_bucket_versioning(Bucket="bronze", VersioningConfiguration={"Status": "Enabled"})
        boto3.client("glue").create_database(DatabaseInput={"Name": "test_silver"})
        yield


def put_files() -> None:
    for table in SPEC.monthly_sources:
        boto3.client("s3").put_object(Bucket="bronze", Key=f"{table}/year=2013/month=01/a.csv", Body="x")
    for table in SPEC.reference_sources:
        boto3.client("s3").put_object(Bucket="bronze", Key=f"{table}/a.csv", Body="x")


def later(hours: float, **watch: Any) -> Look:
    """The same pipeline, looked at so many hours later, and by another measure."""
    spec = SPEC if not watch else type(SPEC)(**{**vars(SPEC), "watch": type(SPEC.watch)(**watch)})
    return Look(PLATFORM, spec, NOW, datetime.now(UTC) + timedelta(hours=hours))


def test_bronze_without_a_file_is_not_well() -> None:
    assert health.look_at_bronze(LOOK) == Finding(
        "bronze", False, "bronze has no file of flights, weather, planes, airports, airlines"
    )


def test_files_may_wait_for_a_run_for_a_day() -> None:
    put_files()
    soon, late = health.look_at_bronze(later(1)), health.look_at_bronze(later(25))
    assert (soon.is_well, late.is_well) == (True, False)
    assert late.sentence.endswith("25.0 hours ago, and silver is without 2013-01 as bronze has it")
    assert late.values == pytest.approx({"BronzeAgeHours": 25.0, "WaitingHours": 25.0}, rel=0.01)


def test_of_what_silver_is_made_of_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    monkeypatch.setattr(months, "fingerprint", lambda *_: "same")
    monkeypatch.setattr(silver, "made_months", lambda *_: {"2013-01": "same"})
    found = health.look_at_bronze(later(1000))
    assert found.is_well and found.values["WaitingHours"] == 0.0


def test_bronze_that_somebody_promises_to_fill_may_not_be_older_than_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    monkeypatch.setattr(health, "_months_lacking", lambda *_: [])
    assert health.look_at_bronze(later(30, bronze_age=timedelta(hours=48))).is_well
    assert not health.look_at_bronze(later(50, bronze_age=timedelta(hours=48))).is_well


def put_metric(name: str, minutes: float, value: float = 1.0) -> None:
    dimensions = {"Environment": "test", "Pipeline": "flight_delay", "Dag": "flight_delay"}
    boto3.client("cloudwatch").put_metric_data(
        Namespace=metrics.NAMESPACE,
        MetricData=[
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": NOW - timedelta(minutes=minutes),
                "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            }
        ],
    )


@pytest.mark.parametrize(
    ("succeeded", "failed", "is_well", "said"),
    [
        (None, None, True, "no run has ended in the last 14 days"),
        (60, None, True, "the last run was well"),
        (60, 300, True, "the last run was well"),
        (300, 60, False, "the last run failed, about "),
        (None, 60, False, "the last run failed, about "),
    ],
)
def test_the_last_run_counts(succeeded: float | None, failed: float | None, is_well: bool, said: str) -> None:
    for name, minutes in (("RunsSucceeded", succeeded), ("RunsFailed", failed)):
        if minutes is not None:
            put_metric(name, minutes)
            put_metric({"RunsSucceeded": "RunsFailed", "RunsFailed": "RunsSucceeded"}[name], minutes, 0.0)
    found = health.look_at_runs(LOOK)
    assert found.is_well is is_well and found.sentence.startswith(said)


def test_an_endpoint_that_was_never_made_is_well() -> None:
    assert health.look_at_endpoint(LOOK) == Finding("endpoint", True, "nothing has been deployed")


@pytest.mark.parametrize(("quarantined", "is_well"), [(9, True), (11, False)])
def test_rows_that_can_not_be_used_are_counted_month_by_month(
    monkeypatch: pytest.MonkeyPatch, quarantined: int, is_well: bool
) -> None:
    counts = [
        {"month": "2013-01", "rows_in": 100, "rows_quarantined": 2},
        {"month": "2013-02", "rows_in": 100, "rows_quarantined": 1},
        {"month": "2013-03", "rows_in": 100, "rows_quarantined": quarantined},
    ]
    monkeypatch.setattr(silver, "published_months", lambda *_: {row["month"]: "" for row in counts})
    monkeypatch.setattr(silver, "row_counts", lambda *_: counts)
    found = health.look_at_silver(LOOK)
    assert found.is_well is is_well and found.values == {"QuarantinedPercent": quarantined}
    assert found.sentence.endswith("of the 2 months before, 1.00 to 2.00 %")


@pytest.mark.parametrize(
    ("known", "log_loss", "is_well", "said"),
    [
        (500, 0.54, True, "log loss 0.5400, in the test 0.5000"),
        (500, 0.56, False, "log loss 0.5600, in the test 0.5000"),
        (499, 0.99, True, "fewer than the 500 of which anything is said"),
    ],
)
def test_answers_may_come_out_a_little_worse_than_in_the_test(
    monkeypatch: pytest.MonkeyPatch, known: int, log_loss: float, is_well: bool, said: str
) -> None:
    model = traffic.Served("7", "s3://gold/model.tar.gz", "s3://gold/evaluation/", ["2013-01"], NOW)
    judged = {"row_count": known, "log_loss": log_loss, "brier": 0.2, "calibration_error": 0.1, "roc_auc": None}
    monkeypatch.setattr(traffic, "served", lambda *_: model)
    monkeypatch.setattr(traffic, "create_or_update_table", lambda *_: "gold.captured")
    monkeypatch.setattr(traffic, "live_quality", lambda *_: judged)
    tested = {"models": {"challenger": {"log_loss": {"value": 0.5}}}}
    monkeypatch.setattr(evaluation, "read", {model.evaluation: tested}.__getitem__)
    found = health.look_at_quality(LOOK)
    assert found.is_well is is_well and found.sentence.endswith(said)
    assert "LiveRocAuc" not in found.values and found.values["LabelledRecords"] == known


FOUND = [
    {"check": "bronze", "is_well": True, "sentence": "new", "values": {"BronzeAgeHours": 1.0}, "features": {}},
    {
        "check": "runs",
        "is_well": False,
        "sentence": "the last run failed",
        "values": {},
        "features": {"wind": {"FeatureDrift": 0.3}},
    },
]


def test_what_is_not_well_comes_first_on_the_page() -> None:
    address = health_report.store(PLATFORM, "flight_delay", FOUND, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert address == "s3://gold/flight_delay/monitoring/2026/01/02/03.md"
    body = boto3.client("s3").get_object(Bucket="gold", Key=address.removeprefix("s3://gold/"))["Body"].read().decode()
    assert body.splitlines() == [
        "# flight_delay in test, 2026-01-02 03:04 UTC",
        "",
        "**Not well: runs.**",
        "",
        "| check | | what was seen |",
        "|---|---|---|",
        "| runs | **not well** | the last run failed |",
        "| bronze | well | new |",
    ]


def test_what_was_found_is_told_by_check_the_numbers_of_the_pipeline_and_those_of_each_feature() -> None:
    assert [(event.values, event.further) for event in health_report.events(FOUND)] == [
        ({"Findings": 0.0}, ({"Check": "bronze"},)),
        ({"Findings": 1.0}, ({"Check": "runs"},)),
        ({"BronzeAgeHours": 1.0}, ({},)),
        ({"FeatureDrift": 0.3}, ({"Feature": "wind"},)),
    ]


def test_the_dag_has_a_task_for_every_check_and_finds_every_pipelines_spec() -> None:
    assert CHECKS.keys() == health.CHECKS.keys()
    assert spec_of("flight_delay").name == "flight_delay"
    with pytest.raises(ValueError, match="dags/nothing.py has no `spec`"):
        spec_of("nothing")
