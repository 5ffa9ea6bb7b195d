"""What SageMaker's jobs wrote of a model, and what is laid beside it."""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from silverline import objects


def read_outputs(model_artifacts: str) -> dict[str, Any]:
    """The JSON files in the output.tar.gz beside a job's model.tar.gz, by name without the ending."""
    body = objects.read(f"{model_artifacts.rpartition('/')[0]}/output.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        return {
            member.name.removeprefix("./").removesuffix(".json"): json.load(content)
            for member in archive.getmembers()
            if member.name.endswith(".json") and (content := archive.extractfile(member))
        }


def read(prefix: str, name: str = "comparison") -> dict[str, Any]:
    """The comparison that an evaluation left under its prefix, or the document of another `name`."""
    return dict(json.loads(objects.read(f"{prefix}{name}.json")))


def store(prefix: str, files: Mapping[str, bytes]) -> list[str]:
    """Put PNG files under a prefix; returns where each lies."""
    for name, content in files.items():
        objects.write(f"{prefix}{name}", content, "image/png")
    return [f"{prefix}{name}" for name in files]
