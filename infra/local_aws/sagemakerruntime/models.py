"""moto's SageMaker Runtime, except that the endpoint's own model server answers."""

from collections.abc import Mapping

from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.models import SageMakerRuntimeBackend, sagemakerruntime_backends

from local_aws.sagemaker.endpoints import Endpoint, NotServing
from local_aws.sagemaker.fleets import UnknownVariant
from local_aws.sagemaker.serving import Answer, NoAnswer
from local_aws.sagemakerruntime.exceptions import EndpointNotFound, ModelError, VariantNotFound


class ForwardingSageMakerRuntimeBackend(SageMakerRuntimeBackend):
    """InvokeEndpoint of one account and region."""

    def invoke(
        self, endpoint_name: str, body: bytes, headers: Mapping[str, str], target_variant: str | None, received: float
    ) -> tuple[str, Answer]:
        """The name of the variant that answered, and its answer to a request that came in at monotonic time `received`;
        ModelError where that is an error."""
        endpoint = sagemaker_backends[self.account_id][self.region_name].endpoints.get(endpoint_name)
        if not isinstance(endpoint, Endpoint):
            raise EndpointNotFound(endpoint_name, self.account_id)
        try:
            variant, answer = endpoint.invoke(body, headers, target_variant, received)
        except NotServing as error:
            raise EndpointNotFound(endpoint_name, self.account_id) from error
        except UnknownVariant as unknown:
            raise VariantNotFound(str(unknown), endpoint_name) from unknown
        except NoAnswer as error:
            raise ModelError(self.region_name, self.account_id, endpoint_name, 0, str(error)) from error
        if answer.status >= 400:
            message = answer.body.decode("utf-8", "replace")
            raise ModelError(self.region_name, self.account_id, endpoint_name, answer.status, message)
        return variant, answer


def install() -> None:
    """Put this backend in the place of moto's; before the first request."""
    sagemakerruntime_backends.clear()
    sagemakerruntime_backends.backend = ForwardingSageMakerRuntimeBackend
