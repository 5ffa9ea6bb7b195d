"""A person is asked, in Airflow and in SageMaker's registry at once: by Airflow's own scheduler and triggerer."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize
from airflow.sdk.timezone import utcnow
from botocore.exceptions import ClientError, EndpointConnectionError
from sagemaker_requests import eventually
from small_model import PLATFORM, SILVER_RUNS, gate, plan

from airflow_services import read_what_is_asked, serving
from flight_delay import spec
from laptop import airflow
from silverline import approval, model_packages, registration
from silverline.approval import ModelApprovalOperator

pytestmark = [pytest.mark.timeout(600), pytest.mark.long(90)]
RUNS = "/api/v2/dags/asking/dagRuns"
TASK = "00000000-0000-0000-0000-000000000001"
TIMEOUT = {"error": "no answer yet", "error_type": "timeout"}


def gated_package(model: str, name: str) -> tuple[dict[str, Any], str]:
    """What the gate says of a promoted model, and the ARN of its package, which waits for approval."""
    gated = gate(model, evaluation=name)
    return gated, registration.register(PLATFORM, spec, plan(), SILVER_RUNS, gated)


# The operator's own decisions, without a scheduler


def asking(package: str, decision: str = "promote", timeout: timedelta = timedelta(days=7)) -> Any:
    return ModelApprovalOperator(
        task_id="ask", subject="May it?", package=package, decision=decision, approval_timeout=timeout
    )


def wake(package: str, event: dict[str, Any], deadline: timedelta = timedelta(days=7)) -> Any:
    """What the task returns, or how it waits on, where its wait ends with `event`."""
    context = {"ti": SimpleNamespace(id=TASK)}
    try:
        return asking(package).execute_complete(context, event, deadline=(utcnow() + deadline).isoformat())
    except TaskDeferred as deferred:
        return deferred.trigger


def answer(option: str) -> dict[str, Any]:
    user = {"id": "1", "name": "jane"}
    return {"chosen_options": [option], "params_input": {}, "responded_at": utcnow(), "responded_by_user": user}


@pytest.mark.parametrize(("option", "status"), [("Approve", "Approved"), ("Reject", "Rejected")])
def test_an_answer_in_airflow_is_written_into_the_registry_with_the_users_name(
    model: str, option: str, status: str
) -> None:
    _, package = gated_package(model, f"answer-{option}")
    assert wake(package, answer(option))["status"] == status
    assert model_packages.approval(package) == (status, f"{status} in Airflow by jane")


def test_the_registry_has_the_last_word_where_it_was_decided_there_before_the_answer(model: str) -> None:
    _, package = gated_package(model, "both")
    model_packages.decide(package, "Rejected", "seen in Studio")
    assert wake(package, answer("Approve")) == {"status": "Rejected", "description": "seen in Studio"}
    assert model_packages.approval(package) == ("Rejected", "seen in Studio")


@pytest.mark.parametrize(("status", "option"), [("Approved", "Approve"), ("Rejected", "Reject")])
def test_what_was_decided_in_the_registry_is_given_to_the_form_soon(model: str, status: Any, option: str) -> None:
    _, package = gated_package(model, f"registry-{status}")
    model_packages.decide(package, status, "")
    trigger = wake(package, TIMEOUT)
    assert trigger.defaults == [option] and trigger.timeout_datetime <= utcnow() + approval.SOON


def test_undecided_it_waits_on_until_its_time_is_over_and_then_ends_without_a_failure(model: str) -> None:
    _, package = gated_package(model, "undecided")
    trigger = wake(package, TIMEOUT)
    assert trigger.defaults is None and trigger.timeout_datetime > utcnow()
    with pytest.raises(AirflowSkipException, match=f"nobody has approved or rejected {package} within 7 days"):
        wake(package, TIMEOUT, deadline=timedelta(0))
    assert model_packages.approval(package)[0] == "PendingManualApproval"


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="aws"), ClientError({"Error": {"Code": "Throttling"}}, "Describe")]
)
def test_a_registry_that_can_not_be_asked_is_asked_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(model_packages, "approval", Mock(side_effect=error))
    trigger = wake("arn", TIMEOUT)
    assert trigger.defaults is None and trigger.timeout_datetime > utcnow()
    for event in (TIMEOUT, answer("Approve")):
        with pytest.raises(type(error)):
            wake("arn", event, deadline=timedelta(0))


@pytest.mark.parametrize("call", ["approval", "decide"])
def test_an_answer_lasts_while_the_registry_can_not_be_told(
    model: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    _, package = gated_package(model, f"lasting-{call}")
    context, deadline = {"ti": SimpleNamespace(id=TASK)}, (utcnow() + timedelta(days=7)).isoformat()
    with monkeypatch.context() as patch, pytest.raises(TaskDeferred) as deferred:
        patch.setattr(model_packages, call, Mock(side_effect=EndpointConnectionError(endpoint_url="aws")))
        asking(package).execute_complete(context, answer("Approve"), deadline=deadline)
    moment = deferred.value.trigger.moment
    assert moment > utcnow()
    kept = deserialize(serialize(deferred.value.kwargs))  # as Airflow does
    assert asking(package).resume_execution("execute_complete", {**kept, "event": moment}, context) == {
        "status": "Approved",
        "description": "Approved in Airflow by jane",
    }
    assert model_packages.approval(package)[0] == "Approved"


def test_another_try_asks_no_longer_than_the_first(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, package = gated_package(model, "another-try")
    registered = model_packages.registered_at(package)
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", Mock())
    with pytest.raises(TaskDeferred) as deferred:
        asking(package, timeout=timedelta(days=7)).execute({"task_instance": SimpleNamespace(id=TASK)})
    assert deferred.value.kwargs == {"deadline": (registered + timedelta(days=7)).isoformat()}


@pytest.mark.parametrize("decision", ["hold", "reject"])
def test_nobody_is_asked_about_a_model_that_the_gate_does_not_promote(decision: str) -> None:
    with pytest.raises(AirflowSkipException, match=f"the gate's decision is {decision}"):
        asking("arn", decision).execute({})


def test_nobody_is_asked_where_the_registry_has_decided_already(model: str) -> None:
    _, package = gated_package(model, "already")
    model_packages.decide(package, "Approved", "before")
    assert asking(package).execute({}) == {"status": "Approved", "description": "before"}


# In Airflow


class Airflow(airflow.Api):
    """Airflow's API, on the runs of asking.py."""

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Airflow's answer; on SQLite it fails while something else writes for longer than five seconds."""
        answered = eventually(
            lambda: self._session.request(method, f"{self._url}{RUNS}{path}", json=body or None, timeout=60),
            lambda answer: answer.status_code < 500,
        )
        assert answered.ok, answered.text
        return dict(answered.json())

    def ask(self, gated: dict[str, Any], package: str) -> str:
        """The path of a run that waits for approval."""
        run = self.call("POST", "", logical_date=None, conf={"gate": gated, "package": package})
        path = f"/{run['dag_run_id']}"
        eventually(lambda: self.states(path), lambda states: states.get("approve.ask") == "deferred", 240, every=1)
        read_what_is_asked()
        return path

    def states(self, run: str) -> dict[str, str]:
        """Of each task of the run its state, and under "run" the run's."""
        tasks = self.call("GET", f"{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks} | {"run": self.call("GET", run)["state"]}

    def ended(self, run: str) -> dict[str, str]:
        return dict(
            eventually(lambda: self.states(run), lambda seen: seen["run"] in ("success", "failed"), 240, every=1)
        )


FORM = "/taskInstances/approve.ask/-1/hitlDetails"


@pytest.fixture(scope="module")
def airflows(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    state = tmp_path_factory.mktemp("approval")
    with serving(Path(__file__).parent / "asking.py", state, local_aws.url, Airflow) as running:
        yield running


def test_a_person_approves_in_airflow_and_the_package_is_deployed(airflows: Airflow, model: str) -> None:
    gated, package = gated_package(model, "asked-approve")
    run = airflows.ask(gated, package)
    form = airflows.call("GET", run + FORM)
    assert form["subject"] == "May this model of flight_delay be deployed?"
    assert form["options"] == ["Approve", "Reject"] and not form["response_received"]
    assert package in form["body"] and "model_card.html" in form["body"] and "beats the base rate" in form["body"]
    assert "| roc auc | 0.7580 (0.7520 to 0.7640) | 0.5000 |" in form["body"]
    airflows.call("PATCH", run + FORM, chosen_options=["Approve"], params_input={})
    states = airflows.ended(run)
    assert states["run"] == "success" and is_deployed(states, package)
    assert model_packages.approval(package) == ("Approved", "Approved in Airflow by admin")


def test_a_person_rejects_in_airflow_and_the_run_is_green_with_nothing_deployed(airflows: Airflow, model: str) -> None:
    gated, package = gated_package(model, "asked-reject")
    run = airflows.ask(gated, package)
    airflows.call("PATCH", run + FORM, chosen_options=["Reject"], params_input={})
    states = airflows.ended(run)
    assert states["run"] == "success" and not is_deployed(states, package)
    assert states["approve.ask"] == "success" and states["approve.decide"] == "skipped"
    assert model_packages.approval(package) == ("Rejected", "Rejected in Airflow by admin")


def test_the_registry_approves_and_the_form_is_answered_by_that(airflows: Airflow, model: str) -> None:
    gated, package = gated_package(model, "asked-registry")
    run = airflows.ask(gated, package)
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="seen in Studio"
    )
    states = airflows.ended(run)
    form = airflows.call("GET", run + FORM)
    assert form["response_received"] and form["chosen_options"] == ["Approve"]
    assert states["run"] == "success" and is_deployed(states, package)
    assert model_packages.approval(package) == ("Approved", "seen in Studio")


def test_a_run_that_waits_for_a_person_and_is_marked_as_failed_ends_red(airflows: Airflow, model: str) -> None:
    gated, package = gated_package(model, "asked-given-up")
    run = airflows.ask(gated, package)
    airflows.call("PATCH", run, state="failed")
    states = airflows.ended(run)
    assert (states["run"], states["report"], is_deployed(states, package)) == ("failed", "skipped", False)
    assert model_packages.approval(package)[0] == "PendingManualApproval"


def is_deployed(states: dict[str, str], package: str) -> bool:
    """Whether there is a model of the package, which has to be what the run's tasks say."""
    models = boto3.client("sagemaker").list_models(NameContains=f"of-version-{package.rpartition('/')[2]}")["Models"]
    assert (states["deploy"], len(models)) in (("success", 1), ("skipped", 0))
    return bool(models)
