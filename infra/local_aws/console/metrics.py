"""A metric widget's `metrics`: without their shorthand, as GetMetricData takes them, and as lines to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local_aws.console.charts import COLORS, Line
from local_aws.console.clients import client
from local_aws.console.properties import BadWidget
from local_aws.console.ranges import TimeRange

PERIOD, STAT = 300, "Average"  # of a widget that says nothing
MOST_POINTS = 1440  # of a line; a longer range gets longer periods
_LONGER = (1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)


@dataclass(frozen=True)
class Metric:
    """One entry of `metrics`: `parts` are namespace, name and pairs of a dimension's name and value, none for an
    expression; `options` the object at its end."""

    parts: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named_parts(self) -> dict[str, str]:
        """The parts, each by what it is; none of an expression."""
        names = ("Namespace", "MetricName", *self.parts[2::2])
        return dict(zip(names, (*self.parts[:2], *self.parts[3::2]), strict=True)) if self.parts else {}


def expanded(entries: Any) -> list[Metric]:
    """The entries, with what "." and "..." stand for: the same as in the entry before; BadWidget where one is none."""
    if not isinstance(entries, list):
        raise BadWidget("its metrics are no array")
    found: list[Metric] = []
    before: list[str] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, list) or not entry:
            raise BadWidget(f"metric {number} is no array with something in it: {entry!r}")
        options = entry[-1] if isinstance(entry[-1], dict) else {}
        parts = entry[:-1] if options else list(entry)
        if not all(isinstance(part, str) for part in parts):
            raise BadWidget(f"metric {number} has a part that is no text: {entry!r}")
        if not parts and not options.get("expression"):
            raise BadWidget(f"metric {number} has neither a name nor an expression: {entry!r}")
        if parts:
            before = parts = _without_shorthand(parts, before, number)
        found.append(Metric(tuple(parts), options))
    return found


def _without_shorthand(parts: list[str], before: list[str], number: int) -> list[str]:
    if parts[0] == "...":
        if len(parts) > len(before):
            raise BadWidget(f'metric {number}: the metric before it has too few parts for its "..."')
        parts = before[: len(before) - len(parts) + 1] + parts[1:]
    if any(part == "." and place >= len(before) for place, part in enumerate(parts)):
        raise BadWidget(f'metric {number}: the metric before it has no part for one of its "."')
    full = [before[place] if part == "." else part for place, part in enumerate(parts)]
    if len(full) < 2 or len(full) % 2:
        raise BadWidget(f"metric {number} is no namespace, name and pairs of a dimension's name and value: {full!r}")
    return full


def labels(metrics: Sequence[Metric], stats: Sequence[str]) -> list[str]:
    """What tells each metric from the others: its own label, or as few of its parts as that takes."""
    named = [
        metric.named_parts | {"Stat": stat} if metric.parts else {} for metric, stat in zip(metrics, stats, strict=True)
    ]
    unlabelled = [
        parts for parts, metric in zip(named, metrics, strict=True) if parts and not metric.options.get("label")
    ]
    dimensions = [name for parts in unlabelled for name in parts if name not in ("Namespace", "MetricName", "Stat")]
    telling: list[str] = []
    for name in dict.fromkeys(["MetricName", *dimensions, "Stat", "Namespace"]):
        told_apart = len({tuple(parts.get(each) for each in telling) for parts in unlabelled}) == len(unlabelled)
        if not told_apart and len({parts.get(name) for parts in unlabelled}) > 1:
            telling.append(name)
    return [
        str(metric.options.get("label") or " ".join(parts[name] for name in telling or ["MetricName"] if name in parts))
        for metric, parts in zip(metrics, named, strict=True)
    ]


def lines(properties: Mapping[str, Any], shown: TimeRange, region: str, adapt: bool = True) -> list[Line]:
    """What the widget's metrics were in that range, in their order; where `adapt` is set, by longer periods than the
    widget's where these were too many. BadWidget, or AWS's error, where they can't be had."""
    metrics = expanded(properties["metrics"])
    if not metrics:
        return []
    stats = [str(metric.options.get("stat") or properties.get("stat") or STAT) for metric in metrics]
    if any(metric.options.get("region", region) != region or "accountId" in metric.options for metric in metrics):
        raise BadWidget("Metrics of another region than the widget's, or of another account, are not drawn here.")
    queries: dict[str, dict[str, Any]] = {}
    colors: dict[str, Any] = {}
    for number, (metric, stat, label) in enumerate(zip(metrics, stats, labels(metrics, stats), strict=True)):
        name = str(metric.options.get("id") or f"unnamed{number}")
        if name in queries:
            raise BadWidget(f"two of its metrics have the id {name}")
        period = _period(metric.options.get("period") or properties.get("period") or PERIOD, shown, adapt)
        if properties.get("setPeriodToTimeRange"):
            period = -(-shown.seconds // 60) * 60
        queries[name] = _query(name, metric, stat, period, label)
        colors[name] = metric.options.get("color")
    found: list[Line] = []
    for name, results in _ask(list(queries.values()), shown, region).items():
        for label, times, values in results:
            color = colors[name] if colors[name] and len(results) == 1 else COLORS[len(found) % len(COLORS)]
            right = metrics[list(queries).index(name)].options.get("yAxis") == "right"
            found.append(Line(label, times, values, color, right))
    return found


def _period(asked: Any, shown: TimeRange, adapt: bool) -> int:
    if not isinstance(asked, int) or asked < 1:
        raise BadWidget(f"its period {asked!r} is no number of seconds")
    enough = [longer for longer in _LONGER if longer >= asked and shown.seconds / longer <= MOST_POINTS]
    return enough[0] if adapt and shown.seconds / asked > MOST_POINTS and enough else asked


def _query(name: str, metric: Metric, stat: str, period: int, label: str) -> dict[str, Any]:
    common = {"Id": name, "ReturnData": metric.options.get("visible", True)} | ({"Label": label} if label else {})
    if not metric.parts:
        return common | {"Expression": metric.options["expression"], "Period": period}
    namespace, metric_name, *dimensions = metric.parts
    pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
    named = [{"Name": dimension, "Value": value} for dimension, value in pairs]
    what = {"Namespace": namespace, "MetricName": metric_name, "Dimensions": named}
    return common | {"MetricStat": {"Metric": what, "Period": period, "Stat": stat}}


def _ask(queries: list[dict[str, Any]], shown: TimeRange, region: str) -> dict[str, list[Any]]:
    """GetMetricData's results by their query: labels, times and values, oldest first."""
    found: dict[tuple[str, str], tuple[list[Any], list[float]]] = {}
    longest = max((query.get("Period") or query["MetricStat"]["Period"] for query in queries), default=1)
    # Periods begin where the range does, and are drawn where they begin: at full hours and not at the chart's edge.
    start = datetime.fromtimestamp(shown.start.timestamp() // longest * longest, UTC)
    pages = (
        client("cloudwatch", region)
        .get_paginator("get_metric_data")
        .paginate(MetricDataQueries=queries, StartTime=start, EndTime=shown.end, ScanBy="TimestampAscending")
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            times, values = found.setdefault((result["Id"], result["Label"]), ([], []))
            times += result["Timestamps"]
            values += result["Values"]
    return {
        query["Id"]: [(label, *data) for (name, label), data in found.items() if name == query["Id"]]
        for query in queries
    }
