"""Endpoints: a name, the fleet that answers for it, and how another fleet takes its place."""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from local_aws.gate import gate
from local_aws.sagemaker import data_capture
from local_aws.sagemaker.deployments import Alarms, Plan, RolledBack
from local_aws.sagemaker.failures import LONGEST_REASON
from local_aws.sagemaker.fleets import Fleet, FleetFailed, Surround, UnknownVariant, VariantServer
from local_aws.sagemaker.serving import Answer

logger = logging.getLogger(__name__)

RESUME_SECONDS = 45.0  # AWS waits 60 for an answer
ALARM_SECONDS = 1.0  # between two looks at a deployment's alarms
_RUNTIME = ("_lock", "_closed", "_resumed", "_pending", "_pending_share", "_pending_status")


class NotServing(Exception):
    """No model server answers for the endpoint: it is being created, has failed, or is gone."""


class _Closed(Exception):
    """The endpoint is to end while it is being deployed."""


class Endpoint:
    """What CreateEndpoint asked for and what has become of it.

    Pickled, it keeps its record and loses its processes; `resume` starts them again.
    """

    def __init__(self, name: str, arn: str, config_name: str, tags: list[dict[str, str]]) -> None:
        self.endpoint_name = name
        self.arn = arn
        self.config_name = config_name
        self.tags = tags
        self.endpoint_status = "Creating"
        self.failure_reason: str | None = None
        self.last_deployment_config: Mapping[str, Any] | None = None
        self.creation_time = self.last_modified_time = datetime.now(UTC)
        self.fleet: Fleet | None = None
        self._make_runtime()

    def _make_runtime(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._resumed = threading.Event()  # what is asked before, waits
        self._resumed.set()
        # A fleet on its way, the share of the requests that it gets already, and what is being done with it.
        self._pending: Fleet | None = None
        self._pending_share = Fraction(0)
        self._pending_status = "Creating"

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name not in _RUNTIME}
            if self.endpoint_status == "SystemUpdating":
                state["fleet"] = self._pending
            return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_runtime()
        if self.in_progress() and self.endpoint_status != "SystemUpdating":
            self.endpoint_status = "InService" if self.fleet else "Failed"
            self.failure_reason = "local AWS ended while the endpoint was being deployed"

    @property
    def response_create(self) -> dict[str, str]:
        return {"EndpointArn": self.arn}

    def summary(self) -> dict[str, Any]:
        """The endpoint's line in ListEndpoints."""
        return {
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.arn,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "EndpointStatus": self.endpoint_status,
        }

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to DescribeEndpoint."""
        with self._lock:
            present = self.fleet or self._pending
            described = {
                **self.summary(),
                "EndpointConfigName": self.config_name,
                "FailureReason": self.failure_reason,
                "DataCaptureConfig": data_capture.summary(present.capture) if present else None,
                "ProductionVariants": self.fleet.described() if self.fleet else None,
                "LastDeploymentConfig": self.last_deployment_config,
                "PendingDeploymentSummary": self._pending_deployment(),
            }
        return {key: value for key, value in described.items() if value is not None}

    def _pending_deployment(self) -> dict[str, Any] | None:
        if not self._pending:
            return None
        return {
            "EndpointConfigName": self._pending.config_name,
            "ProductionVariants": self._pending.described(float(self._pending_share), self._pending_status),
            "StartTime": self._pending.start_time,
        }

    def deploy(
        self,
        fleet: Fleet,
        surround: Surround,
        plan: Plan | None = None,
        alarms: Alarms | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Start `fleet` in a thread; it replaces the present one as `plan` says, and goes again where that fails."""
        with self._lock:
            self._pending, self._pending_share, self._pending_status = fleet, Fraction(0), "Creating"
            if config:
                self.last_deployment_config = config
        arguments = (fleet, surround, plan or Plan(), alarms)
        threading.Thread(target=self._deploy, args=arguments, name=f"deploy {self.endpoint_name}", daemon=True).start()

    def resume(self, surround: Surround) -> None:
        """Start the model servers of an endpoint that was in service when it was pickled."""
        with self._lock:
            fleet, self.fleet = self.fleet, None
            if fleet is None:
                return
            self.endpoint_status = "SystemUpdating"
            self._resumed.clear()
        self.deploy(fleet, surround)

    def _deploy(self, fleet: Fleet, surround: Surround, plan: Plan, alarms: Alarms | None) -> None:
        reason = None
        try:
            until = time.monotonic() + plan.timeout_seconds
            fleet.start(self.endpoint_name, surround)
            if self.fleet:
                self._shift(plan, alarms, until)
        except FleetFailed as error:
            reason = str(error)
        except RolledBack as error:
            reason = f"The deployment of {fleet.config_name} has been rolled back: {error}."
        except _Closed:
            reason = "The endpoint has been closed."
        except Exception as error:  # this thread is the last to see it: the endpoint has to say so
            logger.exception("endpoint %s", self.endpoint_name)
            reason = f"local AWS failed with {error!r}; its log has more"
        with self._lock:
            self._pending_share = Fraction(0)
            if reason and self.fleet:
                self.endpoint_status = "RollingBack"
            if reason or self._closed.is_set():
                superseded: Fleet | None = fleet
            else:
                superseded, self.fleet = self.fleet, fleet
                self.config_name = fleet.config_name
                self._finish(None)
        if superseded:
            superseded.stop(drain=not self._closed.is_set())
        with self._lock:
            if reason and not self._closed.is_set():  # what was interrupted is kept as such
                self._finish(reason)
            self._resumed.set()

    def _finish(self, reason: str | None) -> None:
        """Leave Creating, Updating or RollingBack; called under the lock."""
        self._pending = None
        if reason or self.endpoint_status != "SystemUpdating":  # one that serves again is as it was
            self.failure_reason = reason[:LONGEST_REASON] if reason else None
            self.last_modified_time = datetime.now(UTC)
        self.endpoint_status = "InService" if self.fleet else "Failed"
        gate.changed.set()

    def _shift(self, plan: Plan, alarms: Alarms | None, until: float) -> None:
        """Give the pending fleet its shares of the requests, step by step; RolledBack where an alarm goes off."""
        self._watch(0, alarms, until)
        for share in plan.shares:
            with self._lock:
                self._pending_share, self._pending_status = share, "Baking"
            self._watch(plan.bake_seconds, alarms, until)
        self._watch(plan.termination_wait_seconds, alarms, until)

    def _watch(self, seconds: float, alarms: Alarms | None, until: float) -> None:
        """Look at the alarms and at the time, for `seconds` and once more at their end."""
        end = time.monotonic() + seconds
        while True:
            if alarms:
                alarms.check()
            if time.monotonic() > until:
                raise RolledBack("it took longer than its MaximumExecutionTimeoutInSeconds")
            left = end - time.monotonic()
            if self._closed.wait(max(min(left, ALARM_SECONDS), 0)):
                raise _Closed
            if left <= 0:
                return

    def in_progress(self) -> bool:
        """Whether the endpoint is being created or changed, so that AWS refuses to change it."""
        return self.endpoint_status in ("Creating", "Updating", "RollingBack", "SystemUpdating")

    def begin_update(self) -> bool:
        """Enter Updating; False where the endpoint isn't InService."""
        with self._lock:
            if self.endpoint_status != "InService":
                return False
            self.endpoint_status = "Updating"
            return True

    def set_capacities(self, desired: Sequence[Mapping[str, Any]]) -> None:
        """Change variants' weights and instance counts; UnknownVariant, and no change, where a name is unknown."""
        with self._lock:
            variants = self.fleet.variants if self.fleet else {}
            for change in desired:
                if change["VariantName"] not in variants:
                    raise UnknownVariant(change["VariantName"])
            for change in desired:
                variant = variants[change["VariantName"]]
                variant.weight = change.get("DesiredWeight", variant.weight)
                variant.instance_count = change.get("DesiredInstanceCount", variant.instance_count)
            self.last_modified_time = datetime.now(UTC)

    def invoke(
        self, body: bytes, headers: Mapping[str, str], target: str | None, received: float
    ) -> tuple[str, Answer]:
        """The variant that answered (chosen by weight, or `target`), and its answer to a request that came in at
        monotonic time `received`; NotServing, UnknownVariant or NoAnswer where there is none."""
        self._resumed.wait(RESUME_SECONDS)
        server = self._choose(target)
        try:
            return server.variant.name, server.invoke(body, headers, received)
        finally:
            server.leave()

    def _choose(self, target: str | None) -> VariantServer:
        with self._lock:
            fleets = [self.fleet, self._pending]
            if random.random() < self._pending_share:
                fleets.reverse()
            serving = [fleet for fleet in fleets if fleet and (fleet is self.fleet or self._pending_share)]
            if self._closed.is_set() or not self.fleet:
                raise NotServing
            for fleet in serving:
                if target is None or target in fleet.variants:
                    server = fleet.choose(target)
                    server.enter()
                    return server
        raise UnknownVariant(target or "")

    def close(self, drain: bool = True) -> None:
        """End every model server."""
        with self._lock:
            self._closed.set()
            fleets = [self.fleet, self._pending]
        for fleet in fleets:
            if fleet:
                fleet.stop(drain)
