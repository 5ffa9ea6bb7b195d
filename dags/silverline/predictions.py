"""A batch: the rows to score as JSON Lines, the model that scores them, and tables over what went in and came out.

A line is {"record_key": {...}, "features": {...}}: the key tells whose the answer is, the features are the model's.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import boto3

from silverline import champion, evaluation, model_packages, objects, silver, sql
from silverline.platform import Platform
from silverline.spec import BatchSpec


def choose_months(
    month: str | None, prefix: str | None, published: Mapping[str, str], scored: Mapping[str, str]
) -> list[str]:
    """The months that are scored, by the fingerprints of silver's and of those that gold has; ValueError where one
    can't be. Where none is named: the newest, those newer than all that were scored, and those made anew since."""
    if prefix:
        if month is None:
            raise ValueError(f"say by `month` as which month of predictions {prefix} is to be published")
        if month in published:
            raise ValueError(f"silver has {month}: score that month without `prefix`, which would replace all its rows")
        return [month]
    if not published:
        raise ValueError("silver has no month to score: run the pipeline first")
    if month is not None and month not in published:
        raise ValueError(f"silver has no {month}; it has {min(published)} to {max(published)}")
    if month is not None:
        return [month]
    known = sorted(scored.keys() & published.keys())
    made_anew = [known_month for known_month in known if scored[known_month] != published[known_month]]
    newer = [other for other in published if known and other > known[-1]]
    return sorted({*made_anew, *newer, max(published)})


def current_model(platform: Platform, spec: BatchSpec) -> dict[str, Any] | None:
    """The `container` of what the endpoint serves, else of the version approved for the last month, its `name`, and
    `model_artifacts`, where its archive is; None without either. The name is the version's ARN, or the archive's
    address where a model was deployed past the registry.

    ValueError where somebody has rejected the version that is served: SageMaker makes no other model of it.
    """
    found = champion.find(platform, spec)
    if found is None:
        return None
    if package := found["package"]:
        status, description = model_packages.approval(package)
        if status != model_packages.APPROVED:
            raise ValueError(
                f"endpoint {spec.aws_name} serves {package}, which is {status} ({description or 'no reason given'}): "
                "put another model behind it (docs/rollout.md, by hand), or approve this one again"
            )
    artifacts = found["model_artifacts"]
    return {"container": found["container"], "name": package or artifacts, "model_artifacts": artifacts}


def delete_models(name: str) -> list[str]:
    """Delete the run's model of that name and those of its other tries; returns the names of what was there."""
    sagemaker = boto3.client("sagemaker")
    every_try = f"{name.rpartition('-')[0]}-"  # names end with the number of the try
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=every_try)
    found = [model["ModelName"] for page in pages for model in page["Models"]]
    ours = [model for model in found if model.startswith(every_try)]
    for model in ours:
        sagemaker.delete_model(ModelName=model)
    return ours


def unload(platform: Platform, spec: BatchSpec, months: Sequence[str], run: str, model_artifacts: str) -> str:
    """Write the months' rows of the feature table as requests under the run's prefix; returns the prefix.

    gold/requests.sql may ask for the `columns` that the model takes, [{name, type}]: the feature table has more by now,
    where a later model was not deployed.
    """
    prefix = f"s3://{platform.gold_bucket}/{spec.name}/batch/requests/{run}/"

    def columns() -> list[dict[str, Any]]:
        return list(evaluation.read_outputs(model_artifacts)["metadata"]["columns"])

    statement = sql.render(spec.name, "gold/requests", silver=platform.silver_database, months=months, columns=columns)
    unload = f"unload (\n{statement}\n) to '{prefix}' with (format = 'JSON', compression = 'GZIP')"
    sql.execute(unload, platform.gold_database, platform)
    return prefix


def compression(prefix: str) -> str:
    """CompressionType of the files under an s3:// prefix; ValueError where there is none or they are not all alike."""
    names = list(objects.etags(prefix))
    if not names:
        raise ValueError(f"there is no file under {prefix}")
    zipped = [name.endswith(".gz") for name in names]
    if any(zipped) and not all(zipped):
        raise ValueError(f"some of the files under {prefix} end with .gz and some don't: use one or the other")
    return "Gzip" if all(zipped) else "None"


def create_tables(platform: Platform, spec: BatchSpec, run: str, locations: Mapping[str, str]) -> dict[str, str]:
    """An external table over each location of requests and answers, by the same names; they live for the run."""
    tables = {name: f"{platform.gold_database}.{silver.staged_name(spec, run, name)}" for name in locations}
    for name, location in locations.items():
        statement = sql.render(spec.name, "gold/records", table=tables[name], location=f"{location.rstrip('/')}/")
        sql.execute(statement, platform.gold_database, platform)
    return tables


def scored_at(job: str) -> str:
    """When the transform job ended, in UTC as SQL writes it."""
    ended = boto3.client("sagemaker").describe_transform_job(TransformJobName=job)["TransformEndTime"]
    return f"{ended.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def summary(platform: Platform, spec: BatchSpec, months: Sequence[str]) -> list[dict[str, Any]]:
    """The published months in a few numbers each."""
    statement = sql.render(spec.name, "gold/summary", gold=platform.gold_database, months=months)
    return [dict(row) for row in sql.rows(statement, platform.gold_database, platform)]
