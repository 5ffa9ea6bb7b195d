"""What an endpoint is asked and answers, as it captures it, beside what its model has learned from."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from silverline import (
    catalog,
    champion,
    drift,
    evaluation,
    lineage,
    model_packages,
    months,
    objects,
    rollout,
    silver,
    sql,
)
from silverline.platform import Platform
from silverline.sagemaker_requests import VARIANT
from silverline.spec import PipelineSpec

PREDICTION = "prediction"
_SIDE = "struct<observedcontenttype:string,mode:string,data:string,encoding:string>"
_METADATA = "struct<eventid:string,inferenceid:string,inferencetime:string,customattributes:array<string>>"


class Served(NamedTuple):
    """The model that is served: package, archive, evaluation, the months it was trained on, and since when.

    That is when its endpoint configuration was made, of which each deployment has its own: the endpoint itself is
    modified by scaling, too.
    """

    package: str
    model_artifacts: str
    evaluation: str
    trained_on: Sequence[str]
    since: datetime

    @property
    def version(self) -> str:
        """The package's number in its group."""
        return self.package.rpartition("/")[2]


class Distance(NamedTuple):
    """How far a feature, or the prediction, is from where it was in training."""

    psi: float
    jensen_shannon: float
    missing_percent: float
    unseen_percent: float


def served(platform: Platform, spec: PipelineSpec) -> Served | None:
    """What the endpoint serves; None where it serves nothing, or a model that the registry doesn't know."""
    import boto3

    endpoint, found = rollout.describe(spec.aws_name), champion.find(platform, spec)
    if endpoint is None or found is None or not found["lineage"]:
        return None
    name = endpoint["EndpointConfigName"]
    config = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    splits = lineage.load(found["lineage"])["splits"]
    return Served(
        found["package"],
        found["model_artifacts"],
        model_packages.facts(model_packages.describe(found["package"]))["evaluation"],
        months.between(*splits["train"]),
        config["CreationTime"],
    )


def create_or_update_table(platform: Platform, spec: PipelineSpec) -> str:
    """The full name of gold's table over the captured traffic, whose hours follow from the clock: nothing has to be
    registered when traffic comes. https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html"""
    name, location = (
        f"{spec.name}_captured",
        f"s3://{platform.gold_bucket}/{spec.name}/captured/{spec.aws_name}/{VARIANT}/",
    )
    table: Any = {
        "Name": name,
        "Description": f"One row per request to the endpoint {spec.aws_name} and its answer, as captured.",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "json",
            "projection.enabled": "true",
            "projection.hour.type": "date",
            "projection.hour.format": "yyyy/MM/dd/HH",
            "projection.hour.range": "NOW-1YEARS,NOW+1HOURS",
            "projection.hour.interval": "1",
            "projection.hour.interval.unit": "HOURS",
            "storage.location.template": location + "${hour}/",
        },
        "StorageDescriptor": {
            "Location": location,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
            "Columns": [
                {"Name": "capturedata", "Type": f"struct<endpointinput:{_SIDE},endpointoutput:{_SIDE}>"},
                {"Name": "eventmetadata", "Type": _METADATA},
            ],
        },
        "PartitionKeys": [{"Name": "hour", "Type": "string"}],
    }
    catalog.create_or_update_table(platform.gold_database, table)
    return f"{platform.gold_database}.{name}"


def profile(platform: Platform, spec: PipelineSpec, model: Served) -> dict[str, Any]:
    """The bins of each feature, and how many rows of the training split lie in each; made once a model, and kept.

    The predictions' are the evaluation's: bins of a number, or categories, of rows that the model was tested on.
    """
    address = f"s3://{platform.gold_bucket}/{spec.name}/monitoring/profiles/{model.version}.json"
    try:
        known: dict[str, Any] = json.loads(objects.read(address))
        return known
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
    columns = evaluation.read_outputs(model.model_artifacts)["metadata"]["columns"]
    parameters = {
        "feature_table": f"{platform.silver_database}.{spec.feature_table}",
        "months": list(model.trained_on),
        "features": columns,
    }
    numbers = [column["name"] for column in columns if column["type"] != "string"]
    (deciles,) = _ask(platform, "quantiles", numbers=numbers, **parameters)
    bins = [_bins(column, deciles) for column in columns]
    made = {
        "trained_on": list(model.trained_on),
        "features": columns,
        "bins": [
            *_counted(platform, bins, rows="training.sql", **parameters),
            {"name": PREDICTION, **_predictions(evaluation.read(model.evaluation)), "missing": 0},
        ],
    }
    objects.write(address, json.dumps(made, indent=1).encode(), "application/json")
    return made


def counts(
    platform: Platform, spec: PipelineSpec, profile: Mapping[str, Any], table: str, start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """The same bins with the records that the endpoint was asked for and has answered in that time."""
    are_categories = "categories" in profile["bins"][-1]
    asked = _asked(spec, profile["features"], table, start, end, are_categories)
    return _counted(platform, profile["bins"], rows="captured.sql", **asked)


def scored(platform: Platform, spec: PipelineSpec, profile: Mapping[str, Any], model: Served) -> dict[str, Any] | None:
    """The bins of the predictions with those of the newest month that a batch has scored by that model; None where
    no batch is watched, or none has run yet."""
    if spec.watch.scored is None:
        return None
    table, column = spec.watch.scored
    if not silver.published_months(platform, table, "gold"):
        return None
    asked = {"scored": f"{platform.gold_database}.{table}", "column": column, "model": model.package}
    (counted,) = _counted(platform, profile["bins"][-1:], rows="scored.sql", **asked)
    return counted


def live_quality(
    platform: Platform, spec: PipelineSpec, table: str, start: datetime, end: datetime
) -> Mapping[str, Any] | None:
    """Row count, ROC-AUC, log loss (and the base rate's) and calibration error of the answers of that time of which the
    outcome is known; None where the pipeline has no monitoring/labels.sql, which says how to know."""
    if not sql.exists(spec.name, "monitoring/labels"):
        return None
    (found,) = _ask(
        platform,
        "live_quality",
        labels=sql.render(spec.name, "monitoring/labels", silver=platform.silver_database),
        **_asked(spec, [], table, start, end),  # whatever was asked: the answer counts
    )
    return found


def distances(reference: Sequence[Mapping[str, Any]], current: Sequence[Mapping[str, Any]]) -> dict[str, Distance]:
    """Of each feature, and of the prediction, how far its counts lie from those of training."""
    return {
        then["name"]: Distance(
            drift.psi(before, after := drift.shares(_all(now))),
            drift.jensen_shannon(before, after),
            100.0 * after[-1],
            100.0 * after[-2] if "categories" in then else 0.0,
        )
        for then, now in zip(reference, current, strict=True)
        for before in [drift.shares(_all(then))]
    }


def _asked(
    spec: PipelineSpec,
    features: Sequence[Mapping[str, Any]],
    table: str,
    start: datetime,
    end: datetime,
    are_categories: bool = False,
) -> dict[str, Any]:
    """The parameters of captured.sql, of which these features are wanted, and predictions as numbers or as texts."""
    return {
        "captured": table,
        "first_hour": f"{start:%Y/%m/%d/%H}",
        "last_hour": f"{end:%Y/%m/%d/%H}",
        "since": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "features": features,
        "prediction": spec.watch.prediction,
        "are_categories": are_categories,
    }


def _all(bin: Mapping[str, Any]) -> list[int]:
    """The counts of a feature's bins, the missing values last."""
    return [*bin["counts"], bin["missing"]]


def _bins(column: Mapping[str, Any], deciles: Mapping[str, Any]) -> dict[str, Any]:
    """Categories of a text and deciles of a number; of a number with few values there are fewer."""
    if column["type"] == "string":
        return {"name": column["name"], "categories": column["categories"]}
    return {"name": column["name"], "edges": sorted(set(json.loads(deciles[column["name"]] or "[]")))}


def _predictions(comparison: Mapping[str, Any]) -> Mapping[str, Any]:
    """The predictions' bins; those of a model that was evaluated before evaluations had them are its calibration's."""
    if "predictions" in comparison:
        return dict(comparison["predictions"])
    bins = comparison["calibration"]["challenger"]
    return {"edges": [bin["from"] for bin in bins[1:]], "counts": [bin["rows"] for bin in bins]}


def _counted(platform: Platform, bins: Sequence[Mapping[str, Any]], **parameters: Any) -> list[dict[str, Any]]:
    """The bins with `counts` of the rows in each, and `missing` ones."""
    numbered = [{"column": f"bin_{index}", **bin} for index, bin in enumerate(bins)]
    (found,) = _ask(platform, "counts", bins=numbered, **parameters)
    return [
        {
            **bin,
            "counts": [int(found[f"bin_{index}_{place}"]) for place in range(_size(bin))],
            "missing": int(found[f"bin_{index}_missing"]),
        }
        for index, bin in enumerate(bins)
    ]


def _size(bin: Mapping[str, Any]) -> int:
    return len(bin["edges"] if "edges" in bin else bin["categories"]) + 1


def _ask(platform: Platform, name: str, **parameters: Any) -> list[Mapping[str, Any]]:
    return list(sql.rows(sql.render("monitoring", name, **parameters), platform.gold_database, platform))
