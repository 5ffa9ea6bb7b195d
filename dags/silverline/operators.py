"""The provider's operators of SageMaker jobs, with what they lack: a job whose task is killed is stopped, a retry goes
on waiting for the job of the try before instead of starting a second one, and the task's log ends with the job's,
and with the reason where that has failed.

A deferred task has no process that could be told to stop: what such a one leaves, `jobs.stop_all` ends.
"""

from typing import Any, ClassVar

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
    SageMakerTuningOperator,
)
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.sdk import BaseOperator, Context
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from silverline import job_logs, jobs
from silverline.jobs import Kind

WAITED_FOR = "job"  # the XCom that says which job a deferred task waits for


class JobFailed(AirflowException):
    """A job that has failed or was stopped, with what SageMaker says of it."""


class _Job(BaseOperator):
    """Before one of the provider's operators, which has to be deferrable; its job's name ends with the try's number."""

    kind: ClassVar[Kind]
    config: dict[str, Any]
    check_interval: int
    aws_conn_id: str | None

    def execute(self, context: Context) -> Any:
        """The description of the job that has ended; until then, the wait for it."""
        try:
            done = self._start_or_adopt(context)
        except TaskDeferred as deferred:
            # A trigger that fails tells no more than that it has.
            context["ti"].xcom_push(WAITED_FOR, deferred.trigger.job_name)
            raise
        self._write_log(self.config[f"{self.kind.member}Name"])
        return done

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """The description of the job that has ended; JobFailed with the job's own reason where it has failed."""
        name = context["ti"].xcom_pull(self.task_id, key=WAITED_FOR)
        self._write_log(name)
        if next_method == TRIGGER_FAIL_REPR:
            self._raise_where_failed(name)
        return super().resume_execution(next_method, next_kwargs, context)

    def defer(self, *, trigger: Any, **arguments: Any) -> None:
        """Wait for the job by `trigger`, which looks at it until the task may take no longer: the provider's look 60
        times unless told otherwise, and at a tuning job 480 times whatever they are told."""
        trigger.max_attempts = int(self.execution_timeout.total_seconds()) // self.check_interval
        super().defer(trigger=trigger, **arguments)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """The datasets that the provider's operator names, named as datasets.py does; None where it names none."""
        if (of_provider := getattr(super(), "get_openlineage_facets_on_complete", None)) is None:
            return None
        found = of_provider(task_instance)
        for dataset in (*found.inputs, *found.outputs):
            dataset.name = dataset.name.rstrip("/")
        return found

    def on_kill(self) -> None:
        """Stop the job: who killed the task wants no result."""
        jobs.stop(self.kind, self.config[f"{self.kind.member}Name"])
        super().on_kill()

    def _start_or_adopt(self, context: Context) -> Any:
        """Wait for the job of a try before where it is in progress and the same; stop it where it is another."""
        member = f"{self.kind.member}Name"
        for name in jobs.earlier_tries(self.config[member]):
            job = jobs.in_progress(self.kind, name)
            if job is None:
                continue
            if jobs.is_asked_for(job, self.config, self.kind):
                self.log.info("Waiting for %s, which a try before has started", name)
                self.config[member] = name
                self.defer(
                    trigger=SageMakerTrigger(
                        job_name=name,
                        job_type=self.kind.member.removesuffix("Job").removeprefix("HyperParameter"),
                        poke_interval=self.check_interval,
                        aws_conn_id=self.aws_conn_id,
                    ),
                    method_name="execute_complete",
                    timeout=self.execution_timeout,
                )
            self.log.info("Stopping %s, which a try before has started for another request", name)
            jobs.stop(self.kind, name)
        return super().execute(context)

    def _raise_where_failed(self, name: str) -> None:
        job = jobs.describe(self.kind, name) or {}
        status = job.get(f"{self.kind.member}Status")
        if status in ("Failed", "Stopped"):
            reason = job.get("FailureReason") or job.get("ExitMessage") or "SageMaker gives no reason"
            raise JobFailed(
                f"{self.kind.member} {name} is {status} (log group {self.kind.log_group}, streams "
                f"{self.kind.log_streams(name)}): {reason}"
            )

    def _write_log(self, name: str) -> None:
        print(f"::group::The log of {name}", flush=True)
        for line in job_logs.tail(self.kind, name):
            print(line, flush=True)
        print("::endgroup::", flush=True)


class TrainingOperator(_Job, SageMakerTrainingOperator):
    """SageMakerTrainingOperator that stops and adopts its job."""

    kind = jobs.TRAINING


class ProcessingOperator(_Job, SageMakerProcessingOperator):
    """SageMakerProcessingOperator that stops and adopts its job."""

    kind = jobs.PROCESSING


class TransformOperator(_Job, SageMakerTransformOperator):
    """SageMakerTransformOperator that stops and adopts its job; its config is the plain CreateTransformJob."""

    kind = jobs.TRANSFORM


class TuningOperator(_Job, SageMakerTuningOperator):
    """SageMakerTuningOperator that stops and adopts its job."""

    kind = jobs.TUNING
