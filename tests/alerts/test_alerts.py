"""What subscribers to the platform's topic hear, and Airflow's logs say, where runs fail or are late."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from sagemaker_requests import eventually

from airflow_services import run, serving
from laptop import airflow
from laptop.progress import FINISHED
from subscriber import Subscriber

pytestmark = [pytest.mark.timeout(900), pytest.mark.long(120)]
DAG = "failing"


@pytest.fixture(scope="module")
def topic(local_aws: Any) -> str:
    """The topic of a platform that has nothing else."""
    arn = boto3.client("sns").create_topic(Name="silverline-local-alarms")["TopicArn"]
    document = {"environment": "local", "alarm_topic_arn": arn}  # all that is asked for, lest people hear of nothing
    boto3.client("ssm").put_parameter(
        Name="/silverline/local/platform", Value=json.dumps(document), Type="String", Overwrite=True
    )
    return arn


@pytest.fixture(scope="module")
def subscriber(topic: str) -> Subscriber:
    return Subscriber(topic, "alerts")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alerts")


@pytest.fixture(scope="module")
def api(local_aws: Any, topic: str, state: Path) -> Iterator[airflow.Api]:
    """Airflow's services, whose DAGs are those of failing.py."""
    with serving(Path(__file__).parent / "failing.py", state, local_aws.url, airflow.Api) as running:
        yield running


def heard(subscriber: Subscriber, count: int) -> dict[str, str]:
    """The messages of a run, and that no more come."""
    found: dict[str, str] = {}
    eventually(lambda: found.update(subscriber.messages()) or len(found), lambda seen: seen >= count, every=0.5)
    return found


def test_a_task_that_fails_for_good_is_told_once_with_its_cause_and_the_way_to_its_log(
    api: airflow.Api, subscriber: Subscriber
) -> None:
    run_id, states = run(api, DAG, fail=["raises"])
    assert (states["raises"], states["verdict"], states["run"]) == ("failed", "failed", "failed")
    message = heard(subscriber, 1)["failing failed in local: raises"]
    assert f"run:    {run_id}" in message and "try:    2, the last" in message
    assert "cause:  ValueError: the bad\nnews" in message
    assert f"/dags/failing/runs/{run_id}/tasks/raises?try_number=2" in message.replace("%3A", ":").replace("%2B", "+")


def test_a_task_whose_process_is_killed_is_told_when_its_run_has_failed(
    api: airflow.Api, subscriber: Subscriber
) -> None:
    run_id, states = run(api, DAG, fail=["killed", "raises"])
    assert (states["killed"], states["run"]) == ("failed", "failed")
    messages = heard(subscriber, 2)
    assert messages.keys() == {"failing failed in local: raises", "failing failed in local: killed"}
    assert "its process ended without a word" in messages["failing failed in local: killed"]


def test_a_task_that_fails_no_run_is_told_as_such(api: airflow.Api, subscriber: Subscriber) -> None:
    _, states = run(api, DAG, fail=["tidy"])
    assert (states["tidy"], states["run"]) == ("failed", "success")
    (subject,) = heard(subscriber, 1)
    assert subject == "tidy of failing failed in local, its run does not by that"


def test_a_run_that_a_person_gives_up_before_its_tasks_have_begun_is_told(
    api: airflow.Api, subscriber: Subscriber
) -> None:
    with api.paused(DAG):
        run_id = api._post(f"/dags/{DAG}/dagRuns", {"logical_date": None, "conf": {"fail": []}})["dag_run_id"]
        assert api.fail_unfinished_runs(DAG) == 1
    eventually(lambda: api.run(DAG, run_id)["state"], FINISHED.__contains__, every=1)
    (subject,) = heard(subscriber, 1)
    assert subject == "failing failed in local: the run was given up" and not subscriber.messages()


def test_a_run_that_a_person_gives_up_is_told_with_the_task_that_it_waited_for(
    api: airflow.Api, subscriber: Subscriber
) -> None:
    run_id = api.trigger(DAG, {"fail": ["waits"]})["dag_run_id"]
    eventually(
        lambda: {task["task_id"]: task["state"] for task in api.task_instances(DAG, run_id)},
        lambda states: (states["raises"], states["killed"], states["waits"]) == ("success", "success", "running"),
        every=1,
    )
    assert api.fail_unfinished_runs(DAG) == 1
    eventually(lambda: api.run(DAG, run_id)["state"], FINISHED.__contains__, every=1)
    (subject,) = heard(subscriber, 1)
    assert subject == "failing failed in local: waits" and not subscriber.messages()


def test_a_topic_that_is_not_there_is_loud_in_the_logs_and_changes_no_state(
    api: airflow.Api, topic: str, state: Path
) -> None:
    ssm: Any = boto3.client("ssm")
    name = "/silverline/local/platform"
    document = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.put_parameter(Name=name, Value=document.replace(topic, f"{topic}-gone"), Type="String", Overwrite=True)
    run_id, states = run(api, DAG, fail=["raises"])

    def processor_log() -> str:
        logs = (state / "airflow" / "logs" / "dag_processor").rglob("failing.py.log")
        return "".join(path.read_text() for path in logs)

    assert eventually(processor_log, lambda text: "Callback failed" in text and "NotFoundException" in text)
    ssm.put_parameter(Name=name, Value=document, Type="String", Overwrite=True)
    assert (states["raises"], states["run"]) == ("failed", "failed")
    log = "\n".join(api.log_lines(DAG, run_id, "raises", 2))
    assert "Failed to run task callback" in log and "NotFoundException" in log


def test_a_run_that_goes_on_after_its_deadline_is_told(api: airflow.Api, subscriber: Subscriber) -> None:
    run_id = api.trigger("slow", {})["dag_run_id"]
    ((subject, message),) = heard(subscriber, 1).items()
    run = api.run("slow", run_id)
    assert run["state"] == "running" and subject.startswith("slow is late in local: running since ")
    assert f"run:    {run_id}" in message and "/dags/slow/runs/" in message
    eventually(lambda: api.run("slow", run_id)["state"], "success".__eq__, every=1)
    assert not subscriber.messages()


def test_a_run_that_has_failed_is_not_late(api: airflow.Api, subscriber: Subscriber, state: Path) -> None:
    run_id = api.trigger("tired", {})["dag_run_id"]
    said = state / "services" / "airflow-triggerer.log"
    eventually(said.read_text, lambda text: f"tired {run_id} is failed: not late" in text)
    assert list(subscriber.messages()) == ["tired failed in local: gives_up"]
