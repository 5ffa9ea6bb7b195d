"""A pipeline, described: the only thing a DAG file has to write."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from silverline.evaluation import HIGHER_IS_BETTER, LOWER_IS_BETTER


@dataclass(frozen=True)
class Stage:
    """Tables that are written, audited and published together, in this order.

    `staged` tables live for the run only (glue_like_sql/<pipeline>/staging/<table>.sql); `published` ones move into the
    silver database once `audit` (glue_like_sql/<pipeline>/audit/<audit>.sql) finds nothing wrong.
    """

    published: tuple[str, ...]
    audit: str
    staged: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineSpec:
    """Everything in which one pipeline differs from another.

    `name` is the dag_id, the folder under glue_like_sql/ and sagemaker_scripts/, and the start of every AWS name.
    `monthly_sources` are the bronze tables partitioned by month, `reference_sources` the small ones without partitions.
    The table that the model learns from is the last one the last stage publishes.
    """

    name: str
    description: str
    monthly_sources: tuple[str, ...]
    reference_sources: tuple[str, ...]
    stages: tuple[Stage, ...]
    label: str
    hyperparameters: Mapping[str, str | int | float]
    metrics: tuple[str, ...]
    gate_metric: str
    owner: str = "silverline"
    tags: tuple[str, ...] = ()
    training_instance_type: str = "ml.m5.xlarge"
    training_timeout: timedelta = timedelta(hours=1)
    endpoint_instance_type: str = "ml.t2.medium"
    endpoint_environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", self.name):
            raise ValueError(f"pipeline name {self.name!r}: use 2 to 31 of a-z, 0-9 and _, a letter first")
        if self.gate_metric not in self.metrics or self.gate_metric not in HIGHER_IS_BETTER | LOWER_IS_BETTER:
            known = ", ".join(sorted(HIGHER_IS_BETTER | LOWER_IS_BETTER))
            raise ValueError(
                f"pipeline {self.name}: gate_metric {self.gate_metric!r} is none of its metrics and {known}"
            )
        if not self.stages:
            raise ValueError(f"pipeline {self.name}: at least one stage has to publish a table")

    @property
    def feature_table(self) -> str:
        """The silver table that is split into training, validation and test."""
        return self.stages[-1].published[-1]

    @property
    def aws_name(self) -> str:
        """`name` in the letters that SageMaker allows (no underscore)."""
        return self.name.replace("_", "-")
