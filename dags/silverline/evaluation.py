"""What the training job says of its model, and whether that is good enough to be deployed."""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

HIGHER_IS_BETTER = {"roc_auc", "pr_auc"}
LOWER_IS_BETTER = {"log_loss", "brier"}


def read_outputs(model_artifacts: str) -> dict[str, Any]:
    """The JSON files in the output.tar.gz beside a job's model.tar.gz, by name without the ending."""
    import boto3

    bucket, key = model_artifacts.removeprefix("s3://").split("/", 1)
    key = f"{key.rsplit('/', 1)[0]}/output.tar.gz"
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        return {
            member.name.removeprefix("./").removesuffix(".json"): json.load(content)
            for member in archive.getmembers()
            if member.name.endswith(".json") and (content := archive.extractfile(member))
        }


def objection(evaluation: Mapping[str, Any], metric: str) -> str | None:
    """Why the model must not be deployed, in words; None where it beats the base rate on the test split."""
    model = evaluation["splits"]["test"][metric]
    baseline = evaluation["baselines"]["base_rate"]["test"][metric]
    if model > baseline if metric in HIGHER_IS_BETTER else model < baseline:
        return None
    return (
        f"the model does not beat the base rate: test {metric} is {model:.4f}, always answering the base rate gives "
        f"{baseline:.4f}; nothing was deployed"
    )
