"""`airflow` with what DAGs and tasks import: the processes that are forked from it would each import it for themselves.

Nothing of `dags/` is among it: a process reads that as it is when it starts."""

import importlib

from airflow.__main__ import main

IMPORTED = (
    "airflow.providers.amazon.aws.operators.sagemaker",
    "airflow.providers.amazon.aws.secrets.systems_manager",
    "airflow.providers.standard.operators.hitl",
    "awswrangler",
    "matplotlib.figure",
)


if __name__ == "__main__":
    for module in IMPORTED:
        importlib.import_module(module)
    main()
