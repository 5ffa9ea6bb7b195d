"""A pipeline's model in small: trained for real by local AWS in a second, evaluated in a fixture's words."""

import json
import struct
import zlib
from typing import Any

import boto3
from sagemaker_requests import IMAGE, ROLE, archive, channel, finished

from flight_delay import spec
from silverline import bronze
from silverline.lineage import store
from silverline.platform import Platform

GROUP = "test-flight-delay"
PLATFORM = Platform(
    environment="test",
    bronze_bucket="registry-bronze",
    silver_bucket="registry-silver",
    gold_bucket="registry-gold",
    artifacts_bucket="registry-artifacts",
    kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/k",
    bronze_database="test_bronze",
    silver_database="test_silver",
    gold_database="test_gold",
    athena_workgroup="primary",
    airflow_role_arn="arn:aws:iam::123456789012:role/airflow",
    sagemaker_jobs_role_arn=ROLE,
    sagemaker_endpoint_role_arn=ROLE,
    model_package_groups={"flight_delay": GROUP},
    endpoint_alarms={"flight_delay": ["canary"]},
    canary_seconds=0,
    alarm_topic_arn="arn:aws:sns:us-east-1:123456789012:alarms",
    log_group="/silverline/test/pipelines",
    sagemaker_image=IMAGE,
)
SOURCE = f"s3://{PLATFORM.artifacts_bucket}/flight_delay/source/0123456789abcdef/sourcedir.tar.gz"
SPLITS = f"s3://{PLATFORM.silver_bucket}/flight_delay/splits/run-1/"
SILVER_RUNS = {"2013-01": "20130201-abcd-1", "2013-02": "20130401-abcd-2", "2013-03": "20130401-abcd-2"}
# Its model is what it read and was told; where there is `--noise`, another one each time.
TRAIN = """
    import argparse, json, os, random, sys
    from pathlib import Path

    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--noise", type=int, default=0)
    arguments, _ = parser.parse_known_args()

    def rows(name):
        files = Path(os.environ[f"SM_CHANNEL_{name.upper()}"]).iterdir()
        return sorted(line for file in files for line in lines(file))

    def lines(file):
        if file.read_bytes()[:4] != b"PAR1":
            return [file.read_text()]
        # Not pandas.read_parquet: it hands pyarrow's threads a Python file, and where the interpreter ends before they
        # have let go of it, it aborts: https://github.com/apache/arrow/issues/34314.
        from pyarrow import parquet
        return [str(row) for row in parquet.read_table(file).to_pandas().itertuples(index=False)]

    data = {name: rows(name) for name in ("train", "test")}
    if arguments.noise:
        data["noise"] = random.SystemRandom().random()
    model, output = Path(os.environ["SM_MODEL_DIR"]), Path(os.environ["SM_OUTPUT_DATA_DIR"])
    (model / "model.joblib").write_text(f"{arguments.seed} {data}")
    versions = {"python": sys.version.split()[0], "scikit-learn": "1.9.0"}
    metadata = {"hyperparameters": {"seed": arguments.seed, "max_iter": 300}, "threshold": 0.25, "versions": versions}
    (output / "metadata.json").write_text(json.dumps(metadata))
    curves = {"log_loss": {"train": [0.6, 0.5, 0.4], "validation": [0.7, 0.6, 0.5]}}
    (output / "curves.json").write_text(json.dumps(curves))
    print("test:roc_auc=0.75;")
"""
TRAINING_METRICS = [{"Name": "test:roc_auc", "Regex": r"test:roc_auc=([0-9.]+);"}]


FILES: list[bronze.File] = []


def lay() -> None:
    """Buckets, group, source archive and splits."""
    s3 = boto3.client("s3")
    for bucket in (PLATFORM.bronze_bucket, PLATFORM.silver_bucket, PLATFORM.artifacts_bucket):
        s3.create_bucket(Bucket=bucket)
    versioning: Any = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=PLATFORM.bronze_bucket, VersioningConfiguration=versioning)
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    put(SOURCE, archive({"train.py": TRAIN}))
    put(f"s3://{PLATFORM.bronze_bucket}/flights/year=2013/month=01/flights.csv", b"flights")
    FILES[:] = bronze.files(PLATFORM, ["flights"])
    for name in ("train", "validation", "test"):
        put(f"{SPLITS}{name}/part", f"rows of {name}".encode())


def put(address: str, body: bytes) -> None:
    bucket, key = address.removeprefix("s3://").split("/", 1)
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def plan() -> dict[str, Any]:
    """XCom of bronze.plan."""
    return {
        "as_of": "2013-03",
        "splits": {"train": ["2013-01", "2013-01"], "validation": ["2013-02", "2013-02"], "test": ["2013-03"] * 2},
        "bronze": store(PLATFORM, spec.name, bronze.manifest(PLATFORM, FILES, (), "2013-03")),
        "sql_digest": "f" * 64,
    }


def train(name: str, **hyperparameters: int) -> str:
    """Where the model of a training job lies, which was run to its end."""
    told = {
        "seed": 2013,
        "data_version": "0123456789abcdef",
        "data_location": SPLITS,
        "git_commit": "a" * 40,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        **hyperparameters,
    }
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": TRAINING_METRICS,
        },
        HyperParameters={key: json.dumps(value) for key, value in told.items()},
        InputDataConfig=[
            *(channel(split, f"{SPLITS}{split}/") for split in ("train", "validation", "test")),
            channel("code", SOURCE),
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{PLATFORM.artifacts_bucket}/flight_delay/training"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        EnableNetworkIsolation=True,
    )
    job = finished(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def gate(model_artifacts: str, decision: str = "promote", evaluation: str = "evaluation-1") -> dict[str, Any]:
    """XCom of evaluate.gate, and the files that it speaks of."""
    address = f"s3://{PLATFORM.artifacts_bucket}/flight_delay/evaluation/{evaluation}/"
    measured = {"roc_auc": {"value": 0.758, "low": 0.752, "high": 0.764}}
    comparison: dict[str, Any] = {
        "models": {"challenger": measured, "base_rate": {"roc_auc": {"value": 0.5}}},
        "slices": {},
        "answers": "warns from a probability of 0.25 (a case missed costs 3, a false alarm 1), which costs 0.53 a row",
    }
    put(f"{address}comparison.json", json.dumps(comparison).encode())
    quality = {
        "dataset": {"evaluation_time": "2013-04-01T12:00:00+00:00"},
        "binary_classification_metrics": {"auc": {"value": 0.758}},
    }
    put(f"{address}evaluation.json", json.dumps(quality).encode())
    put(f"{address}plots/roc.png", one_pixel())
    return {
        "decision": decision,
        "reasons": ["It beats the base rate: log loss 0.47 < 0.56 (24 % better)."],
        "metrics": comparison["models"],
        "answers": comparison["answers"],
        "evaluation": address,
        "champion": None,
        "model_artifacts": model_artifacts,
    }


def one_pixel() -> bytes:
    """The smallest PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""))
    )
