"""Tells the platform's topic what people should look at: tasks that have failed for good, once each, and late runs."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from airflow.sdk.exceptions import AirflowFailException

TOLD = "told"  # the XCom of a failed task of which people know
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
LONGEST_SUBJECT = 100  # letters, of ASCII
LONGEST_CAUSE = 8000
NO_WORD = "its process ended without a word (killed, perhaps for want of memory), or a person has marked it as failed"


class Topic(NamedTuple):
    """Where is spoken, and of which environment: of the platform document no more, whatever else it may lack."""

    environment: str
    arn: str


class Consequence(AirflowFailException):
    """What fails because of something else, which tells of itself, or which people know who have done it."""


def task_failed(context: Mapping[str, Any]) -> None:
    """Publish that the task of `context` has failed and is not tried again: a task's on_failure_callback.

    What is raised in here is in the task's log; its state and the run's stay what they are. Airflow calls it in the
    task's process or, where that was lost, in the DAG processor without a cause: then `run_failed` is left to tell.
    """
    error, ti = context.get("exception"), context["ti"]
    if isinstance(error, Consequence):
        ti.xcom_push(TOLD, str(error))
    elif error is not None:
        topic = _topic()
        publish(topic, *failure(topic, context, f"{type(error).__name__}: {error}"))
        ti.xcom_push(TOLD, True)


def run_failed(context: Mapping[str, Any]) -> None:
    """Publish that a run has failed, unless the tasks by which it has have told: a DAG's on_failure_callback.

    It runs in the DAG processor, whose log has what is raised in here.
    """
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from airflow.sdk.execution_time.xcom import XCom

    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    states = RuntimeTaskInstance.get_task_states(dag_id, run_ids=[run_id]).get(run_id, {})
    told = {
        task_id: XCom.get_one(key=TOLD, dag_id=dag_id, task_id=task_id, run_id=run_id)
        for task_id, state in states.items()
        if state == "failed"
    }
    untold = sorted(task_id for task_id, what in told.items() if what is None)
    if untold or True not in told.values():
        topic, reason = _topic(), next((what for what in told.values() if what), context.get("reason"))
        publish(topic, *failed_run(topic, dag_id, run_id, untold, str(reason)))


def run_late(context: Mapping[str, Any]) -> None:
    """Publish that a run goes on after its deadline: what infra/plugins/ calls in the triggerer, whose log has what is
    raised in here. Airflow (3.2.1) keeps the deadline of a run that has failed, of which nothing is told here."""
    run = context["dag_run"]
    if run["state"] not in ("queued", "running"):
        print(f"{run['dag_id']} {run['dag_run_id']} is {run['state']}: not late", flush=True)
        return
    topic = _topic()
    title = f"{run['dag_id']} is late in {topic.environment}: {run['state']} since {run['queued_at']}"
    facts = {"DAG": run["dag_id"], "run": run["dag_run_id"], "due": str(context["deadline"]["deadline_time"])}
    publish(topic, title, text(title, facts | {"log": run_url(run["dag_id"], run["dag_run_id"])}))


def failure(topic: Topic, context: Mapping[str, Any], cause: str) -> tuple[str, str]:
    """Subject and text of the message that a task has failed, and whether its run does by it."""
    task, ti = context["task"], context["ti"]
    title = f"{ti.dag_id} failed in {topic.environment}: {ti.task_id}"
    if task.is_teardown and not task.on_failure_fail_dagrun:
        title = f"{ti.task_id} of {ti.dag_id} failed in {topic.environment}, its run does not by that"
    cut = cause if len(cause) <= LONGEST_CAUSE else f"{cause[:LONGEST_CAUSE]} ..."
    facts = {"DAG": ti.dag_id, "run": ti.run_id, "task": ti.task_id, "try": f"{ti.try_number}, the last"}
    return title, text(title, facts | {"log": ti.log_url, "cause": cut})


def failed_run(topic: Topic, dag_id: str, run_id: str, untold: list[str], reason: str) -> tuple[str, str]:
    """Subject and text of the message that a run has failed: by tasks that could not tell of it, or for that reason."""
    title = f"{dag_id} failed in {topic.environment}: {', '.join(untold) or reason}"
    cause = {"task": ", ".join(untold), "cause": NO_WORD} if untold else {"cause": reason}
    return title, text(title, {"DAG": dag_id, "run": run_id, "log": run_url(dag_id, run_id)} | cause)


def run_url(dag_id: str, run_id: str) -> str:
    """Where Airflow shows the run."""
    from airflow.configuration import conf

    return f"{conf.get('api', 'base_url').rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def text(title: str, facts: Mapping[str, str]) -> str:
    """A message: a sentence, and what there is to know, a line each."""
    return "\n".join([title, "", *(f"{name + ':':<7} {value}" for name, value in facts.items())])


def publish(topic: Topic, subject: str, message: str) -> None:
    """Send the message to all who have subscribed to the platform's topic; a longer subject is cut."""
    import boto3
    from botocore.config import Config

    # Nobody is to wait minutes for a topic that can't be reached.
    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
    plain = subject.encode("ascii", "replace").decode()
    cut = plain if len(plain) <= LONGEST_SUBJECT else f"{plain[: LONGEST_SUBJECT - 3]}..."
    boto3.client("sns", config=patience).publish(TopicArn=topic.arn, Subject=cut, Message=message)
    print(f"told {topic.arn}: {cut}", flush=True)


def _topic() -> Topic:
    from airflow.sdk import Variable

    document = Variable.get("platform", deserialize_json=True)
    return Topic(document["environment"], document["alarm_topic_arn"])
