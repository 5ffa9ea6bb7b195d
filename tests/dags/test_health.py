"""What monitoring sees of a pipeline, on moto's mock, and what it says of it."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from test_on_moto import PLATFORM

import flight_delay
from silverline import (
    cloudwatch,
    evaluation,
    health,
    health_report,
    jobs,
    metrics,
    months,
    rollout,
    silver,
    traffic,
)
from silverline.health import Finding, Look
from silverline.monitoring import CHECKS, spec_of

NOW = datetime.now(UTC)
SPEC = flight_delay.spec
NO_RUN = {SPEC.name: False, f"{SPEC.name}_batch": False}.__getitem__
LOOK = Look(PLATFORM, SPEC, NOW - timedelta(hours=1), NOW, NO_RUN)


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


def put_files(*months: str) -> None:
    for table in SPEC.monthly_sources:
        for month in months or ("2013-01",):
            key = f"{table}/year={month[:4]}/month={month[5:]}/a.csv"
            boto3.client("s3").put_object(Bucket="bronze", Key=key, Body="x")
    for table in SPEC.reference_sources:
        boto3.client("s3").put_object(Bucket="bronze", Key=f"{table}/a.csv", Body="x")


def publish(monkeypatch: pytest.MonkeyPatch, at: datetime, **made: str) -> None:
    """Silver has these months (2013_01) of files with this fingerprint, and has had them since then."""
    found = {month.strip("_").replace("_", "-"): fingerprint for month, fingerprint in made.items()}
    monkeypatch.setattr(months, "fingerprint", lambda *_: "as bronze is now")
    monkeypatch.setattr(silver, "made_months", lambda *_: found)
    monkeypatch.setattr(silver, "published_at", lambda *_: dict.fromkeys(found, at))


def later(hours: float, **watch: Any) -> Look:
    """The same pipeline, looked at so many hours later, and by another measure."""
    spec = SPEC if not watch else type(SPEC)(**{**vars(SPEC), "watch": type(SPEC.watch)(**watch)})
    return Look(PLATFORM, spec, NOW, datetime.now(UTC) + timedelta(hours=hours), NO_RUN)


def test_of_a_pipeline_that_nobody_has_run_yet_nothing_is_said() -> None:
    put_files()
    found = health.look_at_bronze(later(1000))
    assert found == Finding("bronze", None, "no run has published anything yet")


def test_bronze_without_a_file_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, NOW, _2012_12="of files that are gone")
    assert health.look_at_bronze(LOOK) == Finding(
        "bronze", False, "bronze has no file of flights, weather, planes, airports, airlines"
    )


def test_files_may_wait_for_a_run_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    publish(monkeypatch, NOW, _2012_12="of files that are gone")
    soon, late = health.look_at_bronze(later(1)), health.look_at_bronze(later(25))
    assert (soon.is_well, late.is_well) == (True, False)
    assert late.sentence.endswith("and silver is without 2013-01 as its sources are, for 25.0 hours")
    assert late.values == pytest.approx({"BronzeAgeHours": 25.0, "WaitingHours": 25.0}, rel=0.01)


def test_files_wait_since_the_first_came_whatever_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files("2013-01")
    listed = list(health.bronze.newest_versions(PLATFORM, SPEC.monthly_sources + SPEC.reference_sources))
    first = datetime.now(UTC)
    days = {"2013-01": 3, "2013-02": 0}

    def files(*_: Any) -> Iterator[Any]:
        for month, day in days.items():
            for table, item in listed:
                key = item["Key"].replace("month=01", f"month={month[5:]}")
                yield table, {**item, "Key": key, "LastModified": first + timedelta(days=day)}

    monkeypatch.setattr(health.bronze, "newest_versions", files)
    publish(monkeypatch, first + timedelta(days=2), _2013_01="of other files")
    # January's files have been replaced since it was published, and February's are there for three days.
    found = health.look_at_bronze(Look(PLATFORM, SPEC, first, first + timedelta(days=3, hours=1), NO_RUN))
    assert found.values == pytest.approx({"BronzeAgeHours": 1.0, "WaitingHours": 73.0})
    del days["2013-02"]
    found = health.look_at_bronze(Look(PLATFORM, SPEC, first, first + timedelta(days=3, hours=1), NO_RUN))
    assert found.is_well and found.values["WaitingHours"] == pytest.approx(1.0)


def test_of_what_silver_is_made_of_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    publish(monkeypatch, NOW, _2013_01="as bronze is now")
    found = health.look_at_bronze(later(1000))
    assert found.is_well and found.values["WaitingHours"] == 0.0


def test_where_only_the_sql_is_newer_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    publish(monkeypatch, datetime.now(UTC) + timedelta(minutes=1), _2013_01="by other SQL")
    assert health.look_at_bronze(later(1000)).values["WaitingHours"] == 0.0


def test_bronze_that_somebody_promises_to_fill_may_not_be_older_than_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    put_files()
    publish(monkeypatch, NOW, _2013_01="as bronze is now")
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
        (60, 62, True, "the last run was well"),
        (62, 60, False, "the last run failed, about "),
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


def test_a_run_that_took_longer_than_it_may_is_not_well() -> None:
    for name, value in (("RunsSucceeded", 1.0), ("RunSeconds", 4 * 3600.0)):
        put_metric(name, 60, value)
    found = health.look_at_runs(LOOK)
    assert found.is_well is False and found.sentence.endswith("and late: it took 4.0 hours")


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


MODEL = traffic.Served("arn/7", "s3://gold/model.tar.gz", "s3://gold/evaluation/", ["2013-01"], NOW - timedelta(days=1))
JUDGED = {"log_loss": 0.54, "base_log_loss": 0.6, "calibration_error": 0.1, "roc_auc": 0.7}
TESTED = {"models": {"challenger": {"log_loss": {"value": 0.48}}, "base_rate": {"log_loss": {"value": 0.6}}}}


def serve(monkeypatch: pytest.MonkeyPatch, records: int, prediction: float = 0.0, *features: float) -> None:
    """A model is served that was asked for so many records, which lie so far from training."""
    distances = {f"feature {number}": psi for number, psi in enumerate(features)} | {traffic.PREDICTION: prediction}
    monkeypatch.setattr(traffic, "served", lambda *_: MODEL)
    monkeypatch.setattr(traffic, "create_or_update_table", lambda *_: "gold.captured")
    monkeypatch.setattr(traffic, "profile", lambda *_: {"bins": []})
    monkeypatch.setattr(traffic, "counts", lambda *_: [{"counts": [records - 1], "missing": 1}])
    found = {name: traffic.Distance(psi, psi / 10, 1.0, 2.0) for name, psi in distances.items()}
    monkeypatch.setattr(traffic, "distances", lambda *_: dict(found))


@pytest.mark.parametrize(
    ("records", "prediction", "features", "is_well", "said"),
    [
        (499, 9.0, (9.0, 9.0), None, "499 records since"),
        (500, 0.2, (0.2, 0.2), True, "PSI of the prediction 0.20, of 0 of 2 features above 0.2"),
        (500, 0.21, (0.2, 0.2), False, "PSI of the prediction 0.21, of 0 of 2 features above 0.2"),
        (500, 0.0, (0.0, 0.3, 0.5, 0.1), True, "of 2 of 4 features above 0.2 (feature 2 0.50, feature 1 0.30)"),
        (500, 0.0, (0.0, 0.3, 0.5, 0.4, 0.1), False, "of 3 of 5 features above 0.2 (feature 2 0.50, feature 3 0.40, "),
    ],
)
def test_traffic_may_lie_a_little_away_from_what_the_model_knows(
    monkeypatch: pytest.MonkeyPatch,
    records: int,
    prediction: float,
    features: tuple[float, ...],
    is_well: bool | None,
    said: str,
) -> None:
    serve(monkeypatch, records, prediction, *features)
    found = health.look_at_traffic(LOOK)
    assert found.is_well is is_well and said in found.sentence and "to version 7" in found.sentence
    assert found.values["CapturedRecords"] == records
    assert {name: one["FeatureDrift"] for name, one in found.features.items()} == (
        {} if is_well is None else {f"feature {number}": psi for number, psi in enumerate(features)}
    )


@pytest.mark.parametrize(
    ("known", "log_loss", "base_log_loss", "is_well", "said"),
    [
        (500, 0.53, 0.6, True, "log loss 0.5300, 12% below the base rate's, in the test 20%"),
        (500, 0.54, 0.59, False, "log loss 0.5400, 8% below the base rate's, in the test 20%"),
        (500, 0.62, 0.7, True, "log loss 0.6200, 11% below the base rate's, in the test 20%"),  # a harder month
        (500, 0.01, None, None, "of version 7 the outcome is known, and it is the same of all: nothing to tell apart"),
        (499, 0.99, 0.6, None, "fewer than the 500 of which anything is said"),
    ],
)
def test_answers_may_come_out_a_little_worse_than_in_the_test(
    monkeypatch: pytest.MonkeyPatch,
    known: int,
    log_loss: float,
    base_log_loss: float | None,
    is_well: bool | None,
    said: str,
) -> None:
    serve(monkeypatch, 0)
    judged = {
        **JUDGED,
        "row_count": known,
        "log_loss": log_loss,
        "base_log_loss": base_log_loss,
        "roc_auc": None,
    }
    monkeypatch.setattr(traffic, "live_quality", lambda *_: judged)
    monkeypatch.setattr(evaluation, "read", {MODEL.evaluation: TESTED}.__getitem__)
    found = health.look_at_quality(LOOK)
    assert found.is_well is is_well and found.sentence.endswith(said)
    assert "LiveRocAuc" not in found.values and found.values["LabelledRecords"] == known


def test_a_job_that_has_failed_since_the_last_look_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(jobs, "failed_since", lambda *since: asked.append(since) or ["flight-delay-1"])
    found = health.look_at_jobs(LOOK)
    assert asked == [("flight-delay", LOOK.since)]
    assert (found.is_well, found.values) == (False, {"FailedJobs": 1}) and "failed: flight-delay-1 " in found.sentence


def test_a_job_that_nobody_waits_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(jobs, "orphans", lambda *about: asked.append(about) or ["flight-delay-1"])
    found = health.look_at_orphans(LOOK)
    assert asked == [(PLATFORM, "flight-delay", NO_RUN)]
    assert (found.is_well, found.values) == (False, {"OrphanedJobs": 1})
    assert found.sentence == "nobody waits for flight-delay-1"


@pytest.mark.parametrize(
    ("status", "errors", "is_well"),
    [
        ("InService", 1.0, True),
        ("InService", 2.0, False),
        ("Updating", 0.0, True),
        ("Failed", 0.0, False),
        ("Creating", 0.0, None),
    ],
)
def test_an_endpoint_may_fail_one_invocation_of_a_hundred(
    monkeypatch: pytest.MonkeyPatch, status: str, errors: float, is_well: bool | None
) -> None:
    since: list[datetime] = []

    def data(asked: Any, start: datetime, end: datetime) -> dict[str, Any]:
        since.append(start)
        return {"invocations": [(NOW, 100.0)], "errors": [(NOW, errors)], "latency": [(NOW, 7000.0)]}

    monkeypatch.setattr(cloudwatch, "data", data)
    monkeypatch.setattr(health, "_monthly_cost", lambda _: 81.76)
    endpoint = {"EndpointStatus": status, "ProductionVariants": [{"VariantName": "AllTraffic"}]}
    monkeypatch.setattr(rollout, "describe", {"flight-delay": endpoint}.get)
    found = health.look_at_endpoint(Look(PLATFORM, SPEC, NOW - timedelta(days=7), NOW, NO_RUN))
    assert found.is_well is is_well
    if is_well is not None:
        assert since == [NOW - timedelta(hours=2)]  # not the week in which another check could not be made
        assert found.values["ErrorPercent"] == errors and found.values["LatencyP99Milliseconds"] == 7.0


def every_finding(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What all checks say where there is something to say of everything."""
    put_files()
    publish(monkeypatch, NOW, _2013_01="as bronze is now")
    monkeypatch.setattr(silver, "published_months", lambda *_: {"2013-01": ""})
    monkeypatch.setattr(silver, "row_counts", lambda *_: [{"month": "2013-01", "rows_in": 9, "rows_quarantined": 1}])
    monkeypatch.setattr(jobs, "failed_since", lambda *_: [])
    monkeypatch.setattr(jobs, "orphans", lambda *_: [])
    endpoint = {"EndpointStatus": "InService", "ProductionVariants": [{"VariantName": "AllTraffic"}]}
    monkeypatch.setattr(rollout, "describe", lambda _: endpoint)
    monkeypatch.setattr(health, "_monthly_cost", lambda _: 81.76)
    monkeypatch.setattr(cloudwatch, "data", lambda asked, *_: {query["Label"]: [(NOW, 1.0)] for query in asked})
    serve(monkeypatch, 1000, 0.1, 0.1)
    monkeypatch.setattr(traffic, "live_quality", lambda *_: {**JUDGED, "row_count": 1000})
    monkeypatch.setattr(evaluation, "read", lambda _: TESTED)
    scored = {"name": traffic.PREDICTION, "edges": [0.5], "counts": [600, 400], "missing": 0}
    monkeypatch.setattr(traffic, "scored", lambda *_: scored)
    watch = dataclasses.replace(LOOK.spec.watch, scored=("predictions", "probability"))
    look_at = dataclasses.replace(LOOK, spec=dataclasses.replace(LOOK.spec, watch=watch))
    return [look(look_at) for look in health.CHECKS.values()]


FOUND = [
    {"check": "bronze", "is_well": True, "sentence": "new", "values": {"BronzeAgeHours": 1.0}, "features": {}},
    {
        "check": "runs",
        "is_well": False,
        "sentence": "the last run failed",
        "values": {},
        "features": {"wind": {"FeatureDrift": 0.3, "MissingPercent": 7.0}},
    },
    {"check": "traffic", "is_well": None, "sentence": "7 records", "values": {"CapturedRecords": 7.0}, "features": {}},
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
        "| traffic | too little to say | 7 records |",
    ]


def test_what_was_found_is_told_by_check_the_numbers_of_the_pipeline_and_those_of_each_feature() -> None:
    *events, feature = health_report.events(FOUND)
    assert [(event.values, event.further) for event in events] == [
        ({"Findings": 0.0}, ({"Check": "bronze"},)),
        ({"Findings": 1.0}, ({"Check": "runs"},)),
        ({}, ({"Check": "traffic"},)),  # its alarm stays as it is
        ({"BronzeAgeHours": 1.0}, ({},)),
        ({"CapturedRecords": 7.0}, ({},)),
    ]
    assert (feature.values, feature.further) == ({"FeatureDrift": 0.3}, ({"Feature": "wind"},))
    assert feature.facts == {"MissingPercent": 7.0}


def test_the_dag_has_a_task_for_every_check_and_finds_every_pipelines_spec() -> None:
    assert CHECKS.keys() == health.CHECKS.keys()
    assert spec_of("flight_delay").name == "flight_delay"
    with pytest.raises(ValueError, match="dags/nothing.py has no `spec`"):
        spec_of("nothing")
