"""Brings the code of a commit to an environment that Terraform (or `make run`) has made."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = REPOSITORY / "dags"
sys.path.append(str(DAGS))  # as Airflow does: `silverline` says itself how its archives are packed and named
