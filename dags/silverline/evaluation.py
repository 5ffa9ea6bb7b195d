"""What SageMaker's jobs wrote of a model, read from where they left it."""

import io
import json
import tarfile
from typing import Any


def read_outputs(model_artifacts: str) -> dict[str, Any]:
    """The JSON files in the output.tar.gz beside a job's model.tar.gz, by name without the ending."""
    body = _read(f"{model_artifacts.rpartition('/')[0]}/output.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        return {
            member.name.removeprefix("./").removesuffix(".json"): json.load(content)
            for member in archive.getmembers()
            if member.name.endswith(".json") and (content := archive.extractfile(member))
        }


def read(prefix: str) -> dict[str, Any]:
    """The comparison that an evaluation left under its prefix."""
    return dict(json.loads(_read(f"{prefix}comparison.json")))


def _read(uri: str) -> bytes:
    import boto3

    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
