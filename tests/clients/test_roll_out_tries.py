"""Tasks that change an endpoint, tried again, killed and beside another's change: each finds what is under way."""

import json
import os
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from airflow.exceptions import AirflowFailException, TaskDeferralTimeout
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR, TriggerFailureReason
from airflow.sdk.execution_time.context import set_current_context
from airflow_tasks import TaskInstance, run
from botocore.exceptions import EndpointConnectionError
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, IMAGE, settled
from sagemaker_requests import archive as packed

from laptop import alarms, platform
from silverline import model_packages, rollout
from silverline.groups.deploy import OBJECTION, deploy
from silverline.platform import platform as read_platform
from silverline.spec import PipelineSpec, Stage

pytestmark = [pytest.mark.usefixtures("airflow_connection"), pytest.mark.long(60)]
NAME = "kiosk"
SPEC = PipelineSpec(
    name=NAME,
    description="A model of a few lines",
    monthly_sources=(),
    reference_sources=(),
    stages=(Stage(published=("features",), audit="none"),),
    label="y",
    hyperparameters={},
    metrics=(),
)


PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{NAME}/1"
SPECIFICATION: Any = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/kiosk-one/model.tar.gz"}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture(autouse=True)
def approved() -> None:
    """The package of all the models is Approved again before each test."""
    model_packages.decide(PACKAGE, "Approved", "")


@pytest.fixture(scope="module")
def hosting(local_aws: Any) -> Any:
    """Configurations `kiosk-one` to `-three` and `-unfit`, each of a model of its name; an unfit one does not start."""
    made = Endpoints()
    for name in ("one", "two", "three", "unfit"):
        made.model(f"kiosk-{name}", **({"script": "import no_such_module"} if name == "unfit" else {}))
        variant = {"VariantName": "AllTraffic", "ModelName": f"kiosk-{name}", "InitialInstanceCount": 2}
        made.sagemaker.create_endpoint_config(
            EndpointConfigName=f"kiosk-{name}", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
        )
    made.sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    made.sagemaker.create_model_package(ModelPackageGroupName=NAME, InferenceSpecification=SPECIFICATION)
    with pytest.MonkeyPatch.context() as patch:
        document = {
            **platform.apply(),
            "canary_seconds": 1,
            "endpoint_alarms": {NAME: alarms.create_or_update("t", NAME)},
        }
        patch.setenv("AIRFLOW_VAR_PLATFORM", json.dumps(document))
        yield made


def task(task_id: str, config: str, previous: str | None = None) -> Any:
    """A task of the deploy group of `SPEC`, as Airflow has filled it in."""
    from airflow.sdk import DAG
    from airflow.sdk import task as decorate

    with DAG(NAME, schedule=None) as dag:

        @decorate
        def approved() -> dict[str, str]:
            return {}

        deploy(SPEC, approved())
    found: Any = dag.get_task(f"deploy.{task_id}")
    found.config = {"EndpointName": NAME, "EndpointConfigName": config}
    found.target = config if task_id == "roll_out" else str(previous)
    return found


def told(previous: str | None = None, pushed: Any = (), **returned: Any) -> TaskInstance:
    """The task instance of a run in which tasks of the deploy group have `returned` and `pushed` that."""
    returned.setdefault("prepare", {"previous": previous})
    returned |= {"create_model": {"Model": {"PrimaryContainer": {"ModelPackageName": PACKAGE}}}}
    return TaskInstance({f"deploy.{task_id}": value for task_id, value in returned.items()}, dict(pushed))


def decided() -> tuple[str, str]:
    return model_packages.approval(PACKAGE)


def served(hosting: Endpoints) -> tuple[str, str]:
    endpoint = settled(hosting.sagemaker, NAME)
    return endpoint["EndpointStatus"], endpoint["EndpointConfigName"]


def update(hosting: Endpoints, config: str, seconds: int = 3) -> None:
    """A change that is under way for some seconds."""
    wait = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": seconds}
    hosting.sagemaker.update_endpoint(
        EndpointName=NAME,
        EndpointConfigName=config,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": wait}},
    )


def kind_of_last_deployment(hosting: Endpoints) -> str:
    last = hosting.sagemaker.describe_endpoint(EndpointName=NAME)["LastDeploymentConfig"]
    return str(last["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"])


def test_a_first_model_that_does_not_start_ends_the_task_with_the_reason_and_then_goes(hosting: Endpoints) -> None:
    instance = told()
    with pytest.raises(AirflowFailException, match="(?s)endpoint kiosk is Failed: .*no_such_module"):
        run(task("roll_out", "kiosk-unfit"), instance)
    assert "no_such_module" in instance.links[OBJECTION]["reason"]
    later = told(pushed={("deploy.roll_out", OBJECTION): instance.links[OBJECTION]})
    assert run(task("settle", "kiosk-unfit"), later) == {"serves": None}
    assert decided() == ("Rejected", " ".join(instance.links[OBJECTION]["reason"].split()))
    assert hosting.sagemaker.list_endpoints(NameContains=NAME)["Endpoints"] == []


def test_a_try_waits_for_the_deployment_that_the_one_before_has_started(hosting: Endpoints) -> None:
    assert run(task("roll_out", "kiosk-one"), told()) == {"serves": "kiosk-one"}
    update(hosting, "kiosk-two")
    assert run(task("roll_out", "kiosk-two"), told()) == {"serves": "kiosk-two"}
    assert kind_of_last_deployment(hosting) == "ALL_AT_ONCE"  # not the task's own


def test_anothers_deployment_is_waited_for_and_then_replaced(hosting: Endpoints) -> None:
    update(hosting, "kiosk-one")
    assert run(task("roll_out", "kiosk-three"), told()) == {"serves": "kiosk-three"}
    assert kind_of_last_deployment(hosting) == "CANARY"


def test_a_new_model_that_does_not_start_is_told_from_a_deployment_that_has_not_begun(hosting: Endpoints) -> None:
    with pytest.raises(
        AirflowFailException, match="(?s)took endpoint kiosk back from kiosk-unfit to kiosk-three: .*no_such_module"
    ):
        run(task("roll_out", "kiosk-unfit"), told())
    assert served(hosting) == ("InService", "kiosk-three")


@pytest.mark.parametrize(
    ("passed", "left"),
    [(None, "kiosk-three"), ("kiosk-one", "kiosk-three"), ("kiosk-two", "kiosk-two")],
    ids=["not yet tested", "another one tested, before tasks were cleared", "tested"],
)
def test_a_run_that_is_stopped_meanwhile_leaves_what_has_passed_the_smoke_test_only(
    hosting: Endpoints, passed: Any, left: str
) -> None:
    update(hosting, "kiosk-two")
    instance = told("kiosk-three", smoke_test=passed and {"answers": 1, "config": passed})
    assert run(task("settle", "kiosk-two", "kiosk-three"), instance) == {"serves": left}


def test_what_somebody_has_put_behind_the_endpoint_since_then_stays(hosting: Endpoints) -> None:
    assert run(task("settle", "kiosk-one", "kiosk-three"), told("kiosk-three")) == {"serves": "kiosk-two"}


def test_what_was_said_of_an_earlier_configuration_does_not_reject_the_model(hosting: Endpoints) -> None:
    objection = {"config": "kiosk-three", "reason": "no good"}
    for task_id in ("deploy.roll_out", "deploy.smoke_test"):
        run(task("settle", "kiosk-one", "kiosk-three"), told("kiosk-three", {(task_id, OBJECTION): objection}))
    assert decided()[0] == "Approved"


def test_a_model_whose_package_is_rejected_meanwhile_is_not_rolled_out(hosting: Endpoints) -> None:
    model_packages.decide(PACKAGE, "Rejected", "seen in Studio")
    with pytest.raises(AirflowFailException, match="kiosk/1 is Rejected, nothing is deployed: seen in Studio"):
        run(task("roll_out", "kiosk-one"), told())
    assert served(hosting) == ("InService", "kiosk-two")


@pytest.mark.parametrize(("config", "previous"), [("kiosk-two", "kiosk-one"), ("kiosk-three", "kiosk-two")])
def test_the_way_back_stays_the_same_where_the_endpoint_serves_the_runs_own_configuration_already(
    hosting: Endpoints, config: str, previous: str
) -> None:
    assert task("prepare", config).python_callable(config, "kiosk-one")["previous"] == previous


def test_a_smoke_test_of_another_configuration_says_nothing_of_the_model(hosting: Endpoints) -> None:
    archive = f"s3://{BUCKET}/models/kiosk-one/model.tar.gz"
    hosting.s3.put_object(
        Bucket=BUCKET, Key="models/kiosk-one/output.tar.gz", Body=packed({"golden.json": '{"request": [{}]}'})
    )
    asking, instance = task("smoke_test", "kiosk-three"), told()
    context: Any = {"ti": instance}
    with (
        set_current_context(context),
        pytest.raises(AirflowFailException, match="serves kiosk-two, .* clear deploy.roll_out and all after it"),
    ):
        asking.python_callable({"package": PACKAGE, "model_artifacts": archive}, "kiosk-three")
    assert OBJECTION not in instance.links


def time_out(task: Any, instance: TaskInstance) -> None:
    """What Airflow does when the time is over for which a task waits."""
    error = {"error": TriggerFailureReason.TRIGGER_TIMEOUT.value}
    task.resume_execution(TRIGGER_FAIL_REPR, error, {"ti": instance, "task": task})


def test_a_roll_out_that_takes_too_long_is_taken_back_and_its_package_is_rejected(hosting: Endpoints) -> None:
    update(hosting, "kiosk-three", seconds=8)
    instance = told()
    with pytest.raises(AirflowFailException, match="is still Updating to kiosk-three, which takes longer"):
        time_out(task("roll_out", "kiosk-three"), instance)
    later = told("kiosk-two", {("deploy.roll_out", OBJECTION): instance.links[OBJECTION]})
    assert run(task("settle", "kiosk-three", "kiosk-two"), later) == {"serves": "kiosk-two"}
    assert decided() == ("Rejected", instance.links[OBJECTION]["reason"])


def test_anothers_deployment_that_takes_too_long_says_nothing_of_the_model(hosting: Endpoints) -> None:
    update(hosting, "kiosk-three")
    with pytest.raises(TaskDeferralTimeout):
        time_out(task("roll_out", "kiosk-one"), told())
    assert served(hosting) == ("InService", "kiosk-three")


def test_the_endpoint_goes_back_also_while_the_registry_can_not_be_told_why(
    hosting: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    objection = {"config": "kiosk-three", "reason": "wrong answers"}
    instance = told("kiosk-two", {("deploy.smoke_test", OBJECTION): objection})
    with monkeypatch.context() as patch, pytest.raises(EndpointConnectionError):
        patch.setattr(model_packages, "decide", Mock(side_effect=EndpointConnectionError(endpoint_url="aws")))
        run(task("settle", "kiosk-three", "kiosk-two"), instance)
    assert served(hosting) == ("InService", "kiosk-two")
    assert run(task("settle", "kiosk-three", "kiosk-two"), instance) == {"serves": "kiosk-two"}
    assert decided() == ("Rejected", "wrong answers")


def test_a_model_that_is_rejected_while_it_is_rolled_out_goes_though_it_has_passed_the_smoke_test(
    hosting: Endpoints,
) -> None:
    model_packages.decide(PACKAGE, "Rejected", "seen in Studio")
    instance = told("kiosk-three", smoke_test={"answers": 1, "config": "kiosk-two"})
    assert run(task("settle", "kiosk-two", "kiosk-three"), instance) == {"serves": "kiosk-three"}
    assert decided() == ("Rejected", "seen in Studio")


@pytest.mark.parametrize(("max_tries", "kind"), [(1, "ALL_AT_ONCE"), (2, "CANARY")], ids=["tried again", "cleared"])
def test_what_sagemaker_has_taken_back_is_rolled_out_again_for_a_person_and_by_no_other_try(
    hosting: Endpoints, max_tries: int, kind: str
) -> None:
    again = task("roll_out", "kiosk-unfit")
    again.retries = 1
    instance = told(prepare=task("prepare", "kiosk-unfit").python_callable("kiosk-unfit", "kiosk-three"))
    instance.try_number, instance.max_tries = 2, max_tries
    update(hosting, "kiosk-unfit")
    assert served(hosting) == ("InService", "kiosk-three")  # while no try was waiting for it
    with pytest.raises(AirflowFailException, match="took endpoint kiosk back from kiosk-unfit to kiosk-three"):
        run(again, instance)
    assert OBJECTION in instance.links and kind_of_last_deployment(hosting) == kind


def test_an_alarm_that_is_on_before_the_roll_out_says_nothing_of_the_model(
    hosting: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudwatch, alarm = boto3.client("cloudwatch"), alarms.canary_alarm(NAME, "5xx")
    cloudwatch.put_metric_alarm(AlarmName="kiosk-on", **{**alarm, "TreatMissingData": "ignore"})
    cloudwatch.set_alarm_state(AlarmName="kiosk-on", StateValue="ALARM", StateReason="the model in service fails")
    document = {**json.loads(os.environ["AIRFLOW_VAR_PLATFORM"]), "endpoint_alarms": {NAME: ["kiosk-on"]}}
    monkeypatch.setenv("AIRFLOW_VAR_PLATFORM", json.dumps(document))
    read_platform.cache_clear()
    instance = told()
    with pytest.raises(AirflowFailException, match="kiosk-on is in ALARM before anything is rolled out"):
        run(task("roll_out", "kiosk-two"), instance)
    assert OBJECTION not in instance.links
    assert served(hosting) == ("InService", "kiosk-three")


@pytest.mark.parametrize("carry_out", [run, time_out], ids=["tried again", "waiting"])
def test_an_endpoint_that_somebodys_deployment_has_left_half_taken_back_is_not_updated(
    hosting: Endpoints, monkeypatch: pytest.MonkeyPatch, carry_out: Any
) -> None:
    half = {**hosting.sagemaker.describe_endpoint(EndpointName=NAME), "EndpointStatus": "UpdateRollbackFailed"}
    monkeypatch.setattr(rollout, "describe", lambda name: half)
    instance = told()
    with pytest.raises(AirflowFailException, match="endpoint kiosk is UpdateRollbackFailed, nothing is rolled out"):
        carry_out(task("roll_out", "kiosk-two"), instance)
    assert OBJECTION not in instance.links
    assert served(hosting) == ("InService", "kiosk-three")
