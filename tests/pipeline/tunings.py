"""A DAG that does nothing but tune and train, as every pipeline's DAG does it whose spec has tuning.

Airflow reads this file as a DAG file; the tests import it."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

from silverline.groups.train import train
from silverline.runs import MACROS
from silverline.spec import PipelineSpec, Stage, Tuning

spec = PipelineSpec(
    name="tuned_shop",
    description="A model of a number",
    monthly_sources=(),
    reference_sources=(),
    stages=(Stage(published=("features",), audit="none"),),
    label="y",
    hyperparameters={"alpha": 1.0},
    metrics=("loss",),
    tuning=Tuning(
        metric="loss", goal="Minimize", ranges={"alpha": (1.5, 3.0)}, max_jobs=2, strategy="Grid", every_run=True
    ),
)

with DAG(
    "tuned_shop",
    schedule=None,
    params={"tune": True},
    # As every pipeline has it: where a trigger fires at once, Airflow's scheduler may take a task that goes on for one
    # that was killed (https://github.com/apache/airflow/issues/72716).
    default_args={"retries": 1, "retry_delay": timedelta(seconds=1)},
    user_defined_macros=MACROS,
) as dag:

    @task
    def plan() -> dict[str, Any]:
        return {"splits": {}}

    planned = plan()
    train(spec, planned, planned)
