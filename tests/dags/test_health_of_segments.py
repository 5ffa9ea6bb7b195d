"""What monitoring says of a pipeline that is made of silver tables, and of what its batch has scored, on moto."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from test_on_moto import PLATFORM
from test_silver_sources import aws, published

import airport_weather
from silverline import health, months, sources, sql, traffic
from silverline.health import Finding, Look

__all__ = ["aws", "mock_aws"]  # a fixture, and what tells that this file comes last
SPEC = airport_weather.spec
NOW = datetime.now(UTC)
LOOK = Look(PLATFORM, SPEC, NOW - timedelta(hours=1), NOW, {}.__getitem__)
MADE_OF = "it is made of flight_delay.scheduled_flights, flight_delay.weather"
CATEGORIES = {"name": traffic.PREDICTION, "categories": ["dry", "wet"], "counts": [60, 40, 0], "missing": 0}
MODEL = traffic.Served("arn/7", "s3://gold/model.tar.gz", "s3://gold/evaluation/", ["2013-01"], NOW - timedelta(days=1))


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def given_sources(hours: float, *made_of: str) -> None:
    """Lets both silver tables have months from January on, of these fingerprints, since so many hours ago."""
    found = {f"2013-0{number}": fingerprint for number, fingerprint in enumerate(made_of, start=1)}
    for source in SPEC.silver_sources:
        published(sources.table_of(source), found, hours_ago(hours))


def given_own(hours: float) -> None:
    """Lets the pipeline's own tables be made of the sources as they are now."""
    inventory = sources.inventory(PLATFORM, SPEC, [])
    made = {month: months.fingerprint(month, inventory, {}, sql.digest(SPEC.name)) for month in inventory}
    for table in SPEC.stages[0].published:
        published(table, made, hours_ago(hours))


def given_own_of_before() -> None:
    """Lets the pipeline have run, on months that are gone."""
    for table in SPEC.stages[0].published:
        published(table, {"2012-12": "f0"}, hours_ago(1000))


def test_of_a_pipeline_that_nobody_has_run_yet_nothing_is_said_however_long_silver_is_there() -> None:
    given_sources(1000, "f1")
    assert health.look_at_bronze(LOOK) == Finding("bronze", None, "no run has published anything yet")


def test_where_there_is_no_silver_nothing_is_waited_for_and_no_raw_file_is_missed() -> None:
    given_own_of_before()
    assert health.look_at_bronze(LOOK) == Finding("bronze", True, MADE_OF, {"WaitingHours": 0.0})


def test_silver_months_may_wait_for_a_run_for_a_day_and_are_named() -> None:
    given_own_of_before()
    given_sources(23, "f1")
    assert health.look_at_bronze(LOOK).is_well
    given_sources(25, "f1", "f2")
    found = health.look_at_bronze(LOOK)
    assert found.is_well is False and found.values == pytest.approx({"WaitingHours": 25.0})
    said = "and silver is without 2013-01, 2013-02 as its sources are, for 25.0 hours"
    assert found.sentence == f"{MADE_OF}, {said}"


def test_a_month_waits_since_the_last_of_its_tables_came() -> None:
    given_own_of_before()
    published("scheduled_flights", {"2013-01": "f1"}, hours_ago(50))
    assert health.look_at_bronze(LOOK).values["WaitingHours"] == 0.0
    published("weather", {"2013-01": "w1"}, hours_ago(2))
    assert health.look_at_bronze(LOOK).values["WaitingHours"] == pytest.approx(2.0)


def test_of_what_the_pipelines_own_tables_are_made_of_nothing_waits() -> None:
    given_sources(50, "f1", "f2")
    given_own(49)
    assert health.look_at_bronze(LOOK) == Finding("bronze", True, MADE_OF, {"WaitingHours": 0.0})


def test_a_month_that_its_source_has_made_anew_waits_since_then_and_so_does_the_one_after_it() -> None:
    given_sources(50, "f1", "f2", "f3")
    given_own(49)
    published("weather", {"2013-01": "f1", "2013-02": "anew", "2013-03": "f3"}, hours_ago(30))
    found = health.look_at_bronze(LOOK)
    assert found.is_well is False and found.values["WaitingHours"] == pytest.approx(30.0)
    assert "silver is without 2013-02, 2013-03 as" in found.sentence


def scored(monkeypatch: pytest.MonkeyPatch, *counts: int, missing: int = 0) -> Finding:
    """What is said of a batch that has scored so many rows as dry, as wet, and as something else."""
    monkeypatch.setattr(traffic, "served", lambda *_: MODEL)
    monkeypatch.setattr(traffic, "profile", lambda *_: {"bins": [{"name": "wind"}, CATEGORIES]})
    found = {**CATEGORIES, "counts": list(counts), "missing": missing} if counts else None
    monkeypatch.setattr(traffic, "scored", lambda *_: found)
    return health.look_at_scores(LOOK)


@pytest.mark.parametrize(
    ("counts", "missing", "is_well", "said"),
    [
        ((), 0, None, "fewer than the 60 of which anything is said"),
        ((0, 59, 0), 0, None, "fewer than the 60 of which anything is said"),
        ((36, 24, 0), 0, True, "; PSI of the prediction 0.00"),
        ((20, 40, 0), 0, True, "; PSI of the prediction 0.29"),
        ((10, 50, 0), 0, False, "; PSI of the prediction 0.87"),
        ((30, 20, 10), 0, False, "; PSI of the prediction "),
        ((30, 20, 0), 10, False, "; PSI of the prediction "),
    ],
    ids=["no batch yet", "too few", "as in training", "a little apart", "far", "another segment", "no segment"],
)
def test_what_a_batch_has_scored_last_may_lie_a_little_away_from_what_the_model_was_tested_on(
    monkeypatch: pytest.MonkeyPatch, counts: tuple[int, ...], missing: int, is_well: bool | None, said: str
) -> None:
    found = scored(monkeypatch, *counts, missing=missing)
    assert found.is_well is is_well and said in found.sentence and "by version 7" in found.sentence
    assert found.values["ScoredRecords"] == sum(counts) + missing
    assert ("ScoredDrift" in found.values) == (is_well is not None)


def test_of_scores_nothing_is_said_where_no_batch_is_watched_or_no_model_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic, "served", lambda *_: None)
    assert health.look_at_scores(LOOK) == Finding("scores", True, "no model of the registry is served")
    unwatched = dataclasses.replace(SPEC, watch=dataclasses.replace(SPEC.watch, scored=None))
    found: Any = health.look_at_scores(dataclasses.replace(LOOK, spec=unwatched))
    assert found.is_well and found.sentence.startswith("no batch is watched")
