"""moto's SNS, except that a subscriber who fails or does not answer fails nobody who publishes."""

import functools
import logging
from types import SimpleNamespace
from typing import Any

import moto.sns.models
import requests
from moto.sns.models import Subscription

logger = logging.getLogger(__name__)

DELIVERY_SECONDS = 15  # AWS's own for an HTTP endpoint's answer

_publish = Subscription.publish


def publish(subscription: Any, *arguments: Any, **options: Any) -> None:
    """moto's method of that name, which hands whatever goes wrong at one subscriber to the publisher."""
    try:
        _publish(subscription, *arguments, **options)
    except Exception as error:
        logger.warning("%s was not delivered to %s: %r", subscription.topic.arn, subscription.endpoint, error)


def install() -> None:
    """Put the method, and requests that end, in moto's place."""
    Subscription.publish = publish
    moto.sns.models.requests = SimpleNamespace(post=functools.partial(requests.post, timeout=DELIVERY_SECONDS))
