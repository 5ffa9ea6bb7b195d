"""Splits by time, and a SageMaker training job on them."""

import functools
from datetime import timedelta
from typing import Any, NamedTuple

from airflow.sdk import TaskGroup, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException

from silverline import sagemaker_requests
from silverline.groups.tune import tune
from silverline.operators import TrainingOperator
from silverline.platform import platform
from silverline.runs import POLL_SECONDS, attempt
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import PipelineSpec

CHOSEN = "{{{{ ti.xcom_pull(task_ids='train.tune.choose')['hyperparameters']['{name}'] }}}}"


class Trained(NamedTuple):
    """What `train.split`, `train.find_source`, `train.train` and, where the spec has tuning, `train.tune` hand on."""

    split: Any
    source: Any
    training: Any
    chosen: Any = None


def train(spec: PipelineSpec, planned: Any, published: Any) -> Trained:
    """Where the splits and the scripts lie, and the description of the training job that ended."""
    with TaskGroup("train", tooltip="Splits by time, and a SageMaker training job on them"):

        @task(trigger_rule=TriggerRule.NONE_FAILED, doc_md="Unloads train, validation and test as Parquet prefixes.")
        def split(plan: dict[str, Any]) -> dict[str, Any]:
            from silverline import splits

            return splits.unload(platform(), spec, plan["splits"], attempt())

        @task(doc_md="Where the training scripts were deployed to; fails at once where these very ones were not.")
        def find_source() -> str:
            from silverline import source

            try:
                return source.find(platform(), spec.name)
            except FileNotFoundError as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence

        request = functools.partial(
            sagemaker_requests.training_job,
            spec,
            name=f"{spec.aws_name}-{ATTEMPT}",
            splits="{{ ti.xcom_pull(task_ids='train.split')['prefix'] }}",
            source="{{ ti.xcom_pull(task_ids='train.find_source') }}",
            data_version="{{ ti.xcom_pull(task_ids='train.split')['data_version'] }}",
        )
        split_done = split(planned)
        published >> split_done
        found = find_source()
        planned >> found  # `stop_jobs` goes by it: a run that must not go on stops no job of the one that does
        chosen = tune(spec, spec.tuning, request(), [split_done, found]) if spec.tuning else None
        tuned = {name: CHOSEN.format(name=name) for name in spec.tuning.ranges} if spec.tuning else {}
        train = TrainingOperator(
            task_id="train",
            doc_md="AWS's scikit-learn image in script mode: sagemaker_scripts/<pipeline>/train.py.",
            config=request(tuned=tuned),
            deferrable=True,
            print_log=False,  # the hook would re-read the log every 30 s; the operator reads it once, at the end
            check_interval=POLL_SECONDS,
            execution_timeout=spec.training_timeout + timedelta(minutes=10),
        )
        [split_done, found] >> train
        if chosen is not None:
            chosen >> train
        return Trained(split_done, found, train.output, chosen)
