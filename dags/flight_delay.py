"""# flight_delay

Will a flight leave New York and come in more than 15 minutes late? Asked two hours before its scheduled departure.

Raw flights, weather, planes and airports (bronze) become audited Parquet tables (silver), a scikit-learn model trained
by SageMaker, and, when its evaluation says that it is good enough, and as good as the one in service, the endpoint
`flight-delay`. New data on the bronze asset starts a run; a run computes only the months that silver lacks or whose
files or SQL changed. The clock starts none. `airflow backfill create --max-active-runs 1` makes a run for each month,
which tests that month, against the champion of the months before; a later model stays in service.

Parameters: `as_of`, the test month (default: the newest in bronze; in a backfill the run's own); `test_months`, how
many months up to it are kept for the test. The month before them is validation, all earlier ones are training. `tune`
(default: no): look for better hyperparameters first.
"""

from airflow.sdk import DAG

from silverline.pipeline import pipeline
from silverline.spec import Costs, PipelineSpec, Range, Stage, Tuning

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
    hyperparameters={
        "seed": 2013,
        "learning_rate": 0.06,
        "max_leaf_nodes": 15,
        "min_samples_leaf": 200,
        "l2_regularization": 10.0,
        "max_features": 0.3,
    },
    metrics=("roc_auc", "pr_auc", "log_loss", "brier"),
    tuning=Tuning(
        metric="log_loss",
        goal="Minimize",
        ranges={
            "learning_rate": Range(0.02, 0.2, "Logarithmic"),
            "max_leaf_nodes": Range(7, 63, "Logarithmic"),
            "min_samples_leaf": Range(20, 500, "Logarithmic"),
            "l2_regularization": Range(0.1, 100.0, "Logarithmic"),
            "max_features": Range(0.1, 1.0),
        },
        max_jobs=8,
    ),
    slices=("carrier", "origin", "month_of_year", "scheduled_hour"),
    clusters=("month", "day_of_month"),  # a day's flights share its weather and its queues
    costs=Costs(missed=3.0, false_alarm=1.0),
    endpoint_environment={"OMP_NUM_THREADS": "1"},
)

# Airflow only parses files in which it finds its own name and "dag".
dag: DAG = pipeline(spec, doc_md=__doc__)
