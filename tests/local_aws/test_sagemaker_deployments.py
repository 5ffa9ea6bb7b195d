"""UpdateEndpoint shifts traffic as its DeploymentConfig says, and takes it back where the new fleet is no good."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker_endpoints import Endpoints, asked_all_the_time
from sagemaker_requests import eventually, settled

from local_aws.sagemaker import deployments, endpoints, invocations, models
from local_aws.sagemaker.fleets import Fleet, Variant
from local_aws.sagemaker.serving import ServedModel

ALL_AT_ONCE: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}


@pytest.fixture(scope="module")
def hosting(local_aws: Any) -> Endpoints:
    """The endpoint `shop`, and the models and configurations `first` and `second`."""
    made = Endpoints()
    for name in ("first", "second"):
        made.model(name, VERSION=name)
        made.config(name, **{name: 1})
    made.sagemaker.create_endpoint(EndpointName="shop", EndpointConfigName="first")
    settled(made.sagemaker, "shop")
    return made


@pytest.fixture
def shop(hosting: Endpoints) -> Endpoints:
    """`hosting`, with the endpoint `shop` serving `first`."""
    if settled(hosting.sagemaker, "shop")["EndpointConfigName"] != "first":
        hosting.sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="first")
        settled(hosting.sagemaker, "shop")
    return hosting


@pytest.fixture
def alarm(local_aws: Any) -> Iterator[Any]:
    """Sets the state of the CloudWatch alarm `errors`."""
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        MetricName="Invocation5XXErrors",
        Namespace="AWS/SageMaker",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",  # or its next evaluation, a minute later at most, finds it without data
    )
    yield lambda value: cloudwatch.set_alarm_state(AlarmName="errors", StateValue=value, StateReason="a test")
    cloudwatch.delete_alarms(AlarmNames=["errors"])


def blue_green(routing: dict[str, Any], alarms: tuple[str, ...] = (), **policy: int) -> dict[str, Any]:
    """A DeploymentConfig."""
    config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **policy}}
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


def canary(percent: int, wait: int) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": size}


def linear(percent: int, wait: int) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {"Type": "LINEAR", "WaitIntervalInSeconds": wait, "LinearStepSize": size}


def rolling(percent: int, wait: int) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}}


def update(hosting: Endpoints, config: dict[str, Any], **more: Any) -> None:
    hosting.sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="second", DeploymentConfig=config, **more)


def pending(hosting: Endpoints) -> dict[str, Any]:
    """PendingDeploymentSummary's variant, once the new fleet takes part in answering."""
    described = eventually(
        lambda: hosting.sagemaker.describe_endpoint(EndpointName="shop"),
        lambda answer: (
            "PendingDeploymentSummary" not in answer
            or answer["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"] == [{"Status": "Baking"}]
        ),
    )
    variant: dict[str, Any] = described["PendingDeploymentSummary"]["ProductionVariants"][0]
    return variant


def load(hosting: Endpoints) -> AbstractContextManager[Counter[str]]:
    """Counts which version answers, or with which error, while requests come in."""
    return asked_all_the_time(lambda: str(hosting.invoke("shop")["version"]))


@pytest.mark.parametrize(
    "config",
    [blue_green(ALL_AT_ONCE), blue_green(canary(50, 1)), blue_green(linear(50, 1)), rolling(50, 1)],
    ids=["all at once", "canary", "linear", "rolling"],
)
def test_no_request_fails_however_traffic_shifts(shop: Endpoints, config: dict[str, Any]) -> None:
    with load(shop) as answers:
        update(shop, config)
        endpoint = settled(shop.sagemaker, "shop")
        before = answers["second"]
        eventually(lambda: answers["second"], lambda count: count > before + 10)
    assert set(answers) == {"first", "second"}
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "second")
    assert endpoint["LastDeploymentConfig"] == config
    assert shop.invoke("shop")["version"] == "second"


def test_a_canary_gets_its_share_and_both_fleets_are_described(shop: Endpoints) -> None:
    update(shop, blue_green(canary(30, 4)))
    variant = pending(shop)
    shares = Counter(shop.invoke("shop")["version"] for _ in range(60))
    endpoint = shop.sagemaker.describe_endpoint(EndpointName="shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("Updating", "first")
    assert endpoint["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    assert (variant["VariantName"], variant["DesiredInstanceCount"]) == ("variant-second", 1)
    assert 2 < shares["second"] < 40  # 18, give or take five standard deviations
    assert "PendingDeploymentSummary" not in settled(shop.sagemaker, "shop")


def test_the_old_fleet_waits_for_its_termination(shop: Endpoints) -> None:
    update(shop, blue_green(ALL_AT_ONCE, TerminationWaitInSeconds=1))
    pending(shop)
    assert {shop.invoke("shop")["version"] for _ in range(10)} == {"second"}
    assert shop.sagemaker.describe_endpoint(EndpointName="shop")["EndpointStatus"] == "Updating"
    assert settled(shop.sagemaker, "shop")["EndpointConfigName"] == "second"


@pytest.mark.parametrize("config", [linear(10, 30), {**ALL_AT_ONCE, "WaitIntervalInSeconds": 30}])
def test_an_alarm_takes_the_traffic_back(
    shop: Endpoints, alarm: Any, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "ALARM_SECONDS", 0.05)
    alarm("OK")
    with load(shop) as answers:
        update(shop, blue_green(config, ("errors",)))
        pending(shop)
        alarm("ALARM")
        endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")
    assert endpoint["FailureReason"] == (
        "The deployment of second has been rolled back: "
        "these alarms of its AutoRollbackConfiguration are in ALARM: errors."
    )
    assert set(answers) <= {"first", "second"}
    assert {shop.invoke("shop")["version"] for _ in range(10)} == {"first"}


def test_an_alarm_on_the_new_variants_own_errors_takes_the_traffic_back(
    shop: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "FLUSH_SECONDS", 0.2)
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="second-fails",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "shop"}, {"Name": "VariantName", "Value": "variant-second"}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    update(shop, blue_green(canary(50, 60), ("second-fails",)))
    pending(shop)
    for _ in range(20):
        with pytest.raises(ClientError):
            shop.invoke("shop", fail=True)
    endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")
    assert endpoint["FailureReason"].endswith("are in ALARM: second-fails.")


def test_an_alarm_that_is_on_already_lets_no_request_through(shop: Endpoints, alarm: Any) -> None:
    alarm("ALARM")
    with load(shop) as answers:
        update(shop, blue_green(ALL_AT_ONCE, ("errors",)))
        endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointConfigName"], set(answers)) == ("first", {"first"})
    assert endpoint["FailureReason"].endswith("are in ALARM: errors.")


def test_an_endpoint_that_was_rolled_back_can_be_updated(shop: Endpoints, alarm: Any) -> None:
    alarm("ALARM")
    update(shop, blue_green(ALL_AT_ONCE, ("errors",)))
    settled(shop.sagemaker, "shop")
    alarm("OK")
    update(shop, blue_green(ALL_AT_ONCE, ("errors",)))
    endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointConfigName"], "FailureReason" in endpoint) == ("second", False)


def test_a_deployment_that_takes_too_long_is_rolled_back(shop: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    def hurried(*arguments: Any) -> deployments.Plan:
        return replace(deployments.plan(*arguments), timeout_seconds=0.1)  # AWS takes no less than 600

    monkeypatch.setattr(models, "plan", hurried)
    update(shop, blue_green(ALL_AT_ONCE))
    endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")
    assert "longer than its MaximumExecutionTimeoutInSeconds" in endpoint["FailureReason"]


def test_a_new_model_that_does_not_start_never_gets_a_request(shop: Endpoints) -> None:
    shop.model("unfit", "import no_such_module")
    shop.config("unfit", unfit=1)
    with load(shop) as answers:
        shop.sagemaker.update_endpoint(
            EndpointName="shop", EndpointConfigName="unfit", DeploymentConfig=blue_green(canary(50, 0))
        )
        endpoint = settled(shop.sagemaker, "shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")
    assert "no_such_module" in endpoint["FailureReason"]
    assert set(answers) == {"first"}


def test_the_last_deployment_config_is_used_again_where_asked(shop: Endpoints) -> None:
    config = blue_green(canary(50, 3))
    update(shop, config)
    settled(shop.sagemaker, "shop")
    shop.sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="first", RetainDeploymentConfig=True)
    pending(shop)
    assert len({shop.invoke("shop")["version"] for _ in range(30)}) == 2
    assert settled(shop.sagemaker, "shop")["LastDeploymentConfig"] == config


def test_variant_properties_are_retained_but_for_those_excluded(hosting: Endpoints) -> None:
    hosting.create("retained")
    hosting.config("retained-2", capture=True, retained=7)
    changed = {"VariantName": "variant-retained", "DesiredWeight": 5, "DesiredInstanceCount": 3}
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="retained", DesiredWeightsAndCapacities=[changed]
    )
    hosting.sagemaker.update_endpoint(
        EndpointName="retained",
        EndpointConfigName="retained-2",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    endpoint = settled(hosting.sagemaker, "retained")
    (variant,) = endpoint["ProductionVariants"]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (7, 3)
    assert "DataCaptureConfig" not in endpoint


@pytest.mark.parametrize(
    ("excluded", "properties"),
    [
        ([], (5, 3, None)),
        (["DesiredWeight"], (1, 3, None)),
        (["DesiredInstanceCount", "DataCaptureConfig"], (5, 1, {"EnableCapture": True})),
    ],
)
def test_what_a_new_fleet_takes_over(excluded: list[str], properties: tuple[Any, ...]) -> None:
    model = ServedModel(None, {})
    old = Fleet("first", [Variant("v", 5, 3, "image", model, "role")], None)
    new = Fleet("second", [Variant("v", 1, 1, "image", model, "role")], {"EnableCapture": True})
    new.retain(old, excluded)
    assert (new.variants["v"].weight, new.variants["v"].instance_count, new.capture) == properties


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (blue_green(canary(60, 0)), "CanarySize.Value 60 must be less than or equal to 50%"),
        (blue_green(linear(5, 0)), "LinearStepSize.Value 5 must be between 10% and 50%"),
        (rolling(4, 0), "MaximumBatchSize.Value 4 must be between 5% and 50%"),
        (blue_green({"Type": "CANARY", "WaitIntervalInSeconds": 0}), "type CANARY needs CanarySize"),
        (blue_green({**canary(10, 0), "Type": "LINEAR"}), "type LINEAR does not take CanarySize"),
        (
            blue_green(linear(10, 60), MaximumExecutionTimeoutInSeconds=600),
            r"MaximumExecutionTimeoutInSeconds \(600\) must be larger than the total waiting time .* \(600\)",
        ),
        (blue_green(ALL_AT_ONCE, ("nowhere",)), r"CloudWatch alarms that do not exist: \['nowhere'\]"),
        (blue_green(ALL_AT_ONCE) | rolling(50, 0), "either BlueGreenUpdatePolicy or RollingUpdatePolicy"),
    ],
)
def test_a_deployment_that_makes_no_sense_is_refused(shop: Endpoints, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=rf"\(ValidationException\).*{message}"):
        update(shop, config)
    endpoint = shop.sagemaker.describe_endpoint(EndpointName="shop")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "first")


@pytest.mark.parametrize(
    ("routing", "instance_counts", "shares"),
    [
        (ALL_AT_ONCE, [1], [1]),
        (canary(25, 0), [1, 4], [Fraction(1, 4), 1]),
        ({**canary(0, 0), "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}, [4, 8], [Fraction(1, 4), 1]),
        (linear(40, 0), [5], [Fraction(2, 5), Fraction(4, 5), 1]),
        (linear(50, 0), [2], [Fraction(1, 2), 1]),
    ],
)
def test_the_steps_of_a_deployment(routing: dict[str, Any], instance_counts: list[int], shares: list[Any]) -> None:
    assert list(deployments.plan(blue_green(routing), instance_counts).shares) == shares
