"""A DAG that does nothing but deploy what it is told to, as every pipeline's DAG deploys what it has trained.

Airflow reads this file as a DAG file."""

from datetime import timedelta

from airflow.sdk import DAG, get_current_context, task

from silverline.groups.deploy import deploy
from silverline.runs import MACROS
from silverline.spec import PipelineSpec, Stage

spec = PipelineSpec(
    name="corner_shop",
    description="A model of a few lines",
    monthly_sources=(),
    reference_sources=(),
    stages=(Stage(published=("features",), audit="none"),),
    label="y",
    hyperparameters={},
    metrics=(),
    kept_models=1,
)

with DAG(
    "corner_shop",
    schedule=None,
    params={"package": "", "model_artifacts": ""},
    # As every pipeline has it: where a trigger fires at once, Airflow's scheduler may take a task that goes on for one
    # that was killed (https://github.com/apache/airflow/issues/72716).
    default_args={"retries": 1, "retry_delay": timedelta(seconds=1)},
    user_defined_macros=MACROS,
) as dag:

    @task
    def approved() -> dict[str, str]:
        return dict(get_current_context()["params"])

    deploy(spec, approved())
