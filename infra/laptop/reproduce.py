"""Makes a registered model again from what its model package says of it, and compares the two file by file."""

import hashlib
import importlib
import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from laptop.services import ServiceError
from silverline import jobs, lineage, model_packages, objects
from silverline.platform import Platform

POLL_SECONDS = 2
ENDED = ("Completed", "Failed", "Stopped")
ARCHIVES = ("model.tar.gz", "output.tar.gz")


def reproduce(platform: Platform, pipeline: str, package: str, console: Console) -> int:
    """Train the model of `package`, an ARN or a version of the pipeline's group, again; 0 where it is the same to the
    bit."""
    described = _package(platform.model_package_groups[pipeline], package)
    facts = model_packages.facts(described)
    made_of = lineage.load(facts["lineage"])
    console.print(f"{described['ModelPackageArn']}\n{facts['lineage']}", soft_wrap=True, highlight=False)
    _check_source(made_of["source"])
    request = dict(made_of["training_job"]["request"])
    with _data(platform, pipeline, made_of, console) as moved:
        request["InputDataConfig"] = [_moved(channel, moved) for channel in request["InputDataConfig"]]
        job = _train(platform, pipeline, request, console)
    rebuilt = job["ModelArtifacts"]["S3ModelArtifacts"]
    console.print(f"trained again: {rebuilt}", soft_wrap=True, highlight=False)
    return _compare(made_of["model"]["location"], rebuilt, console)


def _package(group: str, package: str) -> dict[str, Any]:
    """The model package's description; ServiceError where there is none, or it says nothing of its lineage."""
    if not package.startswith("arn:"):
        listed = model_packages.versions(group)
        versions = {str(found["ModelPackageVersion"]): found["ModelPackageArn"] for found in listed}
        if package not in versions:
            known = ", ".join(sorted(versions, key=int)) or "none"
            raise ServiceError(f"{group} has no model package of version {package}; it has {known}")
        package = versions[package]
    described: dict[str, Any] = {**model_packages.describe(package)}
    if "lineage" not in model_packages.facts(described):
        raise ServiceError(f"{package} doesn't say what it was made of: it was registered by something else")
    return described


def _check_source(source: Mapping[str, str]) -> None:
    if hashlib.sha256(objects.read(source["location"])).hexdigest() != source["sha256"]:
        raise ServiceError(f"{source['location']} isn't what the model was trained with: its content has changed")


@contextmanager
def _data(platform: Platform, pipeline: str, made_of: Mapping[str, Any], console: Console) -> Iterator[dict[str, str]]:
    """Where the splits have to be read from instead, by channel: nothing where they are kept as they were.

    They are kept for a time only (`run_days` of infra/terraform). Silver makes them again as long as its months are
    still made of the same files by the same SQL, which is what the data version says; after that, what silver was made
    of makes it again elsewhere. Splits that were made again are deleted in the end.
    """
    import awswrangler as wr  # it takes seconds

    from laptop import past_silver
    from silverline import splits, sql

    manifest = lineage.load(made_of["bronze"])
    gone = past_silver.missing(manifest)
    kept = len(manifest["files"]) - len(gone)
    console.print(f"bronze: {kept} of {len(manifest['files'])} files are kept as they were", highlight=False)
    changed = [name for name, data in made_of["data"].items() if objects.etags(data["location"]) != data["objects"]]
    if not changed:
        console.print("splits: kept as they were", highlight=False)
        yield {}
        return
    if sql.digest(pipeline) != made_of["sql_digest"]:
        raise ServiceError(
            f"the splits {', '.join(changed)} are gone, and glue_like_sql/{pipeline} isn't the SQL that made them: "
            f"check out commit {made_of['git_commit']}, and try again"
        )
    spec, run = importlib.import_module(pipeline).spec, f"reproduce-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    prefix = f"s3://{platform.silver_bucket}/{pipeline}/splits/{run}/"
    try:
        if _version(platform, spec, made_of) == made_of["data_version"]:
            console.print("splits: gone, made again from silver ...", highlight=False)
            splits.unload(platform, spec, made_of["splits"], run)
        else:
            console.print("splits: gone; silver has moved on, made again from bronze's versions ...", highlight=False)
            with past_silver.made_again(
                platform, spec, manifest, made_of["as_of"], made_of["sql_digest"], run
            ) as place:
                version = splits.unload(place, spec, made_of["splits"], run)["data_version"]
            if version != made_of["data_version"]:
                raise ServiceError(
                    f"{made_of['bronze']} makes data version {version}, and the model's is {made_of['data_version']}"
                )
        yield {name: f"{prefix}{name}/" for name in made_of["data"]}
    finally:
        wr.s3.delete_objects(prefix)


def _version(platform: Platform, spec: Any, made_of: Mapping[str, Any]) -> str | None:
    """The data version of what silver would give for these splits today; None where it lacks a month of them."""
    from silverline import splits

    try:
        return splits.data_version(platform, spec, made_of["splits"])
    except KeyError:
        return None


def _moved(channel: dict[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    name = channel["ChannelName"]
    if name not in moved:
        return channel
    source = channel["DataSource"]["S3DataSource"] | {"S3Uri": moved[name]}
    return channel | {"DataSource": {"S3DataSource": source}}


def _train(platform: Platform, pipeline: str, request: Mapping[str, Any], console: Console) -> dict[str, Any]:
    """Run the training job under a name of its own; ServiceError with SageMaker's reason where it fails."""
    sagemaker = boto3.client("sagemaker")
    name = f"{pipeline.replace('_', '-')}-reproduce-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    tags = {"Project": "silverline", "Environment": platform.environment, "Pipeline": pipeline}
    listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    sagemaker.create_training_job(TrainingJobName=name, Tags=listed, **request)
    console.print(f"training job {name} ...", highlight=False)
    until = time.monotonic() + request["StoppingCondition"]["MaxRuntimeInSeconds"] + 1800
    try:
        while (job := sagemaker.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] not in ENDED:
            if time.monotonic() > until:
                raise ServiceError(f"training job {name} has not ended in time")
            time.sleep(POLL_SECONDS)
    except BaseException:  # an error of AWS's or Ctrl-C: nobody waits for it any more
        jobs.stop(jobs.TRAINING, name)
        raise
    if job["TrainingJobStatus"] != "Completed":
        raise ServiceError(f"training job {name} {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    return {**job}


def _compare(original: str, rebuilt: str, console: Console) -> int:
    """Show which files of the two models' archives are the same; 0 where all are."""
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    for column in ("file", "bytes", "sha256", ""):
        table.add_column(column, justify="right" if column == "bytes" else "left")
    same = True
    for archive in ARCHIVES:
        old, new = (_members(f"{place.rpartition('/')[0]}/{archive}") for place in (original, rebuilt))
        for name in sorted(old.keys() | new.keys()):
            equal = name in old and old.get(name) == new.get(name)
            same &= equal
            content = old.get(name, new.get(name, b""))
            verdict = (
                "equal" if equal else "missing" if name not in new else "added" if name not in old else "different"
            )
            digest = hashlib.sha256(content).hexdigest()[:16]
            table.add_row(f"{archive}: {name}", f"{len(content):,}", digest, verdict)
    console.print(table)
    console.print("the same model, to the bit" if same else "[bold red]not the same model[/]")
    return 0 if same else 1


def _members(archive: str) -> dict[str, bytes]:
    """The files in a .tar.gz: packed, they differ by the time they were packed at."""
    with tarfile.open(fileobj=io.BytesIO(objects.read(archive)), mode="r:gz") as tar:
        return {
            member.name.removeprefix("./"): content.read()
            for member in tar.getmembers()
            if (content := tar.extractfile(member))
        }
