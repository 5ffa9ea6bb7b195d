"""The widgets of a dashboard, each drawn from what its JSON says:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.console import log_widgets, metric_widgets
from local_aws.console.clients import client, region
from local_aws.console.errors import Trouble, trouble_of
from local_aws.console.grid import Place
from local_aws.console.properties import BadWidget, Drawn, member
from local_aws.console.ranges import TimeRange

_STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True)
class Box:
    """A drawn widget: `kind` names the block of dashboard.html that shows `content`, `note` says what was left out."""

    place: Place
    title: str
    kind: str
    content: Any
    note: str = ""


def box(widget: Mapping[str, Any], place: Place, shown: TimeRange, adapt: bool) -> Box:
    """The widget in its place; where it can't be drawn, a box that says why."""
    kind, properties = widget.get("type"), widget.get("properties")
    title = str(properties.get("title", "")) if isinstance(properties, dict) else ""
    try:
        if kind not in _DRAWN:
            raise BadWidget(f"Widgets of type {kind!r} are not drawn here; {', '.join(_DRAWN)} are.")
        if not isinstance(properties, dict):
            raise BadWidget(f"The {kind} widget has no object called properties.")
        drawn = _DRAWN[str(kind)](properties, shown, adapt)
    except BadWidget as error:
        return Box(place, title, "trouble", Trouble("This widget can't be drawn", str(error)))
    except (ClientError, BotoCoreError) as error:
        return Box(place, title, "trouble", trouble_of(error))
    left = sorted(properties.keys() - drawn.known)
    return Box(place, title, drawn.kind, drawn.content, f"Not drawn here: {', '.join(left)}" if left else "")


def _metric(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    return metric_widgets.drawn(properties, shown, member(properties, "region", str, region()), adapt)


def _log(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    return log_widgets.drawn(properties, shown, member(properties, "region", str, region()))


def _alarm(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    arns = member(properties, "alarms", list, [])
    if not all(isinstance(arn, str) and arn.count(":") >= 6 for arn in arns):
        raise BadWidget(f"Not all of its alarms are ARNs: {arns!r}")
    found: dict[str, Any] = {}
    for of_region, some in itertools.groupby(sorted(arns), lambda arn: arn.split(":")[3]):
        names = [arn.split(":", 6)[6] for arn in some]
        for batch in itertools.batched(names, 50):
            types = ["MetricAlarm", "CompositeAlarm"]
            answer = client("cloudwatch", of_region).describe_alarms(AlarmNames=list(batch), AlarmTypes=types)
            found |= {alarm["AlarmArn"]: alarm for kind in types for alarm in answer[f"{kind}s"]}
    states = member(properties, "states", list, [])
    wanted = [arn for arn in arns if not states or (found.get(arn) or {}).get("StateValue") in states]
    if member(properties, "sortBy", str, "default") == "stateUpdatedTimestamp":
        wanted.sort(key=lambda arn: _urgency(found.get(arn)))
    alarms = [(arn.split(":", 6)[6], found.get(arn)) for arn in wanted]
    return Drawn("alarms", alarms, {"title", "alarms", "states", "sortBy"})


def _urgency(alarm: Mapping[str, Any] | None) -> tuple[int, float]:
    """Those that are on first, and of those the newest."""
    if alarm is None:
        return len(_STATES), 0.0
    return _STATES.index(alarm["StateValue"]), -alarm["StateUpdatedTimestamp"].timestamp()


def _text(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    from markdown_it import MarkdownIt  # here, because most pages have no use for it

    # Its own HTML is shown as text, and a link to javascript: is none.
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return Drawn(
        "markdown", reader.render(member(properties, "markdown", str, "")), {"markdown", "background", "title"}
    )


_DRAWN: dict[str, Callable[[Mapping[str, Any], TimeRange, bool], Drawn]] = {
    "metric": _metric,
    "alarm": _alarm,
    "log": _log,
    "text": _text,
}
