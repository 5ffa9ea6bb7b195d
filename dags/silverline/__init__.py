"""What the pipelines share: from a `PipelineSpec` to an Airflow DAG, and the steps its tasks run."""

import logging

# In a task every client would tell where it has found its endpoint and its credentials: dozens of lines of its log.
# Airflow's `namespace_levels` is for Airflow's own loggers.
logging.getLogger("botocore").setLevel(logging.WARNING)
