"""The operator that changes an endpoint and waits for it without a worker's slot."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.sdk import BaseOperator, Context
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR, TriggerFailureReason

from silverline import rollout
from silverline.runs import POLL_SECONDS

Step = Callable[[Context, dict[str, Any], rollout.Endpoint | None, bool], bool]
"""Given the task's context, its request, the endpoint, and whether the change is started: whether to wait."""


class EndpointOperator(BaseOperator):
    """Takes `step` whenever the endpoint is at rest, until nothing is left to wait for; and where the change that it
    waits for takes longer than `timeout`.

    What it does next follows from the endpoint: a retry finds the change that an earlier try has started. Whether that
    has ended where it began is for `step` to say.
    """

    template_fields = ("config", "target")
    deferrable = True

    def __init__(self, *, config: dict[str, Any], target: str, step: Step, timeout: timedelta, **kwargs: Any) -> None:
        super().__init__(execution_timeout=timeout + timedelta(minutes=10), **kwargs)
        self.config = config
        self.target = target
        self.step = step
        self.timeout = timeout

    def execute(self, context: Context, event: Mapping[str, Any] | None = None, started: bool = False) -> Any:
        """What the endpoint serves in the end."""
        name = self.config["EndpointName"]
        endpoint = rollout.describe(name)
        started = started or rollout.is_going_to(endpoint, self.target)
        if not rollout.in_progress(endpoint):
            if not self.step(context, self.config, endpoint, started):
                return {"serves": (rollout.describe(name) or {}).get("EndpointConfigName")}
            started = True
        self.defer(
            trigger=SageMakerTrigger(
                job_name=name,
                job_type="endpoint",
                poke_interval=POLL_SECONDS,
                max_attempts=2 * int(self.timeout.total_seconds()) // POLL_SECONDS,  # `timeout` ends it before
            ),
            method_name="go_on" if started else "execute",
            timeout=self.timeout,
        )

    def go_on(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:
        """What the endpoint serves in the end, after the change that was started."""
        return self.execute(context, started=True)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on; a trigger that failed because the endpoint did, or because it takes too long, is no error: the next
        step says what that means."""
        if next_method == TRIGGER_FAIL_REPR:
            endpoint = rollout.describe(self.config["EndpointName"])
            if endpoint and endpoint["EndpointStatus"] in rollout.BROKEN:
                return self.execute(context, started=endpoint["EndpointConfigName"] == self.target)
            timed_out = (next_kwargs or {}).get("error") == TriggerFailureReason.TRIGGER_TIMEOUT
            if timed_out and rollout.is_going_to(endpoint, self.target):
                self.step(context, self.config, endpoint, True)
        return super().resume_execution(next_method, next_kwargs, context)
