"""The judgment of calls, where there is any."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from moto.core.exceptions import ServiceException

from local_aws.authorization import callers, documents, keys
from local_aws.authorization.policies import Decision, Inquiry, decide
from local_aws.authorization.principals import Principal
from local_aws.authorization.recorder import Recorder

Conditions = Mapping[str, str | Sequence[str]]

_enforced = False
_recorder: Recorder | None = None


class AccessDenied(ServiceException):
    """An action that its caller's policies don't allow."""

    code = "AccessDeniedException"

    def __init__(self, principal: Principal, action: str, resource: str, decision: Decision) -> None:
        named = f'"{resource}"' if action.startswith("s3:") else resource
        refusal = f"User: {principal.arn} is not authorized to perform: {action} on resource: {named} {decision.reason}"
        super().__init__("Access Denied" if principal.kind == "anonymous" else refusal)


def begin(enforced: bool, record: Path | None) -> None:
    """Judge calls from now on where `enforced`, and write them down in the file `record`."""
    global _enforced, _recorder
    _enforced = enforced
    _recorder = Recorder(record) if record else None


def end() -> None:
    """Neither judge nor record any more."""
    global _enforced, _recorder
    recorder, _enforced, _recorder = _recorder, False, None
    if recorder:
        recorder.close()


def is_active() -> bool:
    """Whether calls are judged or recorded."""
    return _enforced or _recorder is not None


def is_enforced() -> bool:
    """Whether calls are judged."""
    return _enforced


def require(principal: Principal, action: str, resource: str, conditions: Conditions | None = None) -> None:
    """Return where `principal` may do `action` on `resource`, or where calls are not judged, and AccessDenied where it
    may not. `conditions` are the action's own condition keys and their values."""
    if not is_active():
        return
    decision = judge(principal, action, resource, conditions or {}) if _enforced else Decision(True)
    if _recorder:
        _recorder.write(principal, action, resource, decision.allowed, callers.user_agent())
    if not decision.allowed:
        raise AccessDenied(principal, action, resource, decision)


def judge(principal: Principal, action: str, resource: str, conditions: Conditions) -> Decision:
    """What the policies say that have a say in it."""
    if principal.is_root:
        return Decision(True)
    own = {name.lower(): (value,) if isinstance(value, str) else tuple(value) for name, value in conditions.items()}
    inquiry = Inquiry(principal, action, resource, keys.known(principal, resource) | own)
    return decide(inquiry, documents.policies_for(principal, action, resource))
