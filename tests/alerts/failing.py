"""A DAG as pipelines have them, whose tasks fail, each in its way, where the run's conf names them; one whose runs
take longer than they may; and one whose runs have failed long before."""

import dataclasses
import os
import signal
import time
from datetime import timedelta

from airflow.sdk import DAG, get_current_context, task

from silverline.groups.clean_up import verdict
from silverline.runs import dag_arguments
from silverline.spec import BatchSpec, Stage

SPEC = BatchSpec(
    name="failing",
    description="Tasks that fail",
    stages=(Stage(layer="gold", published=("nothing",), audit="nothing"),),
    feature_table="nothing",
)
arguments = dag_arguments(SPEC)
arguments["default_args"] |= {"retry_delay": timedelta(seconds=1)}


def is_named() -> bool:
    """Whether the run's conf names the running task."""
    context = get_current_context()
    return context["ti"].task_id in context["dag_run"].conf["fail"]


with DAG(dag_id="failing", schedule=None, **arguments) as dag:

    @task
    def raises() -> None:
        if is_named():
            raise ValueError("the bad\nnews")

    @task
    def killed() -> None:
        if is_named():
            os.kill(os.getpid(), signal.SIGKILL)

    @task
    def waits() -> None:
        time.sleep(60 * is_named())

    @task
    def tidy() -> None:
        if is_named():
            raise OSError("a broken broom")

    @task
    def report() -> None:
        print("all is well")

    reported = report()
    [raises(), killed(), waits()] >> reported
    tidied = tidy()
    reported >> tidied
    tidied.as_teardown()
    verdict(reported)


@task(retries=0)
def sleeps() -> None:
    time.sleep(40)


late_arguments = dag_arguments(dataclasses.replace(SPEC, late_after=timedelta(seconds=10)))
with DAG(dag_id="slow", schedule=None, **late_arguments):
    sleeps()


@task(retries=0)
def gives_up() -> None:
    raise ValueError("tired")


late_arguments = dag_arguments(dataclasses.replace(SPEC, late_after=timedelta(seconds=40)))
with DAG(dag_id="tired", schedule=None, **late_arguments):
    gives_up()
