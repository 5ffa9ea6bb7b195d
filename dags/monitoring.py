"""# monitoring

Looks at every pipeline once an hour: has bronze what it should have, and is it worked on? Was the last run well? Has
a job failed? Does the endpoint serve? Is silver as clean as it was? What it finds are metrics (`Findings` and others,
namespace `Silverline`), on which alarms look, and a page a pipeline in the gold bucket, `<pipeline>/monitoring/`.

A run fails only where it could not look; what it has found fails nothing.
"""

from airflow.sdk import DAG

from silverline.monitoring import monitoring

dag: DAG = monitoring(doc_md=__doc__)
