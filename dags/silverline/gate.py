"""Whether a model may go into service: a pure function of its evaluation and of the spec's thresholds.

Its answer is `reject` where the model fails on its own: it doesn't beat the baselines, a metric is beyond its limit, or
it is worse than knowing nothing for some slice of the cases. It is `hold` where it is good, and yet may be worse than
the champion, overall or for a slice, or can't be compared: a person may want it all the same. Else it is `promote`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from silverline.spec import Gate

NAMED_SLICES = 3  # of those that are worse, the worst
Comparison = Mapping[str, Any]
"""comparison.json, as sagemaker_scripts/<pipeline>/evaluate.py writes it."""


@dataclass(frozen=True)
class Decision:
    """promote, hold or reject, and the reasons in words."""

    decision: str
    reasons: tuple[str, ...]


def decide(comparison: Comparison, gate: Gate, seen: Sequence[str] = ()) -> Decision:
    """What is to become of the challenger; `seen` are months of the test split that the champion has learned from.

    ValueError where the evaluation hasn't measured what the gate asks for.
    """
    known = comparison["models"]["challenger"]
    if unknown := [name for name in (gate.metric, *gate.at_most, *gate.at_least) if name not in known]:
        raise ValueError(f"gate: {', '.join(unknown)} is none of what is measured: {', '.join(known)}")
    for name, measured in _slices(comparison, gate):
        if gate.metric not in measured["challenger"]:
            in_slices = ", ".join(measured["challenger"])
            raise ValueError(f"gate: {gate.metric} is none of what is measured of slices: {in_slices}, where {name}")
    if comparison["clusters"] < gate.clusters:
        found = f"{comparison['clusters']} clusters of rows that depend on each other"
        return Decision("hold", (f"the test split is {found}: bounds take {gate.clusters} to be relied on",))
    if reasons := (
        *_baselines_not_beaten(comparison, gate),
        *_limits_passed(comparison, gate),
        *_slices_worse(comparison, gate, gate.baseline),
    ):
        return Decision("reject", reasons)
    if reasons := (
        *_worse_than_champion(comparison, gate, seen),
        *(() if seen else _slices_worse(comparison, gate, "champion")),
    ):
        return Decision("hold", reasons)
    return Decision("promote", tuple(_merits(comparison, gate)))


def _baselines_not_beaten(comparison: Comparison, gate: Gate) -> Iterator[str]:
    for name in _baselines(comparison):
        difference = comparison["worse_by"][name][gate.metric]
        if difference["high"] >= 0:
            yield (
                f"{_metric(comparison, gate)} does not surely beat the {_words(name)}'s "
                f"{_value(comparison, name, gate)}: {_apart(difference)}"
            )


def _limits_passed(comparison: Comparison, gate: Gate) -> Iterator[str]:
    found = comparison["models"]["challenger"]
    for metric, limit in gate.at_most.items():
        if found[metric]["low"] > limit:
            yield f"{_words(metric)} {_interval(found[metric])} is more than the {limit:g} allowed"
    for metric, limit in gate.at_least.items():
        if found[metric]["high"] < limit:
            yield f"{_words(metric)} {_interval(found[metric])} is less than the {limit:g} asked for"


def _worse_than_champion(comparison: Comparison, gate: Gate, seen: Sequence[str]) -> Iterator[str]:
    if seen:
        yield f"the champion can't be compared fairly: it has learned from {' and '.join(seen)} of the test split"
    elif refused := comparison["champion_refused"]:
        yield f"the champion can't be compared, it does not answer for these rows: {refused}"
    elif "champion" in comparison["models"]:
        difference = comparison["worse_by"]["champion"][gate.metric]
        if difference["high"] > gate.tolerance:
            yield (
                f"{_metric(comparison, gate)} may be worse than the champion's "
                f"{_value(comparison, 'champion', gate)} by more than the {gate.tolerance:g} allowed: "
                f"{_apart(difference)}"
            )


def _slices_worse(comparison: Comparison, gate: Gate, other: str) -> Iterator[str]:
    worse = [
        (difference, name, found)
        for name, found in _slices(comparison, gate)
        if other in found and (difference := found["worse_by"][other][gate.metric])["low"] > gate.slice_limit
    ]
    worse.sort(key=lambda one: -one[0]["low"])
    for difference, name, found in worse[:NAMED_SLICES]:
        yield (
            f"where {name} ({found['rows']:,} rows), {_words(gate.metric)} "
            f"{found['challenger'][gate.metric]['value']:.4f} is worse than the {_words(other)}'s "
            f"{found[other][gate.metric]['value']:.4f} by more than the {gate.slice_limit:g} allowed: "
            f"{_apart(difference)}"
        )
    if (more := len(worse) - NAMED_SLICES) > 0:
        yield f"so it is in {more} more slices"


def _merits(comparison: Comparison, gate: Gate) -> Iterator[str]:
    beaten = " and ".join(f"the {_words(name)}'s {_value(comparison, name, gate)}" for name in _baselines(comparison))
    yield f"{_metric(comparison, gate)} beats {beaten}"
    if "champion" in comparison["models"]:
        yield (
            f"against the champion's {_value(comparison, 'champion', gate)}, within the {gate.tolerance:g} allowed: "
            f"{_apart(comparison['worse_by']['champion'][gate.metric])}"
        )
    else:
        yield "there is no champion to compare it with"
    found = comparison["models"]["challenger"]
    for metric, limit in gate.at_most.items():
        yield f"{_words(metric)} {_interval(found[metric])} is not surely more than the {limit:g} allowed"
    for metric, limit in gate.at_least.items():
        yield f"{_words(metric)} {_interval(found[metric])} is not surely less than the {limit:g} asked for"
    if count := sum(1 for _ in _slices(comparison, gate)):
        yield f"none of the {count} slices of {gate.slice_rows} rows or more is worse by more than {gate.slice_limit:g}"


def _baselines(comparison: Comparison) -> list[str]:
    return [name for name in comparison["models"] if name not in ("challenger", "champion")]


def _slices(comparison: Comparison, gate: Gate) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for column, values in comparison["slices"].items():
        for value, found in values.items():
            if found["rows"] >= gate.slice_rows and found["clusters"] >= gate.clusters:
                yield f"{column} is {value}", found


def _metric(comparison: Comparison, gate: Gate) -> str:
    return f"{_words(gate.metric)} {_interval(comparison['models']['challenger'][gate.metric])}"


def _value(comparison: Comparison, name: str, gate: Gate) -> str:
    return f"{comparison['models'][name][gate.metric]['value']:.4f}"


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


def _apart(difference: Mapping[str, float]) -> str:
    return f"a difference of {difference['value']:+.4f} ({difference['low']:+.4f} to {difference['high']:+.4f})"


def _words(name: str) -> str:
    return name.replace("_", " ")
