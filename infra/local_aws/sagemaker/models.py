"""moto's SageMaker, except that jobs run and endpoints answer."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from local_aws import authorization, config
from local_aws.sagemaker import limits, references
from local_aws.sagemaker.deployments import Alarms, InvalidDeployment, Plan, plan
from local_aws.sagemaker.endpoints import Endpoint
from local_aws.sagemaker.exceptions import ValidationError
from local_aws.sagemaker.fleets import Fleet, UnknownVariant, Variant
from local_aws.sagemaker.job_backend import JobBackend
from local_aws.sagemaker.jobs import Job, Surroundings
from local_aws.sagemaker.role import service_client

INVALID_ROLE = (
    'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust relationship '
    'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com".'
)


class EndpointConfig:
    """What a CreateEndpointConfig request said."""

    def __init__(self, request: Mapping[str, Any], arn: str) -> None:
        self.request = {name: value for name, value in request.items() if name != "Tags"}
        self.endpoint_config_name: str = request["EndpointConfigName"]
        self.arn = arn
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.creation_time = datetime.now(UTC)

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to DescribeEndpointConfig."""
        return {**self.request, "EndpointConfigArn": self.arn, "CreationTime": self.creation_time}

    def summary(self) -> dict[str, Any]:
        """Its line in ListEndpointConfigs."""
        return {
            "EndpointConfigName": self.endpoint_config_name,
            "EndpointConfigArn": self.arn,
            "CreationTime": self.creation_time,
        }


class ExecutingSageMakerBackend(JobBackend):
    """SageMaker of one account and region; jobs and endpoints are processes on this machine."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.endpoint_configs: dict[str, EndpointConfig] = {}
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
        served = [each for container in containers for each in self.resolved(container)]
        limits.check_model(served)
        s3 = self._role(execution_role_arn, INVALID_ROLE).client("s3")
        references.check_containers(s3, served, execution_role_arn, self.region_name)
        model = super().create_model(model_name=model_name, execution_role_arn=execution_role_arn, **request)
        model.served_container = served[0]
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

    def check_containers(self, containers: Sequence[Mapping[str, Any]]) -> None:
        # A model package names no role: on AWS the caller's own rights decide.
        caller = authorization.caller()
        for container in containers:
            if container.get("ModelDataUrl", "").startswith("s3://"):
                resource = container["ModelDataUrl"].removeprefix("s3://")
                authorization.require(caller, "s3:GetObject", f"arn:aws:s3:::{resource}")
        s3 = service_client("s3", self.region_name, config.current().endpoint_url)
        references.check_containers(s3, containers, caller.arn, self.region_name)

    def create_endpoint_config(self, request: Mapping[str, Any]) -> EndpointConfig:
        created = EndpointConfig(request, self._arn("endpoint-config", request["EndpointConfigName"]))
        for variant in request["ProductionVariants"]:
            self.describe_model(variant["ModelName"])
        with self._creating:
            if created.endpoint_config_name in self.endpoint_configs:
                raise ValidationError(f'Cannot create already existing endpoint configuration "{created.arn}".')
            self.endpoint_configs[created.endpoint_config_name] = created
        return created

    def describe_endpoint_config(self, endpoint_config_name: str) -> dict[str, Any]:
        return self._endpoint_config(endpoint_config_name).response_object

    def delete_endpoint_config(self, endpoint_config_name: str) -> None:
        self._endpoint_config(endpoint_config_name)
        del self.endpoint_configs[endpoint_config_name]

    def _endpoint_config(self, name: str) -> EndpointConfig:
        if name not in self.endpoint_configs:
            raise ValidationError(f'Could not find endpoint configuration "{self._arn("endpoint-config", name)}".')
        return self.endpoint_configs[name]

    # Endpoints

    def create_endpoint(
        self,
        endpoint_name: str,
        endpoint_config_name: str,
        tags: list[dict[str, str]] | None = None,
        deployment_config: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """Start the configuration's model servers; `deployment_config` is kept for later updates."""
        arn = self._arn("endpoint", endpoint_name)
        fleet = self._fleet(endpoint_config_name)
        self._check_volume_key(self._endpoint_config(endpoint_config_name).request.get("KmsKeyId"))
        self._plan(fleet, deployment_config)
        with self._creating:
            if endpoint_name in self.endpoints:
                raise ValidationError(f'Cannot create already existing endpoint "{arn}".')
            endpoint = Endpoint(endpoint_name, arn, endpoint_config_name, list(tags or []))
            self.endpoints[endpoint_name] = endpoint
        endpoint.deploy(fleet, self._surround(endpoint), config=deployment_config)
        return endpoint

    def update_endpoint(self, request: Mapping[str, Any]) -> Endpoint:
        """Start the new configuration's model servers beside the old ones, which they replace as UpdateEndpoint's
        request says."""
        endpoint = self.endpoint(request["EndpointName"])
        fleet = self._fleet(request["EndpointConfigName"])
        self._check_volume_key(self._endpoint_config(request["EndpointConfigName"]).request.get("KmsKeyId"))
        deployment_config = request.get("DeploymentConfig")
        if request.get("RetainDeploymentConfig") and not deployment_config:
            deployment_config = endpoint.last_deployment_config
        if request.get("RetainAllVariantProperties") and endpoint.fleet:
            excluded = request.get("ExcludeRetainedVariantProperties") or []
            fleet.retain(endpoint.fleet, {member["VariantPropertyType"] for member in excluded})
        deployment, alarms = self._plan(fleet, deployment_config)
        if not endpoint.begin_update():
            raise _not_in_service(endpoint)
        endpoint.deploy(fleet, self._surround(endpoint), deployment, alarms, deployment_config)
        return endpoint

    def resume(self) -> None:
        """Start the model servers of endpoints that have been read back from a pickle."""
        for endpoint in self.endpoints.values():
            endpoint.resume(self._surround(endpoint))

    def _plan(self, fleet: Fleet, config: Mapping[str, Any] | None) -> tuple[Plan, Alarms]:
        variants = list(fleet.variants.values())
        try:
            deployment = plan(config, [variant.instance_count for variant in variants])
        except InvalidDeployment as invalid:
            raise ValidationError(str(invalid)) from invalid
        alarms = Alarms(self._role(variants[0].role_arn).client("cloudwatch"), deployment.alarms)
        missing = alarms.missing()
        if missing:
            raise ValidationError(f"AutoRollbackConfiguration names CloudWatch alarms that do not exist: {missing}.")
        return deployment, alarms

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
                f'"{endpoint.config_name}".'
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

    def _fleet(self, config_name: str) -> Fleet:
        request = self._endpoint_config(config_name).request
        variants = [self._variant(variant) for variant in request["ProductionVariants"]]
        return Fleet(config_name, variants, request.get("DataCaptureConfig"))

    def _variant(self, production: Mapping[str, Any]) -> Variant:
        model = self.describe_model(production["ModelName"])
        return Variant(
            name=production["VariantName"],
            weight=production.get("InitialVariantWeight", 1.0),
            instance_count=production["InitialInstanceCount"],
            image=model.served_container["Image"],
            model=self.served_model(model, production.get("ContainerStartupHealthCheckTimeoutInSeconds")),
            role_arn=model.execution_role_arn,
            routing=production.get("RoutingConfig"),
        )

    def _surround(self, endpoint: Endpoint) -> Callable[[Variant], Surroundings]:
        folder = self._folder("endpoints", endpoint.endpoint_name) / uuid.uuid4().hex[:8]

        def surround(variant: Variant) -> Surroundings:
            image = references.image(variant.image, self.region_name)
            role = self._role(variant.role_arn)
            return Surroundings(role, self._environment(role, variant.image, image), folder / variant.name)

        return surround


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


def resume() -> None:
    """Start the model servers of every account's and region's endpoints, as they were read back."""
    for _, _, backend in sagemaker_backends.iter_backends():
        backend.resume()
