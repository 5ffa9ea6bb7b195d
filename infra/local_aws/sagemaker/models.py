"""moto's SageMaker, except that jobs run and endpoints answer."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from local_aws import config
from local_aws.sagemaker import images, limits, references
from local_aws.sagemaker.endpoints import Endpoint, UnknownVariant
from local_aws.sagemaker.exceptions import ValidationError
from local_aws.sagemaker.job_backend import JobBackend
from local_aws.sagemaker.jobs import Job
from local_aws.sagemaker.serving import STARTUP_SECONDS, Variant


class ExecutingSageMakerBackend(JobBackend):
    """SageMaker of one account and region; jobs and endpoints are processes on this machine."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.endpoints: dict[str, Endpoint] = {}

    def reset(self) -> None:
        """Forget everything, and end what runs."""
        # In a thread: moto resets under a lock that the last lines of the containers' logs have to pass.
        ending = (list(self.endpoints.values()), list(self.all_jobs()))
        threading.Thread(target=_end, args=ending, daemon=True).start()
        super().reset()

    def shut_down(self) -> None:
        """Stop every job and model server without waiting for what they are at."""
        _end(list(self.endpoints.values()), list(self.all_jobs()))

    # Models and endpoint configurations

    def create_model(self, model_name: str, execution_role_arn: str, **request: Any) -> Any:
        arn = self._arn("model", model_name)
        if model_name in self._models:
            raise ValidationError(f'Cannot create already existing model "{arn}".')
        isolated = request.pop("enable_network_isolation", False)
        containers = [request["primary_container"]] if request.get("primary_container") else request.get("containers")
        if not containers or not execution_role_arn:
            raise ValidationError("A model needs PrimaryContainer and ExecutionRoleArn.")
        limits.check_model(containers, isolated)
        references.check_containers(self._role(execution_role_arn).client("s3"), containers, self.region_name)
        model = super().create_model(model_name=model_name, execution_role_arn=execution_role_arn, **request)
        model.enable_network_isolation = isolated
        model.vpc_config = model.vpc_config or None
        model.primary_container = model.primary_container or None
        return model

    def describe_model(self, model_name: str) -> Any:
        if model_name not in self._models:
            raise ValidationError(f'Could not find model "{self._arn("model", model_name)}".')
        return self._models[model_name]

    def delete_model(self, model_name: str) -> None:
        self.describe_model(model_name)
        del self._models[model_name]

    def check_containers(self, containers: list[Mapping[str, Any]]) -> None:
        # A model package names no role: on AWS the caller's own rights decide, which local AWS asks nobody for.
        s3 = self._role(f"arn:aws:iam::{self.account_id}:role/SageMaker").client("s3")
        references.check_containers(s3, containers, self.region_name)

    def create_endpoint_config(self, endpoint_config_name: str, **request: Any) -> Any:
        arn = self._arn("endpoint-config", endpoint_config_name)
        if endpoint_config_name in self.endpoint_configs:
            raise ValidationError(f'Cannot create already existing endpoint configuration "{arn}".')
        for variant in request["production_variants"]:
            self.describe_model(variant["ModelName"])
        created = super().create_endpoint_config(endpoint_config_name=endpoint_config_name, **request)
        created.arn = arn
        created.data_capture_config = created.data_capture_config or None
        return created

    def describe_endpoint_config(self, endpoint_config_name: str) -> dict[str, Any]:
        return dict(self._endpoint_config(endpoint_config_name).response_object)

    def delete_endpoint_config(self, endpoint_config_name: str) -> None:
        self._endpoint_config(endpoint_config_name)
        del self.endpoint_configs[endpoint_config_name]

    def _endpoint_config(self, name: str) -> Any:
        if name not in self.endpoint_configs:
            raise ValidationError(f'Could not find endpoint configuration "{self._arn("endpoint-config", name)}".')
        return self.endpoint_configs[name]

    # Endpoints

    def create_endpoint(
        self, endpoint_name: str, endpoint_config_name: str, tags: list[dict[str, str]] | None = None
    ) -> Endpoint:
        arn = self._arn("endpoint", endpoint_name)
        with self._creating:
            if endpoint_name in self.endpoints:
                raise ValidationError(f'Cannot create already existing endpoint "{arn}".')
            capture = self._endpoint_config(endpoint_config_name).data_capture_config
            endpoint = Endpoint(endpoint_name, arn, endpoint_config_name, list(tags or []), capture)
            self.endpoints[endpoint_name] = endpoint
        self._deploy(endpoint, endpoint_config_name)
        return endpoint

    def update_endpoint(self, endpoint_name: str, endpoint_config_name: str) -> Endpoint:
        """Start the new configuration's model servers beside the old ones, which they replace once they answer."""
        endpoint = self.endpoint(endpoint_name)
        self._endpoint_config(endpoint_config_name)
        if not endpoint.begin_update():
            raise _not_in_service(endpoint)
        self._deploy(endpoint, endpoint_config_name)
        return endpoint

    def update_endpoint_weights_and_capacities(
        self, endpoint_name: str, desired_weights_and_capacities: Sequence[dict[str, Any]]
    ) -> str:
        endpoint = self.endpoint(endpoint_name)
        if endpoint.endpoint_status != "InService":
            raise _not_in_service(endpoint)
        try:
            endpoint.set_capacities(desired_weights_and_capacities)
        except UnknownVariant as unknown:
            raise ValidationError(
                f'The variant name(s) "{unknown}" is/are not present within endpoint configuration '
                f'"{endpoint.endpoint_config_name}".'
            ) from unknown
        return endpoint.arn

    def describe_endpoint(self, endpoint_name: str) -> dict[str, Any]:
        return self.endpoint(endpoint_name).response_object

    def delete_endpoint(self, endpoint_name: str) -> None:
        endpoint = self.endpoint(endpoint_name)
        if endpoint.in_progress():
            raise _not_in_service(endpoint)
        del self.endpoints[endpoint_name]
        threading.Thread(target=endpoint.close, name=f"delete {endpoint_name}", daemon=True).start()

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called `name`; AWS's ValidationException where there is none."""
        if name not in self.endpoints:
            raise ValidationError(f'Could not find endpoint "{self._arn("endpoint", name)}".')
        return self.endpoints[name]

    def _deploy(self, endpoint: Endpoint, config_name: str) -> None:
        production = [dict(variant) for variant in self._endpoint_config(config_name).production_variants]
        folder = self._folder("endpoints", endpoint.endpoint_name) / uuid.uuid4().hex[:8]
        endpoint.deploy(
            config_name,
            lambda: [self._variant(variant) for variant in production],
            folder,
        )

    def _variant(self, production: dict[str, Any]) -> Variant:
        model = self.describe_model(production["ModelName"])
        container = model.primary_container or model.containers[0]
        image = images.named_by(container["Image"])
        environments = config.current().environments_dir
        return Variant(
            name=production["VariantName"],
            weight=production.get("InitialVariantWeight", 1.0),
            instance_count=production["InitialInstanceCount"],
            image=container["Image"],
            model_data_url=container.get("ModelDataUrl"),
            variables=container.get("Environment") or {},
            network=not model.enable_network_isolation,
            startup_seconds=production.get("ContainerStartupHealthCheckTimeoutInSeconds") or STARTUP_SECONDS,
            role=self._role(model.execution_role_arn),
            environment=lambda: images.environment(image, environments),
        )


def _not_in_service(endpoint: Endpoint) -> ValidationError:
    """AWS's refusal to change an endpoint that is being changed, or that has failed."""
    if endpoint.endpoint_status == "Failed":
        return ValidationError(
            f'Cannot update endpoint "{endpoint.arn}" in status Failed: '
            "DeleteEndpoint is the only operation that can be performed on a failed endpoint."
        )
    return ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _end(endpoints: Sequence[Endpoint], jobs: Sequence[Job]) -> None:
    for endpoint in endpoints:
        endpoint.close(drain=False)
    for job in jobs:
        job.kill()
    for job in jobs:
        job.join(10)


def install() -> None:
    """Put this backend in the place of moto's; before the first request."""
    sagemaker_backends.clear()
    sagemaker_backends.backend = ExecutingSageMakerBackend


def shut_down() -> None:
    """End every process of every account's and region's jobs and endpoints."""
    for _, _, backend in sagemaker_backends.iter_backends():
        backend.shut_down()
