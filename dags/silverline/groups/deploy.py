"""Model, endpoint configuration, endpoint, and known questions to it."""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
)
from airflow.sdk import Asset, TaskGroup, task

from silverline import evaluation, sagemaker_requests
from silverline.runs import POLL_SECONDS
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import PipelineSpec


def deploy(spec: PipelineSpec, approved: Any) -> Any:
    """`deploy.smoke_test`: what the endpoint answered."""
    with TaskGroup("deploy", tooltip="Model, endpoint configuration, endpoint, and known questions to it"):
        create_model = SageMakerModelOperator(
            task_id="create_model",
            doc_md="A SageMaker model of the approved model package.",
            config=sagemaker_requests.model(
                spec,
                name=f"{spec.aws_name}-{ATTEMPT}",
                package=approved["package"],
            ),
        )
        create_endpoint_config = SageMakerEndpointConfigOperator(
            task_id="create_endpoint_config",
            doc_md="All traffic of the endpoint to the new model.",
            config=sagemaker_requests.endpoint_config(
                spec,
                name=f"{spec.aws_name}-{ATTEMPT}",
                model_name="{{ ti.xcom_pull(task_ids='deploy.create_model')['Model']['ModelName'] }}",
            ),
        )

        @task(doc_md="Deletes the endpoint where its creation has failed: SageMaker does not update such a one.")
        def delete_failed_endpoint() -> bool:
            from silverline.endpoint import delete_if_failed

            return delete_if_failed(spec.aws_name)

        deploy_endpoint = SageMakerEndpointOperator(
            task_id="deploy_endpoint",
            doc_md="Creates the endpoint, or updates it when it exists.",
            config=sagemaker_requests.endpoint(
                spec,
                config="{{ ti.xcom_pull('deploy.create_endpoint_config')['EndpointConfig']['EndpointConfigName'] }}",
            ),
            deferrable=True,
            check_interval=POLL_SECONDS,
            max_ingestion_time=1800,
            execution_timeout=timedelta(minutes=40),
        )

        @task(
            doc_md="Asks the endpoint for rows of the test split whose answers the training job wrote down.",
            outlets=[Asset(f"{spec.name}.endpoint")],
        )
        def smoke_test(approved: dict[str, Any]) -> dict[str, Any]:
            from silverline.smoke_test import smoke_test

            golden = evaluation.read_outputs(approved["model_artifacts"])["golden"]
            return {"answers": smoke_test(spec.aws_name, golden), "sample_request": golden["request"][0]}

        approved >> create_model >> create_endpoint_config >> delete_failed_endpoint() >> deploy_endpoint
        answered = smoke_test(approved)
        deploy_endpoint >> answered
    return answered
