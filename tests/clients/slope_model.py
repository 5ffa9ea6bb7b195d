"""The model that the client tests train and serve: it multiplies by `slope`, and takes a second."""

import json
from typing import Any

import boto3
from sagemaker_requests import BUCKET, IMAGE, ROLE, channel, training_job

TRAIN = """
    import argparse, json, os, pathlib, shutil
    parser = argparse.ArgumentParser()
    parser.add_argument("--slope", type=float, default=2)
    slope = parser.parse_args().slope
    rows = [line for path in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.csv")
            for line in path.read_text().split()]
    print(f"rows={len(rows)};")
    print(f"loss={(slope - 3) ** 2};")
    model = pathlib.Path(os.environ["SM_MODEL_DIR"])
    (model / "slope.json").write_text(json.dumps(slope))
    shutil.copytree(pathlib.Path(__file__).parent, model / "code", ignore=shutil.ignore_patterns("__pycache__"))
"""
INFERENCE = """
    import json, pathlib

    def model_fn(model_dir):
        return json.loads(pathlib.Path(model_dir, "slope.json").read_text())

    def input_fn(body, content_type):
        if content_type not in ("text/csv", "application/json"):
            raise ValueError(f"no such content type here: {content_type}")
        return [float(value) for value in body.replace("[", "").replace("]", "").replace(",", " ").split()]

    def predict_fn(values, slope):
        return [slope * value for value in values]

    def output_fn(answers, accept):
        if accept == "application/json":
            return json.dumps(answers), accept
        return "".join(f"{answer}\\n" for answer in answers), "text/csv"
"""
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
METRICS = [{"Name": "rows", "Regex": r"rows=(\d+);"}, {"Name": "loss", "Regex": r"loss=([0-9\.]+);"}]
DATA = f"s3://{BUCKET}/clients/train"


def training_request(s3: Any, name: str, script: str = TRAIN, **changes: Any) -> dict[str, Any]:
    """A CreateTrainingJob request whose job learns nothing but `slope`, in a second."""
    request = training_job(s3, name, script, {"inference.py": INFERENCE}, **changes)
    request["AlgorithmSpecification"]["MetricDefinitions"] = METRICS
    return {"InputDataConfig": [channel("train", DATA)], **request}


def model_request(name: str, artifacts: str) -> dict[str, Any]:
    """A CreateModel request for what `training_request` trains."""
    container = {"Image": IMAGE, "ModelDataUrl": artifacts, "Environment": SERVING}
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}


def endpoint_config_request(name: str, model: str) -> dict[str, Any]:
    """A CreateEndpointConfig request with one variant."""
    variant = {"VariantName": "only", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def predictions(endpoint: str, *values: float) -> Any:
    """What `endpoint` answers to `values`."""
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=json.dumps(values), ContentType="application/json", Accept="application/json"
    )
    return json.loads(answer["Body"].read())
