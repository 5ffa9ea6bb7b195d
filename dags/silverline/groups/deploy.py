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
    """`deploy.smoke_test`: what the endpoint answered, in which configuration and of which model package."""
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

        @task(
            doc_md="What the endpoint serves before this run's configuration: what a failure goes back to, also where "
            "tasks after this one are cleared while it serves that."
        )
        def find_previous() -> str | None:
            return rollout.prepare(spec.aws_name)

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
            doc_md="What the endpoint serves now, to go back to; what it served before where that is this run's own "
            "already. One whose creation has failed is deleted: SageMaker does not update such a one."
        )
        def prepare(config: str, previous: str | None) -> dict[str, Any]:
            served = rollout.prepare(spec.aws_name)
            return {
                "previous": previous if served == config else served,
                "modified": _modified(rollout.describe(spec.aws_name)),
            }

        def start(context: Context, request: dict[str, Any], endpoint: rollout.Endpoint | None, started: bool) -> bool:
            if not started:
                _require_approved(_package(context))
                started = _was_taken_back(context, endpoint)
            try:
                return rollout.advance(spec, platform(), request, endpoint, started)
            except rollout.Objection as objection:
                raise _failure(context, request["EndpointConfigName"], objection) from None

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
        def smoke_test(approved: dict[str, Any], config: str) -> dict[str, Any]:
            from silverline import datasets
            from silverline.smoke_test import smoke_test

            context, golden = get_current_context(), evaluation.read_outputs(approved["model_artifacts"])["golden"]
            endpoint = rollout.describe(spec.aws_name) or {}
            if (served := endpoint.get("EndpointConfigName")) != config:
                raise AirflowFailException(
                    f"endpoint {spec.aws_name} serves {served}, which says nothing of {config}: clear deploy.roll_out "
                    "and all after it to roll it out again"
                )
            try:
                answers = smoke_test(spec.aws_name, golden, last=context["ti"].try_number > context["ti"].max_tries)
            except rollout.Objection as objection:
                raise _failure(context, config, objection) from None
            datasets.record([approved["package"]], [endpoint["EndpointArn"]])
            return {
                "answers": answers,
                "sample_request": golden["request"][0],
                "config": config,
                "package": approved["package"],
            }

        def go_back(
            context: Context, request: dict[str, Any], endpoint: rollout.Endpoint | None, started: bool
        ) -> bool:
            pull, config = context["ti"].xcom_pull, request["EndpointConfigName"]
            # What these two have left may be of an earlier configuration: it lasts until they run again.
            passed = pull("deploy.smoke_test")
            if passed and passed["config"] == config and not _is_rejected(_package(context)):
                return False
            # First the way back: it hangs on nothing that the registry answers.
            waits = rollout.retreat(request, pull("deploy.prepare")["previous"], endpoint, started)
            for task_id in ("deploy.roll_out", "deploy.smoke_test"):
                objection = pull(task_id, key=OBJECTION)
                if objection and objection["config"] == config:
                    model_packages.decide(_package(context), model_packages.REJECTED, objection["reason"])
            return waits

        settle = EndpointOperator(
            task_id="settle",
            doc_md="Leaves what has passed the smoke test and isn't Rejected by now. Anything else goes, also after a "
            "run that was stopped: the endpoint serves the configuration before, or is deleted where there was none. "
            "The package of a model that was found to be no good is Rejected.",
            config=sagemaker_requests.endpoint(spec, CONFIG),
            target="{{ ti.xcom_pull('deploy.prepare')['previous'] }}",
            step=go_back,
            timeout=2 * LONGEST_ROLL_OUT,  # for what is under way, and for the way back
        )

        @task(doc_md="Deletes old models and endpoint configurations; the newest ones stay, to go back to.")
        def delete_old_models() -> dict[str, list[str]]:
            from silverline import retention

            return retention.delete_old(spec, platform())

        previous = find_previous()
        prepared, answered = prepare(CONFIG, previous), smoke_test(approved, CONFIG)
        approved >> create_model >> previous >> create_endpoint_config >> prepared >> roll_out >> answered
        answered >> delete_old_models()
        answered >> settle.as_teardown(setups=prepared, on_failure_fail_dagrun=True)
    return answered


def _package(context: Context) -> str:
    """The model package that the run deploys."""
    created = context["ti"].xcom_pull("deploy.create_model")
    return str(created["Model"]["PrimaryContainer"]["ModelPackageName"])


def _is_rejected(package: str) -> bool:
    """Whether somebody has rejected the package by now; the log says why."""
    status, description = model_packages.approval(package)
    if status == model_packages.REJECTED:
        print(f"{package} is {status}, the endpoint goes back: {description}", flush=True)
    return status == model_packages.REJECTED


def _require_approved(package: str) -> None:
    """AirflowFailException where the package is Rejected by now, of which SageMaker keeps the model that was made."""
    status, description = model_packages.approval(package)
    if status != model_packages.APPROVED:
        raise AirflowFailException(
            f"{package} is {status}, nothing is deployed: {description}; to deploy it all the same, approve it in the "
            "registry and clear this task and all after it"
        )


def _modified(endpoint: rollout.Endpoint | None) -> float | None:
    return endpoint["LastModifiedTime"].timestamp() if endpoint else None


def _was_taken_back(context: Context, endpoint: rollout.Endpoint | None) -> bool:
    """Whether SageMaker has taken back what an earlier try started: the endpoint, at rest, serves what it did before,
    and has been changed since `prepare`. A person who clears the task wants another roll-out."""
    ti, prepared = context["ti"], context["ti"].xcom_pull("deploy.prepare")
    is_retry = ti.try_number > ti.max_tries - context["task"].retries + 1
    back = endpoint is not None and endpoint["EndpointConfigName"] == prepared["previous"]
    return is_retry and back and _modified(endpoint) != prepared["modified"]


def _failure(context: Context, config: str, objection: rollout.Objection) -> AirflowFailException:
    """What ends the task without another try; `settle` finds the reason in its XCom."""
    context["ti"].xcom_push(OBJECTION, {"config": config, "reason": str(objection)})
    return AirflowFailException(str(objection))
