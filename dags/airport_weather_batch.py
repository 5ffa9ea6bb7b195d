"""# airport_weather_batch

Puts every day at an airport into its segment, by the model that the endpoint `airport-weather` serves, in a SageMaker
batch transform job, and publishes the segments as the gold table `airport_weather_segments`, one row a day and airport,
one partition a month. New months of `airport_weather`'s table start a run, and so does a new model behind the endpoint;
a month that is scored again is replaced.

Parameters: `month` (default: the newest, with those that are newer than all that were scored, and those that have been
made anew since); `prefix`, an s3:// prefix of JSON Lines that somebody put there, scored as a month that the table
lacks. Where no model has been deployed or approved yet, nothing is scored, and the run ends well.
"""

from airflow.sdk import DAG

from silverline.batch import batch
from silverline.spec import BatchSpec, Stage

spec = BatchSpec(
    name="airport_weather",
    description="Which segment does each day at an airport belong to? Batch scoring into a gold table.",
    tags=("sagemaker", "flights"),
    feature_table="airport_days",
    stages=(Stage(layer="gold", published=("airport_weather_segments",), audit="gold/segments"),),
)

dag: DAG = batch(spec, doc_md=__doc__)
