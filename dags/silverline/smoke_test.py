"""Asks a fresh endpoint questions whose answers the training job wrote down."""

import json
import math
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ReadTimeoutError

from silverline.rollout import Objection

# Of InvokeEndpoint's errors those that may be over by the next try.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
NO_ANSWER = (
    *("InternalDependencyException", "InternalFailure", "ModelNotReadyException", "ServiceUnavailable"),
    "ValidationError",
)


def differences(expected: Any, answered: Any, path: str = "answer") -> list[str]:
    """Where two JSON documents differ, in words; numbers may differ by a millionth."""
    if isinstance(expected, dict) and isinstance(answered, dict) and expected.keys() == answered.keys():
        return [text for key in expected for text in differences(expected[key], answered[key], f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(answered, list) and len(expected) == len(answered):
        pairs = zip(expected, answered, strict=True)
        return [text for index, pair in enumerate(pairs) for text in differences(*pair, f"{path}[{index}]")]
    if isinstance(expected, float) and isinstance(answered, int | float):
        same = math.isclose(expected, answered, rel_tol=1e-6, abs_tol=1e-6)
    else:
        same = expected == answered
    return [] if same else [f"{path} is {answered!r}, the training job computed {expected!r}"]


def smoke_test(endpoint_name: str, golden: Mapping[str, Any], last: bool = True) -> int:
    """Send the golden rows in one request; returns their number, Objection where an answer isn't the known one, or
    there is none at the `last` try. Other errors, a missing permission for example, aren't the model's."""
    rows, runtime = golden["request"], boto3.client("sagemaker-runtime")
    no_answer = (ReadTimeoutError, *(getattr(runtime.exceptions, name) for name in NO_ANSWER))
    try:
        response = runtime.invoke_endpoint(
            EndpointName=endpoint_name,
            ContentType="application/json",
            Accept="application/json",
            CustomAttributes="smoke-test",  # so that what is captured can be told from people's questions
            Body=json.dumps(rows),
        )
        answer = json.load(response["Body"])
    except runtime.exceptions.ModelError as error:
        raise Objection(f"endpoint {endpoint_name} fails on known rows: {error}") from error
    except no_answer as error:
        if not last:
            raise
        raise Objection(f"endpoint {endpoint_name} gives no answer to known rows: {error}") from error
    except ValueError as error:
        raise Objection(f"endpoint {endpoint_name} does not answer known rows in JSON: {error}") from error
    if wrong := differences(golden["response"], answer):
        raise Objection(f"endpoint {endpoint_name}: {len(wrong)} wrong answers; the first: {'; '.join(wrong[:3])}")
    return len(rows)
