"""What AWS and MWAA do for the pipeline, on a laptop: start local AWS and Airflow, load the demo data, run, show."""
