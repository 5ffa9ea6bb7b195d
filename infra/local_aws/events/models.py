"""moto's EventBridge, except that a disabled rule is, that topics are targets, and that a target that gets nothing
does not fail whoever puts an event."""

import copy
import json
import logging
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import iso_8601_datetime_without_milliseconds, utcfromtimestamp
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from local_aws.sns.models import publish_for

logger = logging.getLogger(__name__)

_send_to_targets = Rule.send_to_targets


def send_to_targets(rule: Any, event: dict[str, Any], transform_input: bool = True) -> None:
    """moto's method of that name, a target at a time."""
    if rule.state == "DISABLED" or not rule.event_pattern.matches_event(event):
        return
    for target in list(rule.targets):
        try:
            if f"{target['Arn']}::".split(":")[2] == "sns":
                publish_for("events.amazonaws.com", rule.arn, target["Arn"], json.dumps(_input(target, event)))
            else:
                alone = copy.copy(rule)
                alone.targets = [target]
                _send_to_targets(alone, event, transform_input)
        except NotImplementedError:
            logger.warning("rule %s: local AWS sends no events to %s", rule.name, target["Arn"])
        except (ServiceException, KeyError) as error:
            logger.warning("rule %s: the event was not sent to %s: %r", rule.name, target["Arn"], error)


def _input(target: dict[str, Any], event: dict[str, Any]) -> Any:
    """What the target gets of an event."""
    if target.get("Input"):
        return json.loads(target["Input"])
    transformer = target.get("InputTransformer")
    if transformer:
        return EventTemplateParser.parse(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event)
    known = {name: value for name, value in event.items() if name != "ingestion-time"}
    return {**known, "time": iso_8601_datetime_without_milliseconds(utcfromtimestamp(float(event["time"])))}


def install() -> None:
    """Put the method in moto's place."""
    Rule.send_to_targets = send_to_targets
