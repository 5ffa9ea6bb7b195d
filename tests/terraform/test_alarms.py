"""Every alarm of the module, driven on and off by what it is there for.

The alarms are those that Terraform has laid, put into the tests' own local AWS with a period of ten seconds: five
minutes for each to go on, and five to go off, would say nothing more.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.cloudwatch.models import cloudwatch_backends
from sagemaker_endpoints import INFERENCE, Endpoints
from sagemaker_requests import eventually, settled
from terraform_cli import Platform

from laptop.alarms import CHECKS
from silverline import health_report, metrics
from silverline.metrics import Event

pytestmark = pytest.mark.timeout(600)
PERIOD = 10

SLOW = INFERENCE.replace("if", 'if "wait" in request: __import__("time").sleep(1.5)\n        if', 1)


class Driver:
    """What goes wrong, and, where nothing does by itself, right again; `prefix` is the platform's."""

    def __init__(self, environment: str) -> None:
        self.environment, self.prefix = environment, f"silverline-{environment}"
        self.endpoints = Endpoints()
        self.place: Any = SimpleNamespace(environment=environment, log_group=f"/silverline/{environment}/pipelines")

    def exception(self, group: str) -> None:
        """A script or a model server prints an exception that nobody caught."""
        logs, stream = boto3.client("logs"), f"driven-{time.time_ns()}"
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": "Traceback (most recent call last):"}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def failed_query(self) -> None:
        """A query of the workgroup fails."""
        boto3.client("athena").start_query_execution(
            QueryString="select 1 / 0",
            WorkGroup=self.prefix,
            ResultConfiguration={"OutputLocation": f"s3://{self.endpoints_bucket}/results/"},
        )

    @property
    def endpoints_bucket(self) -> str:
        """A bucket that there is."""
        return str(boto3.client("s3").list_buckets()["Buckets"][0]["Name"])

    def failed_invocations(self) -> None:
        """The endpoint's model breaks."""
        for _ in range(3):
            with contextlib.suppress(boto3.client("sagemaker-runtime").exceptions.ModelError):
                self.endpoints.invoke("flight-delay", fail=1)

    def slow_invocations(self) -> None:
        """The endpoint's model takes longer than a second, in one period and in the next."""
        for _ in range(8):
            self.endpoints.invoke("flight-delay", wait=1)

    def many_slow_answers(self) -> None:
        """A canary's percentile counts from a thousand answers on, which SageMaker's metrics have here at once."""
        dimensions = {"EndpointName": "flight-delay", "VariantName": "AllTraffic"}
        datum = {
            "MetricName": "ModelLatency",
            "Values": [2_000_000.0],
            "Counts": [1500.0],
            "Unit": "Microseconds",
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        }
        cloudwatch_backends["123456789012"]["us-east-1"].put_metric_data("AWS/SageMaker", [datum])

    def failed_run(self) -> None:
        """The last task of a run says that it has failed."""
        event = Event("run", {"RunsSucceeded": 0.0, "RunsFailed": 1.0}, ({}, {"Dag": "flight_delay"}))
        metrics.write(self.place, "flight_delay", f"driven-{time.time_ns()}", {}, [event])

    def finding(self, check: str, is_well: bool) -> None:
        """Monitoring has looked."""
        found = {"check": check, "is_well": is_well, "sentence": "driven", "values": {}, "features": {}}
        metrics.write(self.place, "flight_delay", f"driven-{check}-{time.time_ns()}", {}, health_report.events([found]))


@pytest.fixture
def driver(local_aws: object, platform_on_local_aws: Platform) -> Iterator[Driver]:
    """The platform's alarms and metric filters, and an endpoint and a workgroup that they look at, here."""
    theirs, ours = platform_on_local_aws.aws.client, boto3.client
    driver = Driver(platform_on_local_aws.environment)
    logs: Any = ours("logs")
    filters = theirs("logs").describe_metric_filters()["metricFilters"]
    for group in {driver.place.log_group, *(one["logGroupName"] for one in filters)}:
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
    for one in filters:
        names = ("filterName", "filterPattern", "logGroupName", "metricTransformations")
        logs.put_metric_filter(**{name: one[name] for name in names})
    ours("athena").create_work_group(Name=driver.prefix, Configuration={"PublishCloudWatchMetricsEnabled": True})
    driver.endpoints.model("flight-delay", SLOW)
    variant = {"VariantName": "AllTraffic", "ModelName": "flight-delay", "InitialInstanceCount": 1}
    ours("sagemaker").create_endpoint_config(
        EndpointConfigName="flight-delay", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
    )
    ours("sagemaker").create_endpoint(EndpointName="flight-delay", EndpointConfigName="flight-delay")
    assert settled(ours("sagemaker"), "flight-delay")["EndpointStatus"] == "InService"
    yield driver
    ours("sagemaker").delete_endpoint(EndpointName="flight-delay")
    ours("sagemaker").delete_endpoint_config(EndpointConfigName="flight-delay")
    ours("sagemaker").delete_model(ModelName="flight-delay")
    ours("athena").delete_work_group(WorkGroup=driver.prefix, RecursiveDeleteOption=True)
    for one in filters:
        logs.delete_metric_filter(logGroupName=one["logGroupName"], filterName=one["filterName"])


def put_alarms(platform: Platform) -> list[str]:
    """The names of the platform's metric alarms but those of a second pipeline, which are here then, and look every ten
    seconds."""
    wanted = (
        *("AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Threshold"),
        *("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "TreatMissingData"),
        "EvaluateLowSampleCountPercentile",
    )
    found = platform.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    # Each pipeline has the same ones, by the same words: those of one are driven.
    alarms = [alarm for alarm in found if "airport-weather" not in alarm["AlarmName"]]
    assert alarms and len(found) > len(alarms)
    for alarm in alarms:
        request: Any = {name: alarm[name] for name in wanted if name in alarm}
        boto3.client("cloudwatch").put_metric_alarm(**request | {"Period": PERIOD})
    return [alarm["AlarmName"] for alarm in alarms]


def states(names: list[str]) -> dict[str, str]:
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}


def test_every_alarm_goes_on_when_what_it_is_there_for_happens_and_off_when_it_is_over(
    driver: Driver, platform_on_local_aws: Platform
) -> None:
    names = put_alarms(platform_on_local_aws)
    drive: dict[str, Callable[[], None]] = {
        **{f"{kind}-errors": _exception(driver, kind) for kind in ("training", "processing", "transform")},
        "endpoint-flight-delay-errors": lambda: driver.exception("/aws/sagemaker/Endpoints/flight-delay"),
        "failed-queries": driver.failed_query,
        "flight-delay-5xx": driver.failed_invocations,
        "flight-delay-canary-5xx": driver.failed_invocations,
        "flight-delay-latency": driver.slow_invocations,
        "flight-delay-canary-latency": driver.many_slow_answers,
        "flight-delay-failed-runs": driver.failed_run,
        **{f"flight-delay-{check}": _finding(driver, check) for check in CHECKS},
    }
    assert sorted(f"{driver.prefix}-{name}" for name in drive) == sorted(names)
    try:
        seen: set[str] = set()

        def has_been_on() -> set[str]:
            seen.update(name for name, state in states(names).items() if state == "ALARM")
            return set(names) - seen

        for go_wrong in dict.fromkeys(drive.values()):
            go_wrong()
            has_been_on()  # the first may be over before the last has begun
        assert eventually(has_been_on, lambda left: not left) == set()
        for check in CHECKS:
            driver.finding(check, is_well=True)
        assert set(eventually(lambda: states(names), lambda now: set(now.values()) == {"OK"}).values()) == {"OK"}
    finally:
        boto3.client("cloudwatch").delete_alarms(AlarmNames=names)


def _exception(driver: Driver, kind: str) -> Callable[[], None]:
    return lambda: driver.exception(f"/aws/sagemaker/{kind.title()}Jobs")


def _finding(driver: Driver, check: str) -> Callable[[], None]:
    return lambda: driver.finding(check, is_well=False)
