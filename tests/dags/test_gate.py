"""The gate: what an evaluation has to look like for each decision, and what is said of it."""

import dataclasses
import json
from typing import Any

import pytest

from silverline.gate import Decision, decide
from silverline.spec import Gate

GATE = Gate(metric="log_loss", tolerance=0.005, at_most={"calibration_error": 0.05}, slice_limit=0.03, slice_rows=200)


def about(value: float, bound: float = 0.002) -> dict[str, float]:
    return {"value": value, "low": value - bound, "high": value + bound}


def comparison(champion: float | None = 0.46, **changes: Any) -> dict[str, Any]:
    """What evaluate.py writes of a good challenger, so far as the gate reads it; log loss of the challenger: 0.45."""
    models = {"challenger": 0.45, "champion": champion, "base_rate": 0.54, "logistic_regression": 0.51}
    losses = {name: loss for name, loss in models.items() if loss is not None}
    found: dict[str, Any] = {
        "champion_refused": None,
        "clusters": 31,
        "models": {
            name: {"log_loss": about(loss), "brier": about(loss), "calibration_error": about(0.01)}
            for name, loss in losses.items()
        },
        "worse_by": {name: {"log_loss": about(0.45 - loss)} for name, loss in losses.items() if name != "challenger"},
        "slices": {"carrier": {"AA": a_slice(losses), "YV": a_slice(losses, rows=18)}},
    }
    return found | changes


def a_slice(
    losses: dict[str, float], rows: int = 2000, clusters: int = 31, **worse_by: dict[str, float]
) -> dict[str, Any]:
    differences = {name: about(0.45 - loss, 0.01) for name, loss in losses.items() if name != "challenger"} | worse_by
    return {
        "rows": rows,
        "clusters": clusters,
        **{name: {"log_loss": about(loss, 0.01)} for name, loss in losses.items()},
        "worse_by": {name: {"log_loss": difference} for name, difference in differences.items()},
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good comparison with the value at a dotted path replaced."""
    found: dict[str, Any] = json.loads(json.dumps(comparison()))
    *parents, last = path.split(".")
    inside = found
    for name in parents:
        inside = inside[name]
    inside[last] = value
    return found


def test_a_model_that_is_good_on_its_own_and_as_good_as_the_champion_is_promoted_with_its_merits() -> None:
    assert decide(comparison(), GATE) == Decision(
        "promote",
        (
            "log loss 0.4500 (0.4480 to 0.4520) beats the base rate's 0.5400 and the logistic regression's 0.5100",
            "against the champion's 0.4600, within the 0.005 allowed: a difference of -0.0100 (-0.0120 to -0.0080)",
            "calibration error 0.0100 (0.0080 to 0.0120) is not surely more than the 0.05 allowed",
            "none of the 1 slices of 200 rows or more is worse by more than 0.03",
        ),
    )


def test_the_first_model_is_promoted_without_a_champion() -> None:
    decided = decide(comparison(champion=None), GATE)
    assert decided.decision == "promote"
    assert "there is no champion to compare it with" in decided.reasons


@pytest.mark.parametrize(
    ("path", "value", "decision", "reason"),
    [
        pytest.param(
            "worse_by.base_rate.log_loss",
            {"value": -0.001, "low": -0.003, "high": 0.001},
            "reject",
            "log loss 0.4500 (0.4480 to 0.4520) does not surely beat the base rate's 0.5400: "
            "a difference of -0.0010 (-0.0030 to +0.0010)",
            id="may be no better than the base rate",
        ),
        pytest.param(
            "worse_by.logistic_regression.log_loss",
            {"value": 0.01, "low": 0.005, "high": 0.02},
            "reject",
            "does not surely beat the logistic regression's 0.5100",
            id="worse than the baseline model",
        ),
        pytest.param(
            "models.challenger.calibration_error",
            {"value": 0.08, "low": 0.06, "high": 0.1},
            "reject",
            "calibration error 0.0800 (0.0600 to 0.1000) is more than the 0.05 allowed",
            id="probabilities are off",
        ),
        pytest.param(
            "models.challenger.calibration_error",
            {"value": 0.055, "low": 0.045, "high": 0.065},
            "promote",
            "is not surely more than the 0.05 allowed",
            id="probabilities may be off by chance",
        ),
        pytest.param(
            "slices.carrier.AA.worse_by.base_rate.log_loss",
            {"value": 0.05, "low": 0.04, "high": 0.06},
            "reject",
            "where carrier is AA (2,000 rows), log loss 0.4500 is worse than the base rate's 0.5400 by more than the "
            "0.03 allowed: a difference of +0.0500 (+0.0400 to +0.0600)",
            id="a slice for which knowing nothing is better",
        ),
        pytest.param(
            "slices.carrier.AA.worse_by.champion.log_loss",
            {"value": 0.05, "low": 0.04, "high": 0.06},
            "hold",
            "where carrier is AA (2,000 rows), log loss 0.4500 is worse than the champion's 0.4600",
            id="got worse for a slice",
        ),
        pytest.param(
            "slices.carrier.AA.worse_by.champion.log_loss",
            {"value": 0.05, "low": 0.02, "high": 0.08},
            "promote",
            "none of the 1 slices",
            id="may have got worse for a slice by chance",
        ),
        pytest.param(
            "slices.carrier.YV.worse_by.base_rate.log_loss",
            {"value": 0.5, "low": 0.4, "high": 0.6},
            "promote",
            "none of the 1 slices of 200 rows or more",
            id="a slice of too few rows has no say",
        ),
        pytest.param(
            "worse_by.champion.log_loss",
            {"value": 0.006, "low": 0.004, "high": 0.008},
            "hold",
            "log loss 0.4500 (0.4480 to 0.4520) may be worse than the champion's 0.4600 by more than the 0.005 "
            "allowed: a difference of +0.0060 (+0.0040 to +0.0080)",
            id="worse than the champion",
        ),
        pytest.param(
            "worse_by.champion.log_loss",
            {"value": 0.002, "low": 0.0, "high": 0.004},
            "promote",
            "against the champion's 0.4600, within the 0.005 allowed",
            id="worse than the champion within the tolerance",
        ),
        pytest.param(
            "champion_refused",
            "DataError: the champion refuses rows",
            "hold",
            "the champion can't be compared, it does not answer for these rows: DataError: the champion refuses rows",
            id="the champion can't be asked",
        ),
    ],
)
def test_a_decision_says_why(path: str, value: Any, decision: str, reason: str) -> None:
    decided = decide(changed(path, value), GATE)
    assert decided.decision == decision
    assert any(reason in given for given in decided.reasons), decided.reasons


def test_a_champion_that_has_learned_from_the_test_split_is_no_measure_and_a_person_decides() -> None:
    found = comparison()
    found["slices"]["carrier"]["AA"]["worse_by"]["champion"]["log_loss"] = about(0.5)
    assert decide(found, GATE, seen=["2013-11", "2013-12"]) == Decision(
        "hold", ("the champion can't be compared fairly: it has learned from 2013-11 and 2013-12 of the test split",)
    )


def test_a_model_that_fails_on_its_own_is_rejected_whatever_the_champion_has_seen() -> None:
    assert decide(changed("worse_by.base_rate.log_loss", about(0.1)), GATE, seen=["2013-12"]).decision == "reject"


def test_a_test_split_of_few_clusters_is_for_a_person_whatever_its_bounds_say() -> None:
    found = comparison(clusters=3)
    found["worse_by"]["base_rate"]["log_loss"] = about(0.1)
    assert decide(found, GATE) == Decision(
        "hold",
        ("the test split is 3 clusters of rows that depend on each other: bounds take 10 to be relied on",),
    )


def test_a_slice_of_few_clusters_has_no_say() -> None:
    assert decide(changed("slices.carrier.AA.worse_by.champion.log_loss", about(0.5)), GATE).decision == "hold"
    found = changed("slices.carrier.AA.worse_by.champion.log_loss", about(0.5))
    found["slices"]["carrier"]["AA"]["clusters"] = 9
    assert decide(found, GATE).decision == "promote"


def test_who_fails_on_its_own_is_rejected_for_every_reason_of_that_and_for_no_other() -> None:
    found = changed("worse_by.champion.log_loss", about(0.2))
    found["models"]["challenger"]["calibration_error"] = about(0.2)
    found["worse_by"]["base_rate"]["log_loss"] = about(0.1)
    decided = decide(found, GATE)
    assert decided.decision == "reject"
    assert len(decided.reasons) == 2 and not any("champion" in reason for reason in decided.reasons)


def test_of_many_slices_that_are_worse_the_worst_are_named_and_the_others_counted() -> None:
    found = comparison()
    losses = {name: metrics["log_loss"]["value"] for name, metrics in found["models"].items()}
    found["slices"]["hour"] = {str(hour): a_slice(losses, champion=about(0.05 + hour / 100)) for hour in range(6)}
    reasons = decide(found, GATE).reasons
    assert [reason.split(" (")[0] for reason in reasons] == [
        *(f"where hour is {hour}" for hour in (5, 4, 3)),
        "so it is in 3 more slices",
    ]


def test_another_metric_decides_where_the_spec_says_so() -> None:
    found = comparison()
    for values in (
        *found["worse_by"].values(),
        *(one["worse_by"][name] for one in found["slices"]["carrier"].values() for name in one["worse_by"]),
    ):
        values["brier"] = about(-0.1)
    for one in found["slices"]["carrier"].values():
        for name in found["models"]:
            one[name]["brier"] = about(0.1)
    assert decide(found, dataclasses.replace(GATE, metric="brier")).reasons[0].startswith("brier 0.4500")


def test_a_metric_of_which_more_is_better_has_a_least_value() -> None:
    gate = dataclasses.replace(GATE, at_most={}, at_least={"stability": 0.6})
    found = comparison()
    found["models"]["challenger"]["stability"] = {"value": 0.5, "low": 0.4, "high": 0.59}
    assert decide(found, gate) == Decision(
        "reject", ("stability 0.5000 (0.4000 to 0.5900) is less than the 0.6 asked for",)
    )
    found["models"]["challenger"]["stability"] = {"value": 0.55, "low": 0.4, "high": 0.65}
    assert (
        "stability 0.5500 (0.4000 to 0.6500) is not surely less than the 0.6 asked for" in decide(found, gate).reasons
    )


def test_a_metric_that_slices_lack_is_told_of() -> None:
    found = comparison()
    found["models"]["challenger"]["roc_auc"] = about(0.7)
    with pytest.raises(ValueError, match="roc_auc is none of what is measured of slices: log_loss, where carrier is A"):
        decide(found, dataclasses.replace(GATE, metric="roc_auc"))


@pytest.mark.parametrize("asked", [{"metric": "rmse"}, {"at_most": {"rmse": 1.0}}, {"at_least": {"rmse": 1.0}}])
def test_what_is_not_measured_at_all_is_told_of(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="gate: rmse is none of what is measured: log_loss, brier, calibration_error"):
        decide(comparison(), dataclasses.replace(GATE, **asked))
