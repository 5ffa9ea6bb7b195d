"""A request that an endpoint was really sent, from what its data capture has kept."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.console.clients import client

MOST_CHARACTERS = 100_000


@dataclass(frozen=True)
class Sample:
    """A request's body and content type, both empty where none is known; `uri` is the object that it was found in."""

    body: str = ""
    content_type: str = ""
    uri: str = ""


def newest(endpoint: str, capture: Mapping[str, Any] | None) -> Sample:
    """The newest request of an endpoint whose configuration has that DataCaptureConfig; an empty one where there is
    none, or it is no text, or too long to edit."""
    if not capture:
        return Sample()
    bucket, _, prefix = capture["DestinationS3Uri"].removeprefix("s3://").partition("/")
    folder = "/".join(filter(None, (prefix.strip("/"), endpoint))) + "/"
    s3 = client("s3")
    try:
        key = _last_key(s3, bucket, folder)
        lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines() if key else []
    except s3.exceptions.NoSuchBucket:
        return Sample()
    for line in reversed(lines):
        given = json.loads(line)["captureData"].get("endpointInput")
        if given and (body := _text(given)) is not None and len(body) <= MOST_CHARACTERS:
            return Sample(body, given["observedContentType"], f"s3://{bucket}/{key}")
    return Sample()


def _last_key(s3: Any, bucket: str, folder: str) -> str | None:
    """The newest object: folders are a variant's, and in it a year's, month's, day's and hour's."""
    keys: list[str] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/"):
        for variant in page.get("CommonPrefixes", []):
            below = variant["Prefix"]
            while (last := _last(s3, bucket, below)) and last.endswith("/"):
                below = last
            if last:
                keys.append(last)
    return max(keys, key=lambda key: key.removeprefix(folder).partition("/")[2], default=None)


def _last(s3: Any, bucket: str, folder: str) -> str | None:
    """The last object or folder directly in a folder."""
    found = ""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/"):
        names = [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        names += [each["Key"] for each in page.get("Contents", []) if each["Key"].endswith(".jsonl")]
        found = max([found, *names])
    return found or None


def _text(given: Mapping[str, str]) -> str | None:
    if given["encoding"] != "BASE64":
        return given["data"]
    try:
        return base64.b64decode(given["data"]).decode()
    except UnicodeDecodeError:
        return None
