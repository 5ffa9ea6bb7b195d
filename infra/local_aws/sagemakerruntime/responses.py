"""SageMaker Runtime's requests."""

import logging
import time
from typing import Any

from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse as MotoResponse

from local_aws.sagemakerruntime.exceptions import InternalFailure, NotImplementedHere

logger = logging.getLogger(__name__)

FORWARDED = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")


class SageMakerRuntimeResponse(MotoResponse):
    """moto's, with bodies left as the bytes they are."""

    use_raw_body = True

    def _dispatch(self, request: Request, full_url: str | None = None, headers: Any = None) -> Any:
        """The operation's answer; AWS's InternalFailure where moto's server would answer with a page of HTML."""
        try:
            return super()._dispatch(request, full_url, headers)
        except Exception as error:  # the last to see it: the client gets AWS's shape, the log has the traceback
            logger.exception("SageMaker Runtime: %s", self._get_action())
            return self.serialized(ActionResult(InternalFailure(self._get_action(), error)))

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

    def invoke_endpoint_async(self) -> Any:
        raise NotImplementedHere("InvokeEndpointAsync")

    def invoke_endpoint_with_response_stream(self) -> Any:
        raise NotImplementedHere("InvokeEndpointWithResponseStream")
