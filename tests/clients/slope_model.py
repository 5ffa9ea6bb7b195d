"""The model that the client tests train and serve: it multiplies by `slope`, and takes a second."""

import json
import textwrap
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
        if content_type == "application/json":
            return json.loads(body)
        return [[float(value) for value in line.split(",")] for line in body.split()]

    def predict_fn(given, slope):
        return [predict_fn(part, slope) for part in given] if isinstance(given, list) else slope * given

    def output_fn(answer, accept):
        if accept == "application/json":
            return json.dumps(answer), accept
        return "".join(",".join(map(str, row)) + "\\n" for row in answer), "text/csv"
"""
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
METRICS = [{"Name": "rows", "Regex": r"rows=(\d+);"}, {"Name": "loss", "Regex": r"loss=([0-9\.]+);"}]
DATA = f"s3://{BUCKET}/clients/train"
IN, OUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


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


def processing_request(s3: Any, name: str, script: str, **changes: Any) -> dict[str, Any]:
    """A CreateProcessingJob request that runs `script` on the training data; what it puts into OUT goes to
    s3://BUCKET/clients/`name`."""
    s3.put_object(Bucket=BUCKET, Key=f"clients/code/{name}.py", Body=textwrap.dedent(script).encode())
    places = {"code": (f"s3://{BUCKET}/clients/code/{name}.py", "/opt/ml/processing/code"), "rows": (DATA, IN)}
    output = {"S3Uri": f"s3://{BUCKET}/clients/{name}", "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", f"/opt/ml/processing/code/{name}.py"],
        },
        "ProcessingInputs": [
            {"InputName": input_name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix"}}
            for input_name, (uri, path) in places.items()
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def transform_request(name: str, model: str, **changes: Any) -> dict[str, Any]:
    """A CreateTransformJob request that answers each line of the training data."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": DATA}}
    place = f"s3://{BUCKET}/clients/{name}"
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": place, "AssembleWith": "Line", "Accept": "text/csv"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }


def tuning_request(s3: Any, name: str, script: str = TRAIN, **limits: int) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request that looks for the slope 3, which has no loss, among two."""
    job = training_request(s3, name, script)
    static = job.pop("HyperParameters")
    del job["TrainingJobName"]
    slopes = {"Name": "slope", "Values": ["2", "3"]}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2, **limits},
            "ParameterRanges": {"CategoricalParameterRanges": [slopes]},
        },
        "TrainingJobDefinition": {"StaticHyperParameters": static, **job},
    }


def predictions(endpoint: str, *values: float) -> Any:
    """What `endpoint` answers to `values`."""
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=json.dumps(values), ContentType="application/json", Accept="application/json"
    )
    return json.loads(answer["Body"].read())
