"""moto's SNS, except that a subscriber who fails or does not answer fails nobody who publishes, and that services
publish as a topic's policy lets them."""

import functools
import logging
from types import SimpleNamespace
from typing import Any

import moto.sns.models
import requests
from moto.sns.models import Subscription, sns_backends

from local_aws import authorization
from local_aws.kms import keys

logger = logging.getLogger(__name__)

DELIVERY_SECONDS = 15  # AWS's own for an HTTP endpoint's answer

_publish = Subscription.publish


def publish(subscription: Any, *arguments: Any, **options: Any) -> None:
    """moto's method of that name, which hands whatever goes wrong at one subscriber to the publisher."""
    try:
        _publish(subscription, *arguments, **options)
    except Exception as error:
        logger.warning("%s was not delivered to %s: %r", subscription.topic.arn, subscription.endpoint, error)


def publish_for(service: str, source_arn: str, topic_arn: str, message: str, subject: str | None = None) -> None:
    """Publish what comes from a service's resource; AccessDenied where the topic's policy, or that of its key, has no
    leave for the service, KeyError or SNS's own errors where there is no such topic."""
    _, _, _, region, account, _ = topic_arn.split(":", 5)
    publisher, owner = authorization.service(service), source_arn.split(":")[4]
    source = {"aws:SourceArn": source_arn, "aws:SourceAccount": owner, "aws:SourceOwner": owner}
    authorization.require(publisher, "sns:Publish", topic_arn, source)
    topic = sns_backends[account][region].topics.get(topic_arn)
    if topic and topic.kms_master_key_id:
        key = keys.key_arn(account, region, topic.kms_master_key_id)
        keys.use(publisher, ("kms:GenerateDataKey", "kms:Decrypt"), key, source)
    sns_backends[account][region].publish(message, arn=topic_arn, subject=subject)


def install() -> None:
    """Put the method, and requests that end, in moto's place."""
    Subscription.publish = publish
    moto.sns.models.requests = SimpleNamespace(post=functools.partial(requests.post, timeout=DELIVERY_SECONDS))
