"""# airport_weather

Which days at an airport are alike in their weather and their delays?

Of the flights and the weather that `flight_delay` has cleaned (silver) comes a row a day and airport. K-means puts
alike days into one segment; how many segments there are, a tuning job decides on the validation month, by how far they
lie apart (silhouette) and by how little of them is chance (stability). The model that the gate promotes answers at the
endpoint `airport-weather`, and `airport_weather_batch` writes every day's segment into gold.

New months of `flight_delay`'s tables start a run. Parameters: `as_of`, the test month (default: the newest); the month
before is validation, all earlier ones are training. `test_months`, how many months up to it are kept for the test.
`tune` (default: yes): choose the number of segments anew; else it is the spec's.
"""

from airflow.sdk import DAG

from silverline.pipeline import pipeline
from silverline.spec import Gate, PipelineSpec, Stage, Tuning, Watch

spec = PipelineSpec(
    name="airport_weather",
    description="Which days at an airport are alike in weather and delays? Silver tables to segments in gold.",
    tags=("sagemaker", "flights"),
    silver_sources=("flight_delay.scheduled_flights", "flight_delay.weather"),
    stages=(
        Stage(
            staged=("checked_airport_days",),
            published=("airport_days_quarantine", "airport_days"),
            audit="airport_days",
        ),
    ),
    hyperparameters={"seed": 2013, "n_clusters": 4},
    metrics=("silhouette", "stability", "stable_silhouette"),
    tuning=Tuning(
        metric="stable_silhouette",
        goal="Maximize",
        ranges={"n_clusters": (3, 4, 5, 6, 7, 8)},
        max_jobs=6,
        strategy="Grid",
        every_run=True,
    ),
    slices=("origin", "day_of_week"),
    clusters=("flight_date",),  # a day's weather is much the same at three airports of one city
    gate=Gate(
        metric="silhouette",
        tolerance=0.05,
        at_most={},
        at_least={"stability": 0.6},
        baseline="airport_grouping",
        slice_limit=0.1,
        slice_rows=25,
    ),
    watch=Watch(
        prediction="name",
        scored=("airport_weather_segments", "segment_name"),
        least_records=60,
        prediction_limit=0.5,
    ),
)

dag: DAG = pipeline(spec, doc_md=__doc__)
