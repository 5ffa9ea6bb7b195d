"""The approval group in a DAG of its own: what comes before it is said by the run's conf."""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, TaskGroup, TriggerRule, get_current_context, task

from silverline import approval
from silverline.groups.approve import approve
from silverline.groups.clean_up import verdict
from silverline.spec import PipelineSpec, Stage

approval.REGISTRY_POLL = timedelta(seconds=20)


SPEC = PipelineSpec(
    name="flight_delay",
    description="Will this flight be late?",
    monthly_sources=("flights",),
    reference_sources=(),
    stages=(Stage(published=("flight_features",), audit="features"),),
    label="is_late",
    hyperparameters={},
    metrics=("roc_auc",),
    approval="person",
)

with DAG(
    dag_id="asking",
    start_date=pendulum.datetime(2013, 1, 1, tz="UTC"),
    schedule=None,
    # Two tries as every pipeline has them, for the reason that corner_shop.py gives.
    default_args={
        "owner": "silverline",
        "retries": 1,
        "retry_delay": timedelta(seconds=1),
        "execution_timeout": timedelta(minutes=5),
    },
) as dag:
    with TaskGroup("evaluate"):

        @task
        def gate() -> dict[str, Any]:
            return dict(get_current_context()["dag_run"].conf["gate"])

        gated = gate()
    with TaskGroup("register"):

        @task
        def register() -> str:
            return str(get_current_context()["dag_run"].conf["package"])

        registered = register()
    approved = approve(SPEC, gated, registered)

    @task
    def deploy(package: str) -> None:
        import boto3

        boto3.client("sagemaker").create_model(
            ModelName=f"of-version-{package.rpartition('/')[2]}",
            ExecutionRoleArn="arn:aws:iam::123456789012:role/sagemaker",
            PrimaryContainer={"ModelPackageName": package},
            EnableNetworkIsolation=True,
        )

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def report(package: str) -> None:
        print(package)

    reported = report(registered)
    deploy(approved["package"]) >> reported
    verdict(reported)
