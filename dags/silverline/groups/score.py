"""Rows of months as requests, and a SageMaker batch transform job over them."""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerModelOperator
from airflow.sdk import TaskGroup, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from silverline import sagemaker_requests
from silverline.operators import TransformOperator
from silverline.platform import platform
from silverline.runs import POLL_SECONDS, attempt
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import BatchSpec

NO_MODEL = "no model has been deployed or approved yet: nothing to score with"


def score(spec: BatchSpec, planned: Any) -> tuple[Any, Any, Any]:
    """`score.find_model`, `score.find_requests`, and `score.transform`: the description of the job that did it."""
    name = f"{spec.aws_name}-batch-{ATTEMPT}"
    with TaskGroup("score", tooltip="Rows of months as requests, and a batch transform job over them"):

        @task(
            multiple_outputs=True,
            doc_md="The model that the endpoint serves, else the version approved for the last month.",
        )
        def find_model() -> dict[str, Any]:
            from silverline import predictions

            try:
                model = predictions.current_model(platform(), spec)
            except ValueError as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence
            if model is None:
                raise AirflowSkipException(NO_MODEL)
            return model

        @task(doc_md="Unloads the months' rows as JSON Lines, or finds those that somebody put under `prefix`.")
        def find_requests(plan: dict[str, Any], model: dict[str, Any]) -> dict[str, str]:
            from silverline import predictions

            prefix = plan["prefix"] or predictions.unload(
                platform(), spec, plan["months"], attempt(), model["model_artifacts"]
            )
            try:
                return {"prefix": prefix, "compression": predictions.compression(prefix)}
            except ValueError as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence

        model = find_model()
        requests = find_requests(planned, model)
        create_model = SageMakerModelOperator(
            task_id="create_model",
            doc_md="The same container as behind the endpoint, as a model of the run's own.",
            config=sagemaker_requests.batch_model(spec, name=name, container=model["container"]),
        )
        transform = TransformOperator(
            task_id="transform",
            doc_md="Sends the requests to the model and puts each answer beside the key of its row.",
            config=sagemaker_requests.transform_job(
                spec,
                name=name,
                model_name="{{ ti.xcom_pull(task_ids='score.create_model')['Model']['ModelName'] }}",
                requests="{{ ti.xcom_pull(task_ids='score.find_requests')['prefix'] }}",
                compression="{{ ti.xcom_pull(task_ids='score.find_requests')['compression'] }}",
            ),
            deferrable=True,
            check_interval=POLL_SECONDS,
            execution_timeout=spec.timeout + timedelta(minutes=10),
        )

        @task(doc_md="Deletes the run's own model, of whichever try, whatever came of it.")
        def delete_model(created: dict[str, Any]) -> list[str]:
            from silverline import predictions

            return predictions.delete_models(created["Model"]["ModelName"])

        planned >> model >> requests >> create_model >> transform
        deleted = delete_model(create_model.output)
        transform >> deleted
        deleted.as_teardown(setups=create_model)
    return model, requests, transform.output
