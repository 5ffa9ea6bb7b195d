"""Builds a pipeline's DAG from its spec: bronze, silver, train, deploy."""

import hashlib
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
    SageMakerTrainingOperator,
)
from airflow.sdk import DAG, Asset, Param, TaskGroup, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from silverline import evaluation, months, sagemaker_requests
from silverline.platform import platform
from silverline.sagemaker_requests import ATTEMPT
from silverline.spec import PipelineSpec, Stage

POLL_SECONDS = 5
ROW_COUNTS = ("rows_in", "rows_out", "rows_quarantined")


def run_slug(dag_run: Any) -> str:
    """A name for the run that AWS takes anywhere (20 letters of [0-9a-f-]), the same for each try of each task."""
    return f"{dag_run.run_after:%Y%m%d-%H%M%S}-{hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:4]}"


def attempt() -> str:
    """The run's slug with the number of the running task's try: the name of what must not be written twice."""
    context = get_current_context()
    return f"{run_slug(context['dag_run'])}-{context['ti'].try_number}"


def pipeline(spec: PipelineSpec, doc_md: str) -> DAG:
    """The DAG of `spec`; it reads the Airflow variables `platform` and `git_commit` when its tasks run."""
    with DAG(
        dag_id=spec.name,
        description=spec.description,
        doc_md=doc_md,
        schedule=Asset(f"{spec.name}.bronze"),
        start_date=pendulum.datetime(2013, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,  # two runs would publish the same months and update the same endpoint
        tags=list(spec.tags),
        default_args={
            "owner": spec.owner,
            "retries": 1,
            "retry_delay": timedelta(seconds=10),
            "execution_timeout": timedelta(minutes=15),
        },
        params={
            "as_of": Param(
                None, type=["null", "string"], pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="test month, yyyy-mm"
            ),
            "test_months": Param(1, type="integer", minimum=1, maximum=12, description="months of test up to as_of"),
        },
        user_defined_macros={"run_slug": run_slug},
    ) as dag:
        planned = _bronze(spec)
        counted, published = _silver(spec, planned)
        evaluated = _train(spec, planned, published)
        smoke = _deploy(spec, evaluated)

        @task(doc_md="What the run did, in one place: rows, metrics beside the baselines, and the endpoint.")
        def report(
            plan: dict[str, Any], counts: list[dict[str, Any]], evaluated: dict[str, Any], smoke: dict[str, Any]
        ) -> dict[str, Any]:
            return {
                "as_of": plan["as_of"],
                "splits": plan["splits"],
                "computed_months": plan["compute"],
                "rows": {name: sum(row[name] for row in counts) for name in ROW_COUNTS},
                "evaluation": evaluated["evaluation"],
                "sample_request": smoke["sample_request"],
                "golden_answers": smoke["answers"],
                "endpoint": spec.aws_name,
            }

        report(planned, counted, evaluated, smoke)
    return dag


def _bronze(spec: PipelineSpec) -> Any:
    with TaskGroup("bronze", tooltip="The raw files that have come"):

        @task(doc_md="Which months silver lacks or has from other files, and which ones train, validate and test.")
        def plan() -> dict[str, Any]:
            from silverline import bronze, silver, sql

            place, params = platform(), get_current_context()["params"]
            inventory = bronze.inventory(place, spec.monthly_sources)
            published = silver.published_months(place, spec.feature_table)
            try:
                references = bronze.references(place, spec.reference_sources)
                as_of = months.choose_as_of(params["as_of"], inventory, spec.monthly_sources)
                first = min(inventory)
                splits = months.splits(first, as_of, params["test_months"])
            except (ValueError, FileNotFoundError) as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence
            if missing := months.missing_files(inventory, published, spec.monthly_sources, as_of):
                raise AirflowFailException(f"put these files back, silver stays as it is: {'; '.join(missing)}")
            wanted = {
                month: months.fingerprint(month, inventory, references, sql.digest(spec.name))
                for month in months.between(first, as_of)
            }
            return {
                "as_of": as_of,
                "fingerprints": wanted,
                "compute": [month for month in wanted if published.get(month) != wanted[month]],
                "splits": {name: list(cut) for name, cut in splits.items()},
            }

        planned = plan()
    return planned


def _silver(spec: PipelineSpec, planned: Any) -> tuple[Any, Any]:
    with TaskGroup("silver", tooltip="Write, audit, publish"):
        writes: list[Any] = []
        published: Any = None
        for stage in spec.stages:
            with TaskGroup(stage.audit):
                earlier = published
                written, published = _write_audit_publish(spec, stage, planned)
            if earlier is not None:
                earlier >> written
            writes.append(written)

        @task(doc_md="Forgets the tables that were staged for the audit, whatever came of them.")
        def drop_staged() -> list[str]:
            from silverline import silver

            return silver.drop_staged(platform(), spec)

        @task(trigger_rule=TriggerRule.NONE_FAILED, doc_md="Rows in, joined and quarantined, of every month.")
        def count_rows(plan: dict[str, Any]) -> list[dict[str, Any]]:
            from silverline import sql

            place = platform()
            statement = sql.render(
                spec.name,
                "audit/row_counts",
                bronze=place.bronze_database,
                silver=place.silver_database,
                months=list(plan["fingerprints"]),
            )
            counts = [dict(row) for row in sql.rows(statement, place.silver_database, place)]
            lost = [row for row in counts if row["rows_in"] != row["rows_out"] + row["rows_quarantined"]]
            if lost or len(counts) != len(plan["fingerprints"]):
                raise AirflowFailException(f"rows in are not rows out and quarantined: {lost or counts}")
            return counts

        dropped, counted = drop_staged(), count_rows(planned)
        published >> [dropped, counted]
        dropped.as_teardown(setups=writes)
    return counted, published


def _write_audit_publish(spec: PipelineSpec, stage: Stage, planned: Any) -> tuple[Any, Any]:
    @task(task_id="stage", doc_md="Writes the tables under the run's own prefix, for the months that are lacking.")
    def write(plan: dict[str, Any]) -> dict[str, str]:
        from silverline import silver

        if not plan["compute"]:
            raise AirflowSkipException("silver has every month as its files and its SQL make it: nothing to compute")
        return silver.stage(platform(), spec, stage, plan["compute"], attempt())

    @task(doc_md="Runs the audit's SQL on what was staged; one broken check and nothing is published.")
    def audit(plan: dict[str, Any], staged: dict[str, str]) -> None:
        from silverline import silver

        if broken := silver.audit(platform(), spec, stage, plan["compute"], staged):
            reasons = "; ".join(f"{check['month']} {check['check_name']}: {check['detail']}" for check in broken)
            raise AirflowFailException(
                f"not published, {len(broken)} checks of audit/{stage.audit}.sql fail: {reasons}"
            )

    @task(
        doc_md="Moves the months of the silver tables to what was audited.",
        outlets=[Asset(f"{spec.name}.{table}") for table in stage.published],
    )
    def publish(plan: dict[str, Any], staged: dict[str, str]) -> None:
        from silverline import silver

        fingerprints = {month: plan["fingerprints"][month] for month in plan["compute"]}
        silver.publish(platform(), spec, stage, fingerprints, staged)

    staged = write(planned)
    published = publish(planned, staged)
    audit(planned, staged) >> published
    return staged, published


def _train(spec: PipelineSpec, planned: Any, published: Any) -> Any:
    with TaskGroup("train", tooltip="Splits by time, a SageMaker training job, and what it says of its model"):

        @task(trigger_rule=TriggerRule.NONE_FAILED, doc_md="Unloads train, validation and test as Parquet prefixes.")
        def split(plan: dict[str, Any]) -> dict[str, str]:
            from silverline import splits

            return splits.unload(platform(), spec, plan["splits"], attempt())

        @task(doc_md="Where the training scripts were deployed to; fails at once where these very ones were not.")
        def find_source() -> str:
            from silverline import source

            try:
                return source.find(platform(), spec.name)
            except FileNotFoundError as error:
                raise AirflowFailException(str(error)) from None  # it is the same sentence

        train = SageMakerTrainingOperator(
            task_id="train",
            doc_md="AWS's scikit-learn image in script mode: sagemaker_scripts/<pipeline>/train.py.",
            config=sagemaker_requests.training_job(
                spec,
                name=f"{spec.aws_name}-{ATTEMPT}",
                splits="{{ ti.xcom_pull(task_ids='train.split')['prefix'] }}",
                source="{{ ti.xcom_pull(task_ids='train.find_source') }}",
                data_version="{{ ti.xcom_pull(task_ids='train.split')['data_version'] }}",
            ),
            deferrable=True,
            print_log=False,  # the hook would re-read the log every 30 s; the job's log group has it
            check_interval=POLL_SECONDS,
            max_attempts=int(spec.training_timeout.total_seconds()) // POLL_SECONDS + 120,
            execution_timeout=spec.training_timeout + timedelta(minutes=10),
        )

        @task(doc_md="Stops the run, and deploys nothing, when the model does not beat the base rate.")
        def evaluate(training: dict[str, Any]) -> dict[str, Any]:
            artifacts = training["Training"]["ModelArtifacts"]["S3ModelArtifacts"]
            evaluated = evaluation.read_outputs(artifacts)["evaluation"]
            if reason := evaluation.objection(evaluated, spec.gate_metric):
                raise AirflowFailException(reason)
            return {"model_artifacts": artifacts, "evaluation": evaluated}

        split_done = split(planned)
        published >> split_done
        [split_done, find_source()] >> train
        return evaluate(train.output)


def _deploy(spec: PipelineSpec, evaluated: Any) -> Any:
    with TaskGroup("deploy", tooltip="Model, endpoint configuration, endpoint, and known questions to it"):
        create_model = SageMakerModelOperator(
            task_id="create_model",
            doc_md="Registers the trained archive as a SageMaker model.",
            config=sagemaker_requests.model(
                spec,
                name=f"{spec.aws_name}-{ATTEMPT}",
                model_data="{{ ti.xcom_pull('train.train')['Training']['ModelArtifacts']['S3ModelArtifacts'] }}",
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
        def smoke_test(evaluated: dict[str, Any]) -> dict[str, Any]:
            from silverline.smoke_test import smoke_test

            golden = evaluation.read_outputs(evaluated["model_artifacts"])["golden"]
            return {"answers": smoke_test(spec.aws_name, golden), "sample_request": golden["request"][0]}

        evaluated >> create_model >> create_endpoint_config >> delete_failed_endpoint() >> deploy_endpoint
        answered = smoke_test(evaluated)
        deploy_endpoint >> answered
    return answered
