"""Tells MLflow of a registered model, where there is one: what its package, its lineage and its jobs say already."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Any

from silverline import evaluation, lineage, model_packages, objects
from silverline.platform import Platform
from silverline.spec import PipelineSpec

JOB = "training_job"  # the tag by which a retry finds the run of the first try
TAGS = ("git_commit", "data_version", "as_of", "decision", "source", "image", "evaluation")
MOST_METRICS = 1000  # in a request: https://mlflow.org/docs/latest/rest-api.html#request-limits
# A server that is down is to be known within two minutes; MLflow would ask for ten.
CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing else is to be told of it, and offline it would try in vain
}


def address(platform: Platform) -> str | None:
    """Where MLflow is: MLFLOW_TRACKING_URI of Airflow's environment, else what the platform says; None without both."""
    return os.environ.get("MLFLOW_TRACKING_URI") or platform.mlflow_tracking_uri


def track(
    platform: Platform, spec: PipelineSpec, uri: str, gated: Mapping[str, Any], package: str, dag_run: str
) -> dict[str, str]:
    """Write the MLflow run of the model's training job, or write it again; returns its experiment and id."""
    for name, value in CLIENT.items():
        os.environ.setdefault(name, value)
    import boto3
    import mlflow
    from mlflow.entities import Metric, Param, RunTag

    if not uri.startswith("arn:"):
        # sagemaker-mlflow's headers: with each request it would warn that this is no ARN.
        logging.getLogger("mlflow.tracking.request_header.registry").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(uri)  # for the whole process: sagemaker-mlflow asks for no client's
    client = mlflow.MlflowClient()

    facts = model_packages.facts(model_packages.describe(package))
    made_of = lineage.load(facts["lineage"])
    job: Mapping[str, Any] = {
        **boto3.client("sagemaker").describe_training_job(TrainingJobName=made_of["training_job"]["name"])
    }
    curves = evaluation.read_outputs(gated["model_artifacts"]).get("curves", {})

    experiment = f"{spec.name}-{platform.environment}"
    run_id = _run(client, _experiment(client, experiment, uri), job)
    params = [Param(name, str(value)) for name, value in made_of["hyperparameters"].items()]
    tags = {name: facts[name] for name in TAGS} | {"model_package": package, "dag_run": dag_run}
    client.log_batch(run_id, params=params, tags=[RunTag(name, value) for name, value in tags.items()])
    # At the times they are of: written again they are the same ones, and don't double.
    trained_at, evaluated_at = _milliseconds(job["TrainingEndTime"]), _evaluated_at(gated["evaluation"])
    told = [Metric(name, value, trained_at, step) for name, value, step in training_metrics(job, curves)]
    told += [Metric(name, value, evaluated_at, 0) for name, value in evaluation_metrics(gated["metrics"])]
    for some in batched(told, MOST_METRICS):
        client.log_batch(run_id, metrics=list(some))
    with tempfile.TemporaryDirectory() as folder:
        _fetch(gated["evaluation"], facts["lineage"], Path(folder))
        client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, end_time=trained_at)
    return {"experiment": experiment, "run_id": run_id}


def training_metrics(job: Mapping[str, Any], curves: Mapping[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of the job's final metrics, and of each point of the curves that its script wrote."""
    for metric in job.get("FinalMetricDataList", ()):
        yield metric["MetricName"].replace(":", "/"), metric["Value"], 0
    for metric, splits in curves.items():
        for split, values in splits.items():
            yield from ((f"curves/{metric}/{split}", value, step) for step, value in enumerate(values))


def evaluation_metrics(models: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    """Name and value of each model's metrics on the test split, and of the bounds of their intervals."""
    for model, metrics in models.items():
        for metric, found in metrics.items():
            yield f"evaluation/{model}/{metric}", found["value"]
            yield from ((f"evaluation/{model}/{metric}_{end}", found[end]) for end in ("low", "high") if end in found)


def _experiment(client: Any, name: str, uri: str) -> str:
    if known := client.get_experiment_by_name(name):
        return str(known.experiment_id)
    # Without a server that knows a place, files would go to where Airflow happens to have been started.
    beside = Path(uri.removeprefix("sqlite:///")).absolute().with_suffix(".artifacts").as_uri()
    return str(client.create_experiment(name, artifact_location=beside if uri.startswith("sqlite:") else None))


def _run(client: Any, experiment_id: str, job: Mapping[str, Any]) -> str:
    name = job["TrainingJobName"]
    found = client.search_runs([experiment_id], filter_string=f"tags.{JOB} = '{name}'", max_results=1)
    started = _milliseconds(job["TrainingStartTime"])
    run = found[0] if found else client.create_run(experiment_id, started, tags={JOB: name}, run_name=name)
    return str(run.info.run_id)


def _fetch(evaluated: str, lineage_document: str, folder: Path) -> None:
    """Lay the evaluation, its plots, the model card and the lineage into `folder`."""
    names = {key: key.removeprefix(evaluated) for key in objects.etags(evaluated)} | {lineage_document: "lineage.json"}
    for key, name in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(objects.read(key))


def _evaluated_at(evaluated: str) -> int:
    found = evaluation.read(evaluated, "evaluation")["dataset"]["evaluation_time"]
    return _milliseconds(datetime.fromisoformat(found))


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
