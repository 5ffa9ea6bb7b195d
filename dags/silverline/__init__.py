"""What the pipelines share: from a `PipelineSpec` to an Airflow DAG, and the steps its tasks run."""
