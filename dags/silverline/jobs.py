"""SageMaker jobs that may still be going: found by their tags, recognised by their requests, stopped."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from silverline.platform import Platform


class Kind(NamedTuple):
    """A kind of job as SageMaker's members call it (`TrainingJobName`), boto3's methods (`stop_training_job`), and the
    member whose addresses have the job's own name in them, where we put it there."""

    member: str
    method: str
    output: str = ""

    @property
    def log_group(self) -> str:
        """The log group in CloudWatch of such a job, or of the training jobs that a tuning job starts."""
        return f"/aws/sagemaker/{TRAINING.member if self == TUNING else self.member}s"

    def log_streams(self, name: str) -> str:
        """What the names of the log streams begin with that the job `name` has in there."""
        return f"{name}-" if self == TUNING else f"{name}/"


TRAINING = Kind("TrainingJob", "training_job")
PROCESSING = Kind("ProcessingJob", "processing_job", "ProcessingOutputConfig")
TRANSFORM = Kind("TransformJob", "transform_job", "TransformOutput")
TUNING = Kind("HyperParameterTuningJob", "hyper_parameter_tuning_job")
KINDS = (TUNING, TRAINING, PROCESSING, TRANSFORM)  # a tuning job first: stopped, it stops its training jobs


def earlier_tries(name: str) -> list[str]:
    """What the tries before called their job, the last one first: names end with the number of the try."""
    stem, _, number = name.rpartition("-")
    return [f"{stem}-{earlier}" for earlier in range(int(number) - 1, 0, -1)]


def in_progress(kind: Kind, name: str) -> dict[str, Any] | None:
    """The description of the job where it is going on; None where there is none or it has ended."""
    job = describe(kind, name)
    return job if job and job[f"{kind.member}Status"] == "InProgress" else None


def describe(kind: Kind, name: str) -> dict[str, Any] | None:
    """The description of the job; None where there is none."""
    import boto3

    sagemaker = boto3.client("sagemaker")
    try:
        job = getattr(sagemaker, f"describe_{kind.method}")(**{f"{kind.member}Name": name})
    except sagemaker.exceptions.ClientError as error:
        # SageMaker's answers for a job that there isn't: one kind has its own.
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return None
        raise
    return dict(job)


def is_asked_for(job: Mapping[str, Any], request: Mapping[str, Any], kind: Kind) -> bool:
    """Whether `job` is what `request` asks for, but for its name, also in its outputs' addresses; a description has no
    tags. What it reads may have the same name in it and is another's: the training job's, of which this try evaluates
    the model."""
    member = f"{kind.member}Name"
    asked = {**request, member: job[member]}
    asked.pop("Tags", None)
    if kind.output in asked:
        asked[kind.output] = json.loads(json.dumps(asked[kind.output]).replace(request[member], job[member]))
    return _has(job, asked)


def stop(kind: Kind, name: str) -> None:
    """Ask the job to end; nothing where it has ended meanwhile."""
    import boto3

    sagemaker = boto3.client("sagemaker")
    try:
        getattr(sagemaker, f"stop_{kind.method}")(**{f"{kind.member}Name": name})
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        print(f"{name} was not stopped: {error.response['Error']['Message']}", flush=True)


def stop_all(platform: Platform, dag_id: str, name_prefix: str) -> list[str]:
    """Stop every job in progress that the DAG has started in this environment; returns their names.

    For the end of a run, when none should be left: whatever is, nobody waits for, in this run or one before.
    """
    stopped = []
    for kind, name in _started_by(platform, dag_id, name_prefix):
        print(f"{name} is still in progress and nobody waits for it: stopping it", flush=True)
        stop(kind, name)
        stopped.append(name)
    return stopped


def named(name_prefix: str, status: str, **wanted: Any) -> Iterator[tuple[Kind, str, str]]:
    """Kind, name and ARN of every job of that status whose name is `name_prefix`, a hyphen and more, by SageMaker's
    lists, which may be asked for more."""
    for kind, job in _listed(NameContains=name_prefix, StatusEquals=status, **wanted):
        name = job[f"{kind.member}Name"]
        if name.startswith(f"{name_prefix}-"):
            yield kind, name, job[f"{kind.member}Arn"]


class Started(NamedTuple):
    """A job that a run has started; its seconds are from its creation to its end, or to now."""

    kind: Kind
    name: str
    status: str
    seconds: float


def of_run(aws_name: str, slug: str, digest: str) -> list[Started]:
    """Every job of a run, of whichever try; the training jobs of a tuning job as well."""
    now = datetime.now(UTC)
    return [
        Started(
            kind,
            job[f"{kind.member}Name"],
            job[f"{kind.member}Status"],
            (job.get(f"{kind.member.removesuffix('Job')}EndTime", now) - job["CreationTime"]).total_seconds(),
        )
        for called in (slug, digest)
        for kind, job in _listed(NameContains=called)
        if job[f"{kind.member}Name"].startswith(f"{aws_name}-")
    ]


def orphans(platform: Platform, name_prefix: str, is_running: Callable[[str], bool]) -> list[str]:
    """The names of the jobs in progress that DAGs of this environment have started and of which none `is_running`:
    what is left where Airflow has died with all that it knew."""
    left = [
        (name, dag_id)
        for _, name, tags in _in_progress(name_prefix)
        if tags.get("Environment") == platform.environment and (dag_id := tags.get("AirflowDag"))
    ]
    return sorted(name for name, dag_id in left if not is_running(dag_id))  # last: a run starts before its jobs do


def _started_by(platform: Platform, dag_id: str, name_prefix: str) -> Iterator[tuple[Kind, str]]:
    wanted = {"Environment": platform.environment, "AirflowDag": dag_id}
    for kind, name, tags in _in_progress(name_prefix):
        if wanted.items() <= tags.items():
            yield kind, name


def _in_progress(name_prefix: str) -> Iterator[tuple[Kind, str, dict[str, str]]]:
    """Kind, name and tags of each job that goes on; another's are none of this role's business."""
    for kind, name, arn in named(name_prefix, "InProgress"):
        yield kind, name, _tags(arn)


def _tags(arn: str) -> dict[str, str]:
    import boto3

    return {tag["Key"]: tag["Value"] for tag in boto3.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]}


def failed_since(aws_name: str, since: datetime) -> list[str]:
    """The names of a pipeline's jobs that have failed since then, by the DAG that started each: another pipeline's name
    may begin like this one's."""
    dags = {aws_name, f"{aws_name}-batch"}
    failed = ((name, _tags(arn)) for _, name, arn in named(aws_name, "Failed", LastModifiedTimeAfter=since))
    return sorted(name for name, tags in failed if tags.get("AirflowDag", "").replace("_", "-") in dags)


def _listed(**wanted: Any) -> Iterator[tuple[Kind, dict[str, Any]]]:
    import boto3

    sagemaker: Any = boto3.client("sagemaker")
    for kind in KINDS:
        for page in sagemaker.get_paginator(f"list_{kind.method}s").paginate(**wanted):
            yield from ((kind, job) for job in page[f"{kind.member}Summaries"])


def _has(answered: Any, asked: Any) -> bool:
    """Whether a description holds all that was asked for; SageMaker adds its defaults."""
    if isinstance(asked, Mapping):
        return isinstance(answered, Mapping) and all(
            name in answered and _has(answered[name], value) for name, value in asked.items()
        )
    if isinstance(asked, list):
        return (
            isinstance(answered, list)
            and len(answered) == len(asked)
            and all(_has(*pair) for pair in zip(answered, asked, strict=True))
        )
    return bool(answered == asked)
