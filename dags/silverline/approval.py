"""Asks a person for approval, in Airflow and in SageMaker's registry at once: the first answer in either counts."""

from datetime import datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from airflow.sdk.timezone import utcnow

from silverline import model_packages

# Between two looks at the registry; what is answered in Airflow is seen within 5 seconds. Not shorter: each look takes
# a worker, on MWAA for half a minute.
REGISTRY_POLL = timedelta(minutes=5)
# An answer that comes at once may find the scheduler still busy with the end of what has asked for it, which it then
# takes for a crash.
SOON = timedelta(seconds=15)


class ModelApprovalOperator(ApprovalOperator):
    """Shows a form until someone answers it, or sets the package's approval status in the registry.

    One task, because Airflow lets no task answer another one's form: its wait ends every `REGISTRY_POLL` for a look at
    the registry. An answer in Airflow is written into the registry with the name of who gave it; what was decided in
    the registry before answers the form.
    """

    template_fields = (*ApprovalOperator.template_fields, "package", "decision")

    def __init__(self, *, package: str, decision: str, approval_timeout: timedelta, **kwargs: Any) -> None:
        super().__init__(response_timeout=min(REGISTRY_POLL, approval_timeout), **kwargs)
        self.package = package
        self.decision = decision
        self.approval_timeout = approval_timeout

    def execute(self, context: Any) -> Any:
        """The package's status where the registry has one already; else the form."""
        if self.decision != "promote":
            raise AirflowSkipException(f"nobody is asked: the gate's decision is {self.decision}")
        status, description = model_packages.approval(self.package)
        if status != model_packages.PENDING:
            return self._decided(status, description)
        return super().execute(context)

    def defer(self, **deferral: Any) -> NoReturn:
        """Wait for the first time, knowing until when in all: another try has no more time."""
        deadline = model_packages.registered_at(self.package) + self.approval_timeout
        raise TaskDeferred(**deferral, kwargs={"deadline": deadline.isoformat()})

    def execute_complete(
        self, context: Any, event: Any, deadline: str = "", answer: dict[str, Any] | None = None
    ) -> Any:
        """The package's status once it is decided; until then, the next wait. `answer` is one that the registry could
        not be told of before."""
        from botocore.exceptions import BotoCoreError, ClientError

        over, event = utcnow() >= datetime.fromisoformat(deadline), answer or event
        unanswered = event.get("error_type") == "timeout"
        try:
            status, description = model_packages.approval(self.package)
            if not unanswered:
                return self._take(context, event, status, description)
        except (BotoCoreError, ClientError) as error:
            if over:
                raise
            self.log.warning("SageMaker's registry can't be asked, it is again in %s: %s", REGISTRY_POLL, error)
            if not unanswered:
                self._keep(event, deadline)
            self._wait(context, deadline, until=utcnow() + REGISTRY_POLL)
        if status != model_packages.PENDING:
            option = self.APPROVE if status == model_packages.APPROVED else self.REJECT
            self._wait(context, deadline, until=utcnow() + SOON, answer=option)
        if over:
            raise AirflowSkipException(
                f"nobody has approved or rejected {self.package} within {self.approval_timeout}: it stays "
                f"{model_packages.PENDING}, and nothing is deployed; approve it and clear this task to go on"
            )
        self._wait(context, deadline, until=utcnow() + REGISTRY_POLL)

    def _take(self, context: Any, answer: dict[str, Any], status: model_packages.Status, description: str) -> Any:
        """The package's status, which is the answer's where the registry has none yet."""
        answered = HITLOperator.execute_complete(self, context, answer)
        if status == model_packages.PENDING:
            status = (
                model_packages.APPROVED if answered["chosen_options"] == [self.APPROVE] else model_packages.REJECTED
            )
            description = f"{status} in Airflow by {answered['responded_by_user']['name']}"
            model_packages.decide(self.package, status, description)
        return self._decided(status, description)

    def _keep(self, answer: dict[str, Any], deadline: str) -> NoReturn:
        """Wait without the form, whose trigger would give the answer at once; a failure would lose it, as another try
        asks anew."""
        raise TaskDeferred(
            trigger=DateTimeTrigger(utcnow() + REGISTRY_POLL),
            method_name="execute_complete",
            kwargs={"deadline": deadline, "answer": answer},
        )

    def _wait(self, context: Any, deadline: str, until: datetime, answer: str | None = None) -> NoReturn:
        """Wait for an answer; where there is none by then, the trigger gives `answer`, which a task itself can't."""
        raise TaskDeferred(
            trigger=HITLTrigger(
                ti_id=context["ti"].id,
                options=self.options,
                defaults=[answer] if answer else None,
                params=self.serialized_params,
                multiple=self.multiple,
                timeout_datetime=until,
            ),
            method_name="execute_complete",
            kwargs={"deadline": deadline},
        )

    def _decided(self, status: str, description: str) -> dict[str, str]:
        self.log.info("%s: %s (%s)", self.package, status, description or "no description was given")
        return {"status": status, "description": description}
