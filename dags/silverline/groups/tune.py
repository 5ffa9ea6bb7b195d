"""A SageMaker tuning job that looks for hyperparameters, in a run that is told to."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import TaskGroup, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from silverline import tuning
from silverline.operators import TuningOperator
from silverline.runs import POLL_SECONDS
from silverline.sagemaker_requests import SHORT_ATTEMPT
from silverline.spec import PipelineSpec, Tuning


def tune(spec: PipelineSpec, looked_for: Tuning, training: Mapping[str, Any], upstream: Any) -> Any:
    """`choose`: the hyperparameters for a training job like `training`, and the tuning job that they come from."""
    with TaskGroup("tune", tooltip="Training jobs with one set of hyperparameters after another; the best goes on"):

        @task.short_circuit(
            ignore_downstream_trigger_rules=False,  # it is the search alone that is skipped
            doc_md="Whether this run tunes: its parameter `tune`.",
        )
        def is_wanted() -> bool:
            return bool(get_current_context()["params"]["tune"])

        search = TuningOperator(
            task_id="search",
            doc_md="Training jobs as `train` has them, with values out of the spec's ranges, measured on validation.",
            config=tuning.tuning_job(looked_for, f"{spec.aws_name}-{SHORT_ATTEMPT}", training),
            deferrable=True,
            check_interval=POLL_SECONDS,
            execution_timeout=looked_for.rounds * (spec.training_timeout + timedelta(minutes=10)),
        )

        @task(
            trigger_rule=TriggerRule.NONE_FAILED,
            doc_md="The best training job's hyperparameters; the spec's, where nothing was tuned.",
        )
        def choose(searched: dict[str, Any] | None) -> dict[str, Any]:
            try:
                chosen = tuning.choose(spec, looked_for, searched and searched["Tuning"])
            except ValueError as error:
                raise AirflowFailException(str(error)) from None
            print(chosen["sentence"] or "nothing was tuned: the hyperparameters are the spec's", flush=True)
            return chosen

        is_wanted() >> search
        upstream >> search
        return choose(search.output)
