"""Data capture: what an endpoint was asked and what it answered, in S3, in the lines that Model Monitor reads."""

import base64
import json
import logging
import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.buffer import Buffer
from local_aws.sagemaker.data import bucket_and_key

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0  # AWS takes minutes
_SIDES = {
    "Input": ["endpointInput"],
    "Output": ["endpointOutput"],
    "InputAndOutput": ["endpointInput", "endpointOutput"],
}


def is_enabled(config: Mapping[str, Any] | None) -> bool:
    """Whether a DataCaptureConfig asks for capture; EnableCapture is true where it is left out."""
    return config is not None and bool(config.get("EnableCapture", True))


def summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """DescribeEndpoint's DataCaptureConfig."""
    if not config:
        return None
    return {
        "EnableCapture": is_enabled(config),
        "CaptureStatus": "Started" if is_enabled(config) else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


class DataCapture:
    """Writes a sample of a variant's inferences below its DestinationS3Uri."""

    def __init__(self, config: Mapping[str, Any], s3: Any, endpoint_name: str, variant_name: str) -> None:
        self._config = config
        self._s3 = s3
        self._bucket, prefix = bucket_and_key(config["DestinationS3Uri"])
        self._folder = "/".join(filter(None, [prefix.strip("/"), endpoint_name, variant_name]))
        self._sides = {side for option in config["CaptureOptions"] for side in _SIDES[option["CaptureMode"]]}
        types = config.get("CaptureContentTypeHeader") or {}
        self._encodings = {
            content_type.lower(): encoding
            for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes"))
            for content_type in types.get(member) or []
        }
        self._buffer = Buffer(f"capture {variant_name}", self._write, FLUSH_SECONDS)

    def record(self, headers: Mapping[str, str], request: bytes, content_type: str, answer: bytes) -> None:
        """Keep an inference, if it is one of the sample."""
        if random.random() * 100 >= self._config["InitialSamplingPercentage"]:
            return
        now = datetime.now(UTC)
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if "X-Amzn-SageMaker-Custom-Attributes" in headers:
            metadata["customAttributes"] = [headers["X-Amzn-SageMaker-Custom-Attributes"]]
        if "X-Amzn-SageMaker-Inference-Id" in headers:
            metadata["inferenceId"] = headers["X-Amzn-SageMaker-Inference-Id"]
        metadata["inferenceTime"] = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        captured = {
            "endpointInput": self._captured("INPUT", headers.get("Content-Type", ""), request),
            "endpointOutput": self._captured("OUTPUT", content_type, answer),
        }
        line = {
            "captureData": {side: data for side, data in captured.items() if side in self._sides},
            "eventMetadata": metadata,
            "eventVersion": "0",
        }
        self._buffer.add((now, json.dumps(line, separators=(",", ":"))))

    def close(self) -> None:
        """Write what is left."""
        self._buffer.close()

    def _captured(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        encoding = self._encodings.get(content_type.partition(";")[0].strip().lower(), "BASE64")
        try:
            data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
        except UnicodeDecodeError:  # no text, whatever its content type says
            encoding, data = "BASE64", base64.b64encode(body).decode()
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    def _write(self, lines: list[tuple[datetime, str]]) -> None:
        """One object for each hour's lines."""
        for _, hour in groupby(sorted(lines), lambda line: line[0].replace(minute=0, second=0, microsecond=0)):
            events = list(hour)
            first = events[0][0]
            key = f"{self._folder}/{first:%Y/%m/%d/%H/%M-%S}-{first.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
            encryption = {}
            if self._config.get("KmsKeyId"):
                encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._config["KmsKeyId"]}
            body = "".join(f"{text}\n" for _, text in events).encode()
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **encryption)
            except (ClientError, BotoCoreError) as error:  # as on AWS, the endpoint goes on answering
                logger.warning(
                    "%d captured inferences for s3://%s/%s were lost: %s", len(events), self._bucket, key, error
                )
