"""Requests sent as they are, past a client's own checks."""

import json
import urllib.error
import urllib.request
from typing import Any

from local_aws.validation import service_model


def send(
    url: str, service: str, operation: str, document: Any, timeout: float = 60, region: str = "us-east-1"
) -> tuple[int, bytes]:
    """The status and body of a POST in AWS's JSON protocol, whatever the document; bytes are sent as they are."""
    metadata = service_model(service).metadata
    headers = {
        "Content-Type": f"application/x-amz-json-{metadata['jsonVersion']}",
        "X-Amz-Target": f"{metadata['targetPrefix']}.{operation}",
    }
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return post(url, metadata.get("signingName", metadata["endpointPrefix"]), headers, body, timeout, region)


def post(
    url: str, signing_name: str, headers: dict[str, str], body: bytes, timeout: float = 60, region: str = "us-east-1"
) -> tuple[int, bytes]:
    """The status and body of a POST that looks signed."""
    scope = f"testing/20260101/{region}/{signing_name}/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"} | headers
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
