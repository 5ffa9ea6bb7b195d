"""A fleet: an endpoint configuration at work, as a model server for each of its production variants."""

import random
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.data import DataError
from local_aws.sagemaker.data_capture import DataCapture, is_enabled
from local_aws.sagemaker.failures import LONGEST_REASON
from local_aws.sagemaker.images import ImageUnavailable
from local_aws.sagemaker.invocations import Invocation, Invocations
from local_aws.sagemaker.jobs import Surroundings
from local_aws.sagemaker.logs import LogStream
from local_aws.sagemaker.serving import Answer, ModelServer, NotHealthy, ServedModel


class FleetFailed(Exception):
    """A model server did not come up; the text is the endpoint's FailureReason."""


class UnknownVariant(Exception):
    """A request names a variant that is none of the endpoint's."""


@dataclass
class Variant:
    """A production variant: what it runs, and its present weight and instance count."""

    name: str
    weight: float
    instance_count: int
    image: str
    model: ServedModel
    role_arn: str
    routing: Mapping[str, Any] | None = None


Surround = Callable[[Variant], Surroundings]


class VariantServer:
    """The model server of a variant, which stands for all of its instances, and what is recorded of its answers."""

    def __init__(
        self,
        variant: Variant,
        endpoint_name: str,
        capture: Mapping[str, Any] | None,
        surroundings: Surroundings,
    ) -> None:
        self.variant = variant
        role = surroundings.role
        self._log = LogStream(
            role.client("logs"),
            f"/aws/sagemaker/Endpoints/{endpoint_name}",
            f"{variant.name}/i-{uuid.uuid4().hex[:17]}",
        )
        self._server = ModelServer(variant.model, surroundings, self._log)
        self._invocations = Invocations(
            role.service_client("cloudwatch"), endpoint_name, variant.name, lambda: variant.instance_count
        )
        self._capture: DataCapture | None = None
        if capture and is_enabled(capture):
            self._capture = DataCapture(capture, role.client("s3"), endpoint_name, variant.name)

    def start(self) -> None:
        """Start the model server and wait until it answers; FleetFailed where it doesn't."""
        try:
            self._server.start()
        except NotHealthy as error:
            reason = (
                f"The primary container for production variant {self.variant.name} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            )
            if str(error):
                reason += " Its last lines on stderr: "
                reason += str(error)[len(reason) - LONGEST_REASON :]
            raise FleetFailed(reason) from error
        except (DataError, ImageUnavailable) as error:
            raise FleetFailed(str(error)) from error

    def invoke(self, body: bytes, headers: Mapping[str, str], received: float) -> Answer:
        """The container's answer to a request that came in at monotonic time `received`; NoAnswer where it has none."""
        sent = time.monotonic()
        status = 0
        try:
            answer = self._server.invoke(body, headers)
            status = answer.status
        finally:
            self._invocations.count(Invocation(status, time.monotonic() - sent, sent - received))
        if self._capture and 200 <= answer.status < 300:
            self._capture.record(headers, body, answer.content_type, answer.body)
        return answer

    def enter(self) -> None:
        """Count a request that is about to be sent: `stop` waits for it."""
        self._server.enter()

    def leave(self) -> None:
        """Count a request as answered."""
        self._server.leave()

    def stop(self, drain: bool) -> None:
        """End the model server, after the requests it still has to answer where `drain` is set."""
        self._server.stop(drain)
        self._invocations.close()
        if self._capture:
            self._capture.close()
        self._log.close()


class Fleet:
    """The model servers of one endpoint configuration; pickled, it keeps its record and loses its servers."""

    def __init__(self, config_name: str, variants: Sequence[Variant], capture: Mapping[str, Any] | None) -> None:
        self.config_name = config_name
        self.variants = {variant.name: variant for variant in variants}
        self.capture = capture
        self.start_time = datetime.now(UTC)
        self._servers: dict[str, VariantServer] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_servers": {}}

    def retain(self, other: "Fleet", excluded: Collection[str]) -> None:
        """Take over another fleet's variant properties (AWS's VariantPropertyType), except those `excluded`."""
        if "DataCaptureConfig" not in excluded:
            self.capture = other.capture
        for variant in self.variants.values():
            present = other.variants.get(variant.name)
            if present and "DesiredWeight" not in excluded:
                variant.weight = present.weight
            if present and "DesiredInstanceCount" not in excluded:
                variant.instance_count = present.instance_count

    def start(self, endpoint_name: str, surround: Surround) -> None:
        """Start every variant's model server; FleetFailed where one does not come up."""
        try:
            for variant in self.variants.values():
                server = VariantServer(variant, endpoint_name, self.capture, surround(variant))
                self._servers[variant.name] = server
                server.start()
        except (ClientError, BotoCoreError) as error:
            raise FleetFailed(f"AWS refused the endpoint's role: {error}") from error

    def stop(self, drain: bool = True) -> None:
        """End every model server."""
        servers, self._servers = self._servers, {}
        for server in servers.values():
            server.stop(drain)

    def choose(self, target: str | None) -> VariantServer:
        """The variant called `target`, or one by weight; UnknownVariant where there is none of that name."""
        if target is not None:
            if target not in self._servers:
                raise UnknownVariant(target)
            return self._servers[target]
        servers = list(self._servers.values())
        if len(servers) == 1:
            return servers[0]
        weights = [server.variant.weight for server in servers]
        return random.choices(servers, weights if any(weights) else None)[0]

    def described(self, share: float = 1, status: str | None = None) -> list[dict[str, Any]]:
        """DescribeEndpoint's ProductionVariants, where `share` of the instances take part."""
        return [
            {
                "VariantName": variant.name,
                "DeployedImages": [
                    {
                        "SpecifiedImage": variant.image,
                        "ResolvedImage": variant.image,
                        "ResolutionTime": self.start_time,
                    }
                ],
                "CurrentWeight": variant.weight,
                "DesiredWeight": variant.weight,
                "CurrentInstanceCount": round(share * variant.instance_count),
                "DesiredInstanceCount": variant.instance_count,
                **({"RoutingConfig": variant.routing} if variant.routing else {}),
                **({"VariantStatus": [{"Status": status}]} if status else {}),
            }
            for variant in self.variants.values()
        ]
