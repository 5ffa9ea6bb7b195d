"""# flight_delay

Will a flight leave New York and come in more than 15 minutes late? Asked two hours before its scheduled departure.

Raw flights, weather, planes and airports (bronze) become audited Parquet tables (silver), a scikit-learn model trained
by SageMaker, and, when its evaluation says that it is good enough, and as good as the one in service, the endpoint
`flight-delay`. New data on the bronze asset starts a run; a run computes only the months that silver lacks or whose
files or SQL changed.

Parameters: `as_of`, the test month (default: the newest in bronze); `test_months`, how many months up to it are kept
for the test. The month before them is validation, all earlier ones are training.
"""

from airflow.sdk import DAG

from silverline.pipeline import pipeline
from silverline.spec import Costs, PipelineSpec, Stage

spec = PipelineSpec(
    name="flight_delay",
    description="Will this flight arrive more than 15 minutes late? Bronze files to a SageMaker endpoint.",
    tags=("sagemaker", "flights"),
    monthly_sources=("flights", "weather"),
    reference_sources=("planes", "airports", "airlines"),
    stages=(
        Stage(
            staged=("checked_flights", "checked_weather"),
            published=("scheduled_flights", "flights", "weather", "quarantine"),
            audit="clean",
        ),
        Stage(published=("flight_features",), audit="features"),
    ),
    label="is_late",
    hyperparameters={"seed": 2013},
    metrics=("roc_auc", "pr_auc", "log_loss", "brier"),
    slices=("carrier", "origin", "month_of_year", "scheduled_hour"),
    costs=Costs(missed=3.0, false_alarm=1.0),
    endpoint_environment={"OMP_NUM_THREADS": "1"},
)

# Airflow only parses files in which it finds its own name and "dag".
dag: DAG = pipeline(spec, doc_md=__doc__)
