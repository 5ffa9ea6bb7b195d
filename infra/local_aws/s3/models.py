"""moto's S3, except that a bucket's policy is read with its conditions, EventBridge's notification read back, and no
access log made up."""

import io
import threading
from typing import Any

import flask
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

from local_aws.authorization import callers, enforcement
from local_aws.s3 import encryption, refusals
from local_aws.s3.bucket_policies import context, decide, permits_service


def get_permission(bucket: Any, action: str, resource: str) -> Any:
    """moto's method of that name, which takes every condition for one that denies; S3's AccessDenied where moto
    answers with an empty page."""
    if resource in callers.refused():
        return PermissionResult.DENIED
    if enforcement.is_enforced() and not callers.caller().is_root:  # it has been judged before it came here
        return PermissionResult.PERMITTED
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    action = "s3:GetObject" if action == "s3:HeadObject" else action  # there is no other permission for HEAD
    request = flask.request
    keys = context(dict(request.headers), request.remote_addr or "::1")
    effect = decide(bucket.policy.decode(), action, resource, keys)
    if effect == "Deny" and request.method != "POST":  # which deletes many, and answers for each
        raise S3AccessDeniedError
    return {"Deny": PermissionResult.DENIED, "Allow": PermissionResult.PERMITTED}.get(effect, PermissionResult.NEUTRAL)


_get_bucket_notification = S3Response.get_bucket_notification


def get_bucket_notification(response: Any) -> Any:
    """moto's method of that name, which leaves EventBridge out."""
    configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
    if configuration is None or configuration.event_bridge is None:
        return _get_bucket_notification(response)
    serialized = response.serialized

    def with_event_bridge(result: ActionResult) -> Any:
        return serialized(ActionResult({**result.result, "EventBridgeConfiguration": {}}))

    response.serialized = with_event_bridge
    return _get_bucket_notification(response)


def log_permissions_enabled_policy(bucket: Any, target_bucket: Any, target_prefix: str | None) -> bool:
    """moto's method of that name, which knows one spelling of the policy, and fails at a statement about everybody."""
    if target_bucket.policy is None:
        return False
    source: dict[str, str | None] = {"aws:sourcearn": bucket.arn, "aws:sourceaccount": bucket.account_id}
    key = f"{target_bucket.arn}/{target_prefix or ''}2013-01-01-00-00-00-0123456789ABCDEF"
    policy = target_bucket.policy.decode()
    return permits_service(policy, "logging.s3.amazonaws.com", "s3:PutObject", key, source)


def log_incoming_request(backend: Any, request: Any, bucket_name: str) -> None:
    """moto's method of that name, which leaves a made-up line of an access log for every request: none is delivered,
    as may happen on AWS."""


def dispose(marker: FakeDeleteMarker) -> None:
    """What moto asks of an object's last version, and a delete marker lacks: nothing, as it holds no content."""


def without_content(key: FakeKey, memo: Any) -> FakeKey:
    """A copy of an object to be listed: moto's has all of its bytes, for every version in the bucket."""
    copied = FakeKey.__new__(FakeKey)
    vars(copied).update({**vars(key), "_value_buffer": io.BytesIO(), "multipart": None, "lock": threading.Lock()})
    return copied


def install() -> None:
    """Put these in the place of moto's."""
    FakeBucket.get_permission = get_permission
    FakeBucket._log_permissions_enabled_policy = log_permissions_enabled_policy
    FakeDeleteMarker.dispose = dispose
    FakeKey.__deepcopy__ = without_content
    S3Backend.log_incoming_request = log_incoming_request
    S3Response.get_bucket_notification = get_bucket_notification
    encryption.install()
    refusals.install()
