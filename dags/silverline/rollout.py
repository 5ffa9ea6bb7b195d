"""Takes an endpoint to a new configuration, and back where that is no good: in steps that are safe to take again."""

import time
from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from silverline import cloudwatch, sagemaker_requests
from silverline.platform import Platform
from silverline.runs import POLL_SECONDS
from silverline.spec import PipelineSpec

IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
BROKEN = {"Failed", "UpdateRollbackFailed"}  # the second after a rolling deployment, by hand

Endpoint = Mapping[str, Any]
"""DescribeEndpoint's answer."""


class Objection(Exception):
    """The model must not be served; the text says why."""


def describe(name: str) -> Endpoint | None:
    """The endpoint called `name`; None where there is none."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        return boto3.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return None  # SageMaker's answer for an endpoint that doesn't exist


def in_progress(endpoint: Endpoint | None) -> bool:
    """Whether the endpoint is being changed, so that SageMaker refuses another change."""
    return endpoint is not None and endpoint["EndpointStatus"] in IN_PROGRESS


def is_going_to(endpoint: Endpoint | None, config: str) -> bool:
    """Whether a deployment of `config` is under way, be it the endpoint's first."""
    if endpoint is None:
        return False
    if endpoint["EndpointStatus"] == "Creating":
        return bool(endpoint["EndpointConfigName"] == config)
    return bool(endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName") == config)


def prepare(name: str, seconds: float = 600) -> str | None:
    """The configuration to go back to, None where nothing is served. A failed endpoint, which SageMaker doesn't update,
    is deleted; somebody else's change is waited for, TimeoutError after `seconds`."""
    until = time.monotonic() + seconds
    while in_progress(endpoint := describe(name)):
        if time.monotonic() > until:
            raise TimeoutError(f"somebody else has been changing endpoint {name} for {seconds:.0f} s; clear this task")
        time.sleep(POLL_SECONDS)
    if endpoint and endpoint["EndpointStatus"] == "Failed":
        delete(name)
        return None
    return str(endpoint["EndpointConfigName"]) if endpoint else None


def advance(
    spec: PipelineSpec, place: Platform, request: Mapping[str, Any], endpoint: Endpoint | None, started: bool
) -> bool:
    """Start what CreateEndpoint's `request` wants, unless that is `started`; False once it is served, Objection where
    SageMaker took it back or failed. `endpoint` is at rest, or what was started takes too long: an Objection, too.
    AirflowFailException where it would fail whatever the model is."""
    import boto3

    sagemaker, config = boto3.client("sagemaker"), request["EndpointConfigName"]
    if endpoint is None:
        sagemaker.create_endpoint(**request)
        return True
    if in_progress(endpoint):
        raise Objection(
            f"endpoint {spec.aws_name} is still {endpoint['EndpointStatus']} to {config}, which takes longer than a "
            "roll-out may"
        )
    said = endpoint.get("FailureReason", "SageMaker gives no reason")
    if endpoint["EndpointConfigName"] == config:
        if endpoint["EndpointStatus"] != "InService":
            raise Objection(f"endpoint {spec.aws_name} is {endpoint['EndpointStatus']}: {said}")
        return False
    if started:
        raise Objection(
            f"SageMaker took endpoint {spec.aws_name} back from {config} to {endpoint['EndpointConfigName']}: {said} "
            f"(it watched {', '.join(place.endpoint_alarms[spec.name])})"
        )
    if endpoint["EndpointStatus"] != "InService":
        raise AirflowFailException(
            f"endpoint {spec.aws_name} is {endpoint['EndpointStatus']}, nothing is rolled out: {said}; bring it to "
            "InService (docs/rollout.md, by hand), then clear this task and all after it"
        )
    if ringing := cloudwatch.in_alarm(place.endpoint_alarms[spec.name]):
        raise AirflowFailException(
            f"{', '.join(ringing)} is in ALARM before anything is rolled out, so SageMaker would take any model back: "
            "see infra/terraform/runbook.md, Roll-out, and clear this task and all after it when the alarm is off"
        )
    sagemaker.update_endpoint(**sagemaker_requests.endpoint_update(spec, place, config, _instances(endpoint)))
    return True


def retreat(request: Mapping[str, Any], previous: str | None, endpoint: Endpoint | None, started: bool) -> bool:
    """Start what takes the endpoint from `request`'s configuration to `previous`, unless that is `started`; False once
    it is there, and where it serves something else. Without a previous one the endpoint goes."""
    import boto3

    sagemaker, name = boto3.client("sagemaker"), request["EndpointName"]
    failed = endpoint is not None and endpoint["EndpointStatus"] == "Failed"
    if endpoint and not failed and endpoint["EndpointConfigName"] != request["EndpointConfigName"]:
        return False
    if started:
        said = (endpoint or {}).get("FailureReason", "SageMaker gives no reason")
        raise RuntimeError(f"endpoint {name} could not be taken back to {previous}, do it by hand: {said}")
    if endpoint and (failed or previous is None):
        delete(name)
        endpoint = None
    if previous is None:
        return False
    if endpoint is None:
        sagemaker.create_endpoint(**{**request, "EndpointConfigName": previous})
    else:
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=previous, **sagemaker_requests.SAME_INSTANCES)
    return True


def delete(name: str) -> None:
    """Delete the endpoint, and wait until it is gone."""
    import boto3

    sagemaker = boto3.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})


def _instances(endpoint: Endpoint) -> int:
    return min(int(variant["DesiredInstanceCount"]) for variant in endpoint["ProductionVariants"])
