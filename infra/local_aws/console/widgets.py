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
from local_aws.console.metrics import BadWidget
from local_aws.console.ranges import TimeRange


@dataclass(frozen=True)
class Box:
    """A drawn widget: `kind` names the block of widgets.html that shows `content`, `notes` what was left out."""

    place: Place
    title: str
    kind: str
    content: Any
    notes: tuple[str, ...] = ()


def box(widget: Mapping[str, Any], place: Place, shown: TimeRange, adapt: bool) -> Box:
    """The widget in its place; where it can't be drawn, a box that says why."""
    kind, properties = widget.get("type"), widget.get("properties")
    title = str(properties.get("title", "")) if isinstance(properties, dict) else ""
    try:
        if kind not in _DRAWN:
            raise BadWidget(f"Widgets of type {kind!r} are not drawn here; {', '.join(_DRAWN)} are.")
        if not isinstance(properties, dict):
            raise BadWidget(f"The {kind} widget has no object called properties.")
        made, content, known = _DRAWN[str(kind)](properties, shown, adapt)
    except BadWidget as error:
        return Box(place, title, "trouble", Trouble("This widget can't be drawn", str(error)))
    except (ClientError, BotoCoreError) as error:
        return Box(place, title, "trouble", trouble_of(error))
    left = sorted(properties.keys() - known)
    return Box(place, title, made, content, (f"Not drawn here: {', '.join(left)}",) if left else ())


Drawn = tuple[str, Any, set[str]]  # how it is shown, what is shown, and which properties have had a say


def _metric(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    kind, content = metric_widgets.drawn(properties, shown, str(properties.get("region") or region()), adapt)
    return kind, content, metric_widgets.KNOWN


def _log(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    kind, content = log_widgets.drawn(properties, shown, str(properties.get("region") or region()))
    return kind, content, log_widgets.KNOWN


def _alarm(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    arns = properties.get("alarms")
    if not isinstance(arns, list) or not all(isinstance(arn, str) and arn.count(":") >= 6 for arn in arns):
        raise BadWidget("Its alarms are no array of alarms' ARNs.")
    found: dict[str, Any] = {}
    for of_region, some in itertools.groupby(sorted(arns), lambda arn: arn.split(":")[3]):
        names = [arn.split(":", 6)[6] for arn in some]
        for batch in itertools.batched(names, 100):
            types = ["MetricAlarm", "CompositeAlarm"]
            answer = client("cloudwatch", of_region).describe_alarms(AlarmNames=list(batch), AlarmTypes=types)
            found |= {alarm["AlarmArn"]: alarm for kind in types for alarm in answer[f"{kind}s"]}
    states = properties.get("states")
    wanted = [arn for arn in arns if not states or (found.get(arn) or {}).get("StateValue") in states]
    return "alarms", [(arn.split(":", 6)[6], found.get(arn)) for arn in wanted], {"title", "alarms", "states"}


def _text(properties: Mapping[str, Any], shown: TimeRange, adapt: bool) -> Drawn:
    from markdown_it import MarkdownIt

    if not isinstance(properties.get("markdown"), str):
        raise BadWidget("It has no text called markdown.")
    # Its own HTML is shown as text, and a link to javascript: is none.
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return "markdown", reader.render(properties["markdown"]), {"markdown", "background", "title"}


_DRAWN: dict[str, Callable[[Mapping[str, Any], TimeRange, bool], Drawn]] = {
    "metric": _metric,
    "alarm": _alarm,
    "log": _log,
    "text": _text,
}
