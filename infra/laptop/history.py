"""The versions of a pipeline's model, month by month, as the registry has them: a table, and a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from silverline import evaluation, model_packages
from silverline.figures import OTHER, STYLES, new_figure, png, words
from silverline.platform import Platform
from silverline.spec import PipelineSpec

MARKERS = {
    "promote": {"marker": "o", "markerfacecolor": STYLES["challenger"]["color"]},
    "hold": {"marker": "o", "markerfacecolor": "white"},
    "reject": {"marker": "X", "markerfacecolor": "#b00020", "markeredgecolor": "#b00020"},
}
Measured = dict[str, float]
"""A value, and the bounds `low` and `high` of 95 % of its resamples."""


class Version(NamedTuple):
    """A model as it was measured on its own test split, which ends with `month`, and what became of it.

    `champion` is the version that it was held against; `worse_by` its gate metric's difference from that one's.
    """

    number: int
    month: str
    decision: str
    status: str
    champion: int | None
    metrics: dict[str, dict[str, Measured]]
    worse_by: Measured | None


def read(platform: Platform, spec: PipelineSpec) -> list[Version]:
    """Every version that a run of the pipeline has registered, by month; those of one month by number."""
    versions = []
    for listed in model_packages.versions(platform.model_package_groups[spec.name]):
        package = model_packages.describe(listed["ModelPackageArn"])
        facts = model_packages.facts(package)
        if "evaluation" not in facts:
            continue  # registered by something else
        comparison = evaluation.read(facts["evaluation"])
        number = facts.get("champion", "").rpartition("/")[2]
        difference = comparison["worse_by"].get("champion")
        versions.append(
            Version(
                package["ModelPackageVersion"],
                facts["as_of"],
                facts["decision"],
                package["ModelApprovalStatus"],
                int(number) if number else None,
                comparison["models"],
                difference[spec.gate.metric] if difference else None,
            )
        )
    return sorted(versions, key=lambda version: (version.month, version.number))


def table(versions: Sequence[Version], spec: PipelineSpec) -> str:
    """All versions as Markdown, which a terminal shows as well: each with its first metric beside the others'."""
    metric, baseline = spec.metrics[0], _baseline(versions, spec)
    heads = (
        *("test month", "version", "decision", "status", words(metric), "champion's", f"{words(baseline)}'s"),
        f"{words(spec.gate.metric)} against the champion's",
    )
    rows = [
        (
            version.month,
            str(version.number),
            version.decision,
            version.status,
            _interval(version.metrics["challenger"][metric]),
            f"{_interval(version.metrics['champion'][metric])} of version {version.champion or '?'}"
            if "champion" in version.metrics
            else "",
            _interval(version.metrics[baseline][metric]) if baseline in version.metrics else "",
            _interval(version.worse_by, "+") if version.worse_by else "",
        )
        for version in versions
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def draw(versions: Sequence[Version], spec: PipelineSpec, title: str) -> bytes:
    """PNG of the newest version of each month: test quality above, and below what the gate asks of the challenger."""
    metric, baseline, gate = spec.metrics[0], _baseline(versions, spec), spec.gate
    newest = list({version.month: version for version in versions}.values())
    figure = new_figure(10, 7.5)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for name, shift in ((baseline, 0.0), ("champion", 0.12)):
        found = {place + shift: one.metrics[name][metric] for place, one in enumerate(newest) if name in one.metrics}
        style = STYLES.get(name, OTHER) | {"marker": "s", "markersize": 3}
        _points(above, found, style, name.replace("_", " "))
    if metric == "roc_auc":
        above.axhline(0.5, **STYLES["base_rate"], label="base rate (0.5 by definition)")
    for decision, marker in MARKERS.items():
        told = {place: one for place, one in enumerate(newest) if one.decision == decision}
        style = {"color": STYLES["challenger"]["color"], "linestyle": "none", "zorder": 4, **marker}
        found = {place - 0.12: one.metrics["challenger"][metric] for place, one in told.items()}
        _points(above, found, style, f"challenger: {decision}")
        _points(below, {place: one.worse_by for place, one in told.items() if one.worse_by}, style)
    above.set(title=title, ylabel=f"{words(metric)} on the month's test split")
    above.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, frameon=False, fontsize=9)
    below.axhline(0, color="#888888", linewidth=1)
    below.axhline(gate.tolerance, color="#b00020", linewidth=1.2, linestyle="--")
    place = (1, gate.tolerance)
    below.annotate(f"allowed: {gate.tolerance:g}", place, xycoords=("axes fraction", "data"), ha="right", va="bottom")
    below.set(ylabel=f"{words(gate.metric)}, by which the challenger\nis worse than the champion")
    below.set_xlim(-0.5, len(newest) - 0.5)
    below.set_xticks(range(len(newest)), [f"{version.month}\nversion {version.number}" for version in newest])
    return png(figure)


def _baseline(versions: Sequence[Version], spec: PipelineSpec) -> str:
    """The baseline that is hardest to beat: the one that isn't the gate's own for slices, of the newest model that has
    such a one."""
    known = ("challenger", "champion", spec.gate.baseline)
    names = (name for version in reversed(versions) for name in version.metrics)
    return next((name for name in names if name not in known), spec.gate.baseline)


def _points(axes: Any, found: Mapping[float, Measured], style: Mapping[str, Any], label: str | None = None) -> None:
    """Values at their places, with the bounds of their intervals."""
    if found:
        below = [max(0.0, one["value"] - one["low"]) for one in found.values()]
        above = [max(0.0, one["high"] - one["value"]) for one in found.values()]
        values = [one["value"] for one in found.values()]
        axes.errorbar(list(found), values, yerr=[below, above], label=label, elinewidth=1.2, capsize=2, **style)


def _interval(found: Measured, sign: str = "-") -> str:
    return f"{found['value']:{sign}.4f} ({found['low']:{sign}.4f} to {found['high']:{sign}.4f})"
