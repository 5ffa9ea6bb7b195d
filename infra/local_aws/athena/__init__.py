"""Athena that executes: Athena SQL translated by sqlglot, run by DuckDB over the S3 objects of Glue tables."""
