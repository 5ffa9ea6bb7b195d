"""A pipeline whose models a person approves, in whole runs on a running Airflow: asked again and again about one model,
by clearing the question, a person and SageMaker's registry answer; the tests build on each other, in this order."""

import json
from collections.abc import Mapping

import boto3
import pytest
from machine import Airflow, Laptop
from published import served

from airflow_services import read_what_is_asked

pytestmark = [pytest.mark.timeout(1800), pytest.mark.long(57)]  # begins with what test_flight_delay.py has begun with
ASK = "approve.ask"
FORM = f"/taskInstances/{ASK}/-1/hitlDetails"
BEFORE = ("InService", "1")


@pytest.fixture(scope="module")
def api(laptop: Laptop) -> Airflow:
    """Airflow with flight_delay asking a person, and looking at the registry all 20 seconds."""
    person = laptop.dags(
        ("flight_delay.py", "spec = PipelineSpec(", 'spec = PipelineSpec(\n    approval="person",'),
        ("silverline/approval.py", "REGISTRY_POLL = timedelta(minutes=5)", "REGISTRY_POLL = timedelta(seconds=20)"),
    )
    return laptop.start(AIRFLOW__CORE__DAGS_FOLDER=person)


@pytest.fixture(scope="module")
def run(api: Airflow) -> str:
    """A run that has asked, and goes through no long canary; no batch runs beside it."""
    ssm, name = boto3.client("ssm"), "/silverline/local/platform"
    document = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"]) | {"canary_seconds": 5}
    ssm.put_parameter(Name=name, Value=json.dumps(document), Overwrite=True)
    api.change("PATCH", "/dags/flight_delay_batch", is_paused=True)
    started = api.start_run()
    api.until(started, is_asked)
    return started


def is_asked(states: Mapping[str, str | None]) -> bool:
    return states.get(ASK) == "deferred"


def ask_again(api: Airflow, run: str) -> None:
    """Take back what was decided, and clear the question and all after it."""
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=package(api, run), ModelApprovalStatus="PendingManualApproval"
    )
    api.clear(run, ASK, downstream=True)
    api.until(run, is_asked)


def answer(api: Airflow, run: str, option: str) -> None:
    read_what_is_asked()
    path = f"/dags/flight_delay/dagRuns/{run}{FORM}"
    api.change("PATCH", path, chosen_options=[option], params_input={})


def package(api: Airflow, run: str) -> str:
    return str(api.xcom("flight_delay", run, "register.register"))


def registered(api: Airflow, run: str) -> tuple[str, str]:
    """The package's status, and who or what gave it."""
    described = boto3.client("sagemaker").describe_model_package(ModelPackageName=package(api, run))
    return described["ModelApprovalStatus"], described.get("ApprovalDescription", "")


def deploying(states: Mapping[str, str | None]) -> set[str | None]:
    return {state for task, state in states.items() if task.startswith("deploy.")}


def test_a_model_that_waits_for_a_person_is_pending_and_not_served(api: Airflow, run: str) -> None:
    assert registered(api, run)[0] == "PendingManualApproval"
    form = api.form("flight_delay", run, ASK)
    assert package(api, run) in form["body"] and not form["response_received"]
    assert served() == BEFORE


def test_the_registry_rejects_and_the_run_is_green_with_nothing_deployed(api: Airflow, run: str) -> None:
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=package(api, run), ModelApprovalStatus="Rejected", ApprovalDescription="seen in Studio"
    )
    states = api.ended(run)
    assert (states["run"], states[ASK], deploying(states)) == ("success", "success", {"skipped"})
    assert (registered(api, run), served()) == (("Rejected", "seen in Studio"), BEFORE)


def test_a_person_rejects_and_the_run_is_green_with_nothing_deployed(api: Airflow, run: str) -> None:
    ask_again(api, run)
    answer(api, run, "Reject")
    states = api.ended(run)
    assert (states["run"], states[ASK], deploying(states)) == ("success", "success", {"skipped"})
    assert (registered(api, run), served()) == (("Rejected", "Rejected in Airflow by admin"), BEFORE)


def test_a_person_approves_and_marks_the_roll_out_as_failed_and_the_model_before_is_served(
    api: Airflow, run: str
) -> None:
    ask_again(api, run)
    answer(api, run, "Approve")
    api.until(run, lambda states: states["deploy.roll_out"] == "deferred")
    task = f"/dags/flight_delay/dagRuns/{run}/taskInstances/deploy.roll_out"
    api.change("PATCH", task, new_state="failed")
    states = api.ended(run)
    assert (states["run"], states["deploy.smoke_test"], states["deploy.settle"]) == (
        "failed",
        "upstream_failed",
        "success",
    )
    assert served() == BEFORE
    # Who stops a roll-out says nothing of the model.
    assert registered(api, run) == ("Approved", "Approved in Airflow by admin")


def test_the_registry_approves_and_the_model_is_served(api: Airflow, run: str) -> None:
    ask_again(api, run)
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=package(api, run), ModelApprovalStatus="Approved", ApprovalDescription="seen in Studio"
    )
    states = api.ended(run)
    assert (states["run"], deploying(states)) == ("success", {"success"})
    assert (registered(api, run), served()) == (("Approved", "seen in Studio"), ("InService", "2"))
    form = api.form("flight_delay", run, ASK)
    assert form["response_received"] and form["chosen_options"] == ["Approve"]


def test_a_person_approves_and_the_model_is_served(api: Airflow, run: str) -> None:
    before = boto3.client("sagemaker").describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"]
    ask_again(api, run)
    answer(api, run, "Approve")
    states = api.ended(run)
    assert (states["run"], deploying(states)) == ("success", {"success"})
    assert registered(api, run) == ("Approved", "Approved in Airflow by admin")
    assert served() == ("InService", "2")
    after = boto3.client("sagemaker").describe_endpoint(EndpointName="flight-delay")["EndpointConfigName"]
    assert after != before
