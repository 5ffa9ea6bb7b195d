"""A pipeline, described: the only thing a DAG file has to write."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

NAME_OF_A_TUNED_PIPELINE = 20
"""Letters that are left of the 32 that SageMaker gives a tuning job's name (runs.py has the others)."""

Approval = Literal["gate", "person"]
SplitBy = Literal["month", "key"]


@dataclass(frozen=True)
class Stage:
    """Tables that are written, audited and published together, in this order.

    `staged` tables live for the run only (glue_like_sql/<pipeline>/staging/<table>.sql); `published` ones, which are in
    the folder of `layer`, move into its database once `audit` (.../audit/<audit>.sql) finds nothing wrong. A published
    table whose name ends with quarantine has the rows that can't be used, each with its `reason`: a run tells of them.
    """

    published: tuple[str, ...]
    audit: str
    staged: tuple[str, ...] = ()
    layer: Literal["silver", "gold"] = "silver"


@dataclass(frozen=True)
class Costs:
    """What a wrong answer costs, in whatever unit: a case that was missed, and a false alarm.

    A model warns from the probability false_alarm / (false_alarm + missed), which training writes into its archive.
    """

    missed: float = 1.0
    false_alarm: float = 1.0


@dataclass(frozen=True)
class Gate:
    """What a model has to be on the test split (dags/silverline/gate.py judges it by `metric`, which slices must have).

    `tolerance`: how much worse than the champion it may be. `at_most` and `at_least`: what other metrics may be.
    `slice_limit`: how much worse than `baseline`, and than the champion, it may be in a slice of at least `slice_rows`
    rows. Bounds of intervals are compared, not values: chance decides nothing. Bounds of what lies in fewer than
    `clusters` clusters say nothing: such a slice is passed over, such a test split is for a person.
    """

    metric: str = "log_loss"
    tolerance: float = 0.01
    at_most: Mapping[str, float] = field(default_factory=lambda: {"calibration_error": 0.05})
    at_least: Mapping[str, float] = field(default_factory=dict)
    baseline: str = "base_rate"
    slice_limit: float = 0.03
    slice_rows: int = 200
    clusters: int = 10


@dataclass(frozen=True)
class Watch:
    """When a pipeline is not well (dags/silverline/health.py looks, and traffic.py).

    `bronze_age`: how old the newest raw file may be, None where nobody has promised any. `waiting`: how long files may
    lie in bronze that silver isn't made of. `quarantined_percent`: how many rows of the newest month may be unusable.
    `error_percent`: how many invocations may end as 5xx.

    What the endpoint was asked in the last `traffic`, if it was `least_records` or more, may lie so far from what its
    model knows: the prediction, the answers' member `prediction`, by a PSI of `prediction_limit` from the test split's,
    and of the features a share of `drifted_features` by more than `feature_limit` from the training split's. Features
    drift with the seasons, and little may come of it. Else the pipeline is told to train again.

    `scored` is the gold table of a batch's predictions, and its column of these: of the month that was scored last they
    may lie as far, if they are so many.

    Of as many whose outcome is known by now, the share of log loss that the model saves over their base rate may be
    less by `worse` than it was on the test split. docs/monitoring.md has what these limits were measured by.
    """

    bronze_age: timedelta | None = None
    waiting: timedelta = timedelta(days=1)
    quarantined_percent: float = 10.0
    error_percent: float = 1.0
    traffic: timedelta = timedelta(days=14)
    least_records: int = 500
    prediction: str = "probability"
    scored: tuple[str, str] | None = None
    prediction_limit: float = 0.2
    feature_limit: float = 0.2
    drifted_features: float = 0.5
    worse: float = 0.1


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, whole ones where both ends are; `scaling` as SageMaker calls it."""

    low: int | float
    high: int | float
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"


@dataclass(frozen=True)
class Tuning:
    """How hyperparameters are looked for: training jobs with values out of `ranges`, or out of a tuple's.

    The best is the one whose `metric` of the *validation* split is; the test split chooses nothing. `every_run`: it is
    done unless the run's parameter `tune` says no, else where it says yes. Grid tries every combination of tuples.
    """

    metric: str
    goal: Literal["Minimize", "Maximize"]
    ranges: Mapping[str, Range | tuple[str | int | float, ...]]
    max_jobs: int
    max_parallel_jobs: int = 2
    strategy: Literal["Bayesian", "Random", "Grid"] = "Bayesian"
    every_run: bool = False

    def __post_init__(self) -> None:
        if self.strategy == "Grid":
            choices = [values for values in self.ranges.values() if not isinstance(values, Range)]
            if len(choices) < len(self.ranges) or math.prod(map(len, choices)) != self.max_jobs:
                raise ValueError(
                    "tuning by Grid tries every combination: give tuples, and as many max_jobs as they make"
                )

    @property
    def rounds(self) -> int:
        """How many training jobs run one after another."""
        return math.ceil(self.max_jobs / self.max_parallel_jobs)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What each DAG of a pipeline says of itself.

    `name` is the pipeline's: the folder under glue_like_sql/ and sagemaker_scripts/, and the start of every AWS name.
    A run that takes longer than `late_after` from when it is queued is told of; it goes on.
    """

    name: str
    description: str
    stages: tuple[Stage, ...]
    owner: str = "silverline"
    tags: tuple[str, ...] = ()
    late_after: timedelta = timedelta(hours=3)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", self.name):
            raise ValueError(f"pipeline name {self.name!r}: use 2 to 31 of a-z, 0-9 and _, a letter first")
        if not self.stages:
            raise ValueError(f"pipeline {self.name}: at least one stage has to publish a table")

    @property
    def aws_name(self) -> str:
        """`name` in the letters that SageMaker allows (no underscore)."""
        return self.name.replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class PipelineSpec(Spec):
    """Everything in which one pipeline differs from another; its `name` is the dag_id.

    `monthly_sources` are the bronze tables partitioned by month, `reference_sources` the small ones without partitions,
    `silver_sources` tables that other pipelines publish, by the names of their assets: <pipeline>.<table>.
    The table that the model learns from is the last one the last stage publishes. `label` is one of its columns, None
    where nothing in particular is to be learned. `slices` are columns of it, and so are `clusters`: rows that are alike
    in these depend on each other. A model that the gate promotes is approved by the gate itself, or by a `person`, who
    has `approval_timeout` for it. The first of the `metrics` is the one that is shown where there is room for one.
    A run that tunes overrides those of the `hyperparameters` that have a range in `tuning`.
    Rows are split by `month`, the newest `test_months` of which test, or, where time says nothing of them, by a hash of
    their `key`, which puts a row into the same split whenever it comes (glue_like_sql/<pipeline>/splits/split.sql).
    `captured_percent` of what the endpoint is asked and answers is kept in gold; besides the model that it serves, the
    newest `kept_models` others stay, to go back to.
    """

    monthly_sources: tuple[str, ...] = ()
    reference_sources: tuple[str, ...] = ()
    silver_sources: tuple[str, ...] = ()
    label: str | None = None
    hyperparameters: Mapping[str, str | int | float]
    metrics: tuple[str, ...]
    tuning: Tuning | None = None
    split_by: SplitBy = "month"
    test_months: int = 1
    slices: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    costs: Costs = Costs()
    gate: Gate = Gate()
    training_instance_type: str = "ml.m5.xlarge"
    training_timeout: timedelta = timedelta(hours=1)
    evaluation_instance_type: str = "ml.m5.xlarge"
    evaluation_timeout: timedelta = timedelta(minutes=30)
    endpoint_instance_type: str = "ml.t2.medium"
    endpoint_instance_count: int = 2
    endpoint_environment: Mapping[str, str] = field(default_factory=dict)
    captured_percent: int = 100
    kept_models: int = 3
    watch: Watch = Watch()
    approval: Approval = "gate"
    approval_timeout: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        super().__post_init__()
        if unnamed := [source for source in self.silver_sources if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", source)]:
            raise ValueError(f"pipeline {self.name}: silver source {unnamed[0]!r} is no <pipeline>.<table>")
        if self.endpoint_instance_count < 2:
            raise ValueError(f"pipeline {self.name}: a canary is half of the endpoint's instances, give it 2 or more")
        for name, said, choices in (("approval", self.approval, Approval), ("split_by", self.split_by, SplitBy)):
            if said not in get_args(choices):
                raise ValueError(f"pipeline {self.name}: {name} {said!r} is none of {', '.join(get_args(choices))}")
        if self.tuning:
            self._check_tuning(self.tuning)

    def _check_tuning(self, tuning: Tuning) -> None:
        if len(self.name) > NAME_OF_A_TUNED_PIPELINE:
            raise ValueError(
                f"pipeline {self.name}: to be tuned its name has to have {NAME_OF_A_TUNED_PIPELINE} letters"
            )
        if tuning.metric not in self.metrics:
            raise ValueError(f"pipeline {self.name}: tuning by {tuning.metric!r}, which is none of its metrics")
        if untold := tuning.ranges.keys() - self.hyperparameters.keys():
            names = ", ".join(sorted(untold))
            raise ValueError(f"pipeline {self.name}: hyperparameters lack {names}, which a run that doesn't tune needs")

    @property
    def feature_table(self) -> str:
        """The silver table that is split into training, validation and test."""
        return self.stages[-1].published[-1]


@dataclass(frozen=True, kw_only=True)
class BatchSpec(Spec):
    """Batch scoring by a pipeline's model: the rows of months of `feature_table` in, a gold table of predictions out.

    glue_like_sql/<pipeline>/gold/ has the requests, the table of the answers, and the last table that is published.
    """

    feature_table: str
    instance_type: str = "ml.m5.xlarge"
    timeout: timedelta = timedelta(hours=1)

    @property
    def table(self) -> str:
        """The gold table of the predictions."""
        return self.stages[-1].published[-1]
