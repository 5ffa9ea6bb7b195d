"""# flight_delay_batch

Scores flights by the model that the endpoint `flight-delay` serves, in a SageMaker batch transform job, and publishes
what it says as the gold table `flight_delay_predictions`, one row a flight, one partition a month. New months of
`flight_delay`'s feature table start a run, and so does a new model behind the endpoint; a month that is scored again is
replaced.

Parameters: `month` (default: the newest of the feature table, with those that are newer than all that were scored, and
those that have been made anew since); `prefix`, an s3:// prefix of JSON Lines that somebody
put there, scored as a month that the feature table lacks. Where no model has been deployed or approved yet, nothing is
scored, and the run ends well.
"""

from airflow.sdk import DAG

from silverline.batch import batch
from silverline.spec import BatchSpec, Stage

spec = BatchSpec(
    name="flight_delay",
    description="How likely was each flight of a month to come in late? Batch scoring into a gold table.",
    tags=("sagemaker", "flights"),
    feature_table="flight_features",
    stages=(Stage(layer="gold", published=("flight_delay_predictions",), audit="gold/predictions"),),
)

dag: DAG = batch(spec, doc_md=__doc__)
