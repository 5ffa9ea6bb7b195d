"""SageMaker Runtime's requests."""

import time
import urllib.parse
from typing import Any

from moto.sagemakerruntime.responses import SageMakerRuntimeResponse as MotoResponse

from local_aws.exceptions import NotImplementedHere
from local_aws.responses import CheckedResponse
from local_aws.validation import service_model

FORWARDED = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")
OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
# What would be ignored without a word.
REFUSED = {
    "TargetModel": "Give each model an endpoint, or a production variant and TargetVariant.",
    "TargetContainerHostname": "Give each container an endpoint of its own.",
    "InferenceComponentName": "Give each model a production variant, and name it as TargetVariant.",
    "SessionId": "Send what a model has to remember with each request.",
    "EnableExplanations": "Compute explanations in the model's predict_fn.",
}


class SageMakerRuntimeResponse(CheckedResponse, MotoResponse):
    """moto's, with bodies left as the bytes they are, whatever their content type."""

    use_raw_body = True
    carried_out = {"InvokeEndpoint"}
    invalid = "ValidationError"

    def _get_action(self) -> str:
        return OPERATIONS[self.path.rpartition("/")[2]]

    def determine_response_protocol(self, service_model: Any) -> str:
        return "rest-json"

    def check_request(self) -> None:
        super().check_request()
        for member in REFUSED.keys() & self.document().keys():
            raise NotImplementedHere(f"InvokeEndpoint with {member}", REFUSED[member])

    def document(self) -> Any:
        shape: Any = service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
        headers = {
            name: self.headers[header]
            for name, member in shape.members.items()
            if member.serialization.get("location") == "header"
            and (header := member.serialization["name"]) in self.headers
        }
        return headers | {"EndpointName": self._endpoint_name(), "Body": self._body()}

    def _body(self) -> bytes:
        return bytes(self.normalized_request.get_data())  # moto takes `raw_body` of a form with a `key` for S3's

    def _endpoint_name(self) -> str:
        return urllib.parse.unquote(self.path.split("/", 2)[2].rpartition("/")[0])

    def invoke_endpoint(self) -> Any:
        received = time.monotonic()
        headers = {name: self.headers[name] for name in FORWARDED if self.headers.get(name)}
        variant, answer = self.sagemakerruntime_backend.invoke(
            self._endpoint_name(),
            self._body(),
            headers,
            self.headers.get("X-Amzn-SageMaker-Target-Variant"),
            received,
        )
        returned = {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": variant}
        if answer.custom_attributes:
            returned["X-Amzn-SageMaker-Custom-Attributes"] = answer.custom_attributes
        return 200, returned, answer.body
