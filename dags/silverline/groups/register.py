"""Every evaluated model becomes a version of the pipeline's model package group, also one that the gate refuses."""

from datetime import timedelta
from typing import Any

from airflow.sdk import TaskGroup, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from silverline.platform import platform
from silverline.spec import PipelineSpec


def register(spec: PipelineSpec, planned: Any, split: Any, gated: Any, chosen: Any = None) -> Any:
    """`register.register`: the ARN of the model package; `chosen` says where hyperparameters come from."""
    with TaskGroup("register", tooltip="A version in SageMaker's model registry: metrics, model card, lineage"):

        @task(doc_md="Registers the model with its metrics, its model card and all that it was made of.")
        def register(
            plan: dict[str, Any], split: dict[str, Any], gated: dict[str, Any], chosen: dict[str, Any] | None
        ) -> str:
            from silverline import datasets, registration

            package = registration.register(platform(), spec, plan, split["silver_runs"], gated, chosen)
            datasets.record([gated["model_artifacts"], gated["evaluation"]], [package])
            return package

        @task(
            execution_timeout=timedelta(minutes=5),  # the next run waits for this one's last task
            doc_md="Tells MLflow of the run, where one is configured: parameters, metrics, curves, artifacts. It fails "
            "in red and alone: a model is deployed, and the run a success, whether or not MLflow was there.",
        )
        def track(gated: dict[str, Any] | None, package: str | None) -> dict[str, str]:
            from silverline import tracking

            if gated is None or package is None:
                raise AirflowSkipException("there is no model package to tell of")
            place = platform()
            if (uri := tracking.address(place)) is None:
                raise AirflowSkipException(
                    "Airflow's environment has no MLFLOW_TRACKING_URI, and the platform document no mlflow_tracking_uri"
                )
            return tracking.track(place, spec, uri, gated, package, get_current_context()["dag_run"].run_id)

        registered = register(planned, split, gated, chosen)
        # The kind of task that Airflow doesn't count for a run's state; it also comes after what has failed.
        track(gated, registered).as_teardown()
        return registered
