"""Every evaluated model becomes a version of the pipeline's model package group, also one that the gate refuses."""

from typing import Any

from airflow.sdk import TaskGroup, task

from silverline.platform import platform
from silverline.spec import PipelineSpec


def register(spec: PipelineSpec, planned: Any, gated: Any, chosen: Any = None) -> Any:
    """`register.register`: the ARN of the model package; `chosen` says where hyperparameters come from."""
    with TaskGroup("register", tooltip="A version in SageMaker's model registry: metrics, model card, lineage"):

        @task(doc_md="Registers the model with its metrics, its model card and all that it was made of.")
        def register(plan: dict[str, Any], gated: dict[str, Any], chosen: dict[str, Any] | None) -> str:
            from silverline import registration

            return registration.register(platform(), spec, plan, gated, chosen)

        return register(planned, gated, chosen)
