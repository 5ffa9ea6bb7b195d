"""Model, endpoint configuration, a canary of the endpoint, known questions to it, and the way back."""

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerEndpointConfigOperator, SageMakerModelOperator
from airflow.sdk import Asset, Context, TaskGroup, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from silverline import evaluation, model_packages, rollout, sagemaker_requests
from silverline.deployment import EndpointOperator
from silverline.platform import platform
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import PipelineSpec

CONFIG = "{{ ti.xcom_pull('deploy.create_endpoint_config')['EndpointConfig']['EndpointConfigName'] }}"
OBJECTION = "objection"  # the XCom of a task that found the model to be no good
LONGEST_ROLL_OUT = timedelta(hours=3)  # SageMaker itself goes back before, as sagemaker_requests.endpoint_update asks


def deploy(spec: PipelineSpec, approved: Any) -> Any:
    """`deploy.smoke_test`: what the endpoint answered."""
    with TaskGroup("deploy", tooltip="Model, endpoint configuration, canary, known questions, and the way back"):
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

        @task(
            doc_md="What the endpoint serves now, to go back to. One whose creation has failed is deleted: SageMaker "
            "does not update such a one."
        )
        def prepare() -> dict[str, str | None]:
            return {"previous": rollout.prepare(spec.aws_name)}

        def start(context: Context, request: dict[str, Any], endpoint: rollout.Endpoint | None, started: bool) -> bool:
            try:
                return rollout.advance(spec, platform(), request, endpoint, started)
            except rollout.Objection as objection:
                raise _failure(context, objection) from None

        roll_out = EndpointOperator(
            task_id="roll_out",
            doc_md="Creates the endpoint; where it exists, half of the requests go to the new model first, and the "
            "rest when no alarm has gone off. On an alarm SageMaker goes back by itself.",
            config=sagemaker_requests.endpoint(spec, CONFIG),
            target=CONFIG,
            step=start,
            timeout=LONGEST_ROLL_OUT,
        )

        @task(
            doc_md="Asks the endpoint for rows of the test split whose answers the training job wrote down.",
            outlets=[Asset(f"{spec.name}.endpoint")],
        )
        def smoke_test(approved: dict[str, Any]) -> dict[str, Any]:
            from silverline.smoke_test import smoke_test

            golden = evaluation.read_outputs(approved["model_artifacts"])["golden"]
            try:
                answers = smoke_test(spec.aws_name, golden)
            except rollout.Objection as objection:
                raise _failure(get_current_context(), objection) from None
            return {"answers": answers, "sample_request": golden["request"][0]}

        def go_back(
            context: Context, request: dict[str, Any], endpoint: rollout.Endpoint | None, started: bool
        ) -> bool:
            pull = context["ti"].xcom_pull
            if pull("deploy.smoke_test"):
                return False
            if rollout.retreat(request, pull("deploy.prepare")["previous"], endpoint, started):
                return True
            for task_id in ("deploy.roll_out", "deploy.smoke_test"):
                if objection := pull(task_id, key=OBJECTION):
                    package = pull("deploy.create_model")["Model"]["PrimaryContainer"]["ModelPackageName"]
                    model_packages.decide(package, model_packages.REJECTED, objection)
            return False

        settle = EndpointOperator(
            task_id="settle",
            doc_md="Leaves what has passed the smoke test. Anything else goes, also after a run that was stopped: the "
            "endpoint serves the configuration before, or is deleted where there was none. The package of a model that "
            "was found to be no good is Rejected.",
            config=sagemaker_requests.endpoint(spec, CONFIG),
            target="{{ ti.xcom_pull('deploy.prepare')['previous'] }}",
            step=go_back,
            timeout=2 * LONGEST_ROLL_OUT,  # for what is under way, and for the way back
        )

        @task(doc_md="Deletes old models and endpoint configurations; the newest ones stay, to go back to.")
        def delete_old_models() -> dict[str, list[str]]:
            from silverline import retention

            return retention.delete_old(spec, platform())

        prepared, answered = prepare(), smoke_test(approved)
        approved >> create_model >> create_endpoint_config >> prepared >> roll_out >> answered >> delete_old_models()
        answered >> settle.as_teardown(setups=prepared, on_failure_fail_dagrun=True)
    return answered


def _failure(context: Context, objection: rollout.Objection) -> AirflowFailException:
    """What ends the task without another try; `settle` finds the reason in its XCom."""
    context["ti"].xcom_push(OBJECTION, str(objection))
    return AirflowFailException(str(objection))
