"""SageMaker Runtime's requests."""

from typing import Any

from moto.sagemakerruntime.responses import SageMakerRuntimeResponse as MotoResponse

from local_aws.sagemakerruntime.exceptions import NotImplementedHere

FORWARDED = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")


class SageMakerRuntimeResponse(MotoResponse):
    """moto's, with bodies left as the bytes they are."""

    use_raw_body = True

    def invoke_endpoint(self) -> Any:
        headers = {name: self.headers[name] for name in FORWARDED if self.headers.get(name)}
        variant, answer = self.sagemakerruntime_backend.invoke(
            self.path.split("/")[2],
            self.raw_body,
            headers,
            self.headers.get("X-Amzn-SageMaker-Target-Variant"),
        )
        returned = {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": variant}
        if answer.custom_attributes:
            returned["X-Amzn-SageMaker-Custom-Attributes"] = answer.custom_attributes
        return 200, returned, answer.body

    def invoke_endpoint_async(self) -> Any:
        raise NotImplementedHere("InvokeEndpointAsync")

    def invoke_endpoint_with_response_stream(self) -> Any:
        raise NotImplementedHere("InvokeEndpointWithResponseStream")
