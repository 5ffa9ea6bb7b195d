"""SageMaker Runtime's requests."""

import time
from typing import Any

from moto.sagemakerruntime.responses import SageMakerRuntimeResponse as MotoResponse

from local_aws.responses import CheckedResponse

FORWARDED = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")


class SageMakerRuntimeResponse(CheckedResponse, MotoResponse):
    """moto's, with bodies left as the bytes they are."""

    use_raw_body = True
    carried_out = {"InvokeEndpoint"}
    invalid = "ValidationError"

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    def document(self) -> Any:
        return self._get_params() | {"Body": self.raw_body}  # moto takes an empty one for none

    def invoke_endpoint(self) -> Any:
        received = time.monotonic()
        headers = {name: self.headers[name] for name in FORWARDED if self.headers.get(name)}
        variant, answer = self.sagemakerruntime_backend.invoke(
            self.path.split("/")[2],
            self.raw_body,
            headers,
            self.headers.get("X-Amzn-SageMaker-Target-Variant"),
            received,
        )
        returned = {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": variant}
        if answer.custom_attributes:
            returned["X-Amzn-SageMaker-Custom-Attributes"] = answer.custom_attributes
        return 200, returned, answer.body
