"""Our operators of SageMaker jobs: what a killed task, a retry and the end of a run do to jobs that are going on."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow_tasks import TaskInstance, run
from sagemaker_requests import eventually
from slope_model import processing_request, training_request, transform_request, tuning_request

from silverline import jobs
from silverline.jobs import Kind
from silverline.operators import ProcessingOperator, TrainingOperator, TransformOperator, TuningOperator
from silverline.platform import Platform

pytestmark = [pytest.mark.usefixtures("airflow_connection"), pytest.mark.long(40)]
ENDLESS = "import time; time.sleep(60)"
SHORT = "import time; time.sleep(1); print('rows=1; loss=1;')"
BRIEF = "import time; time.sleep(4); print('rows=1; loss=1;')"
WAITING = {"check_interval": 1, "deferrable": True, "execution_timeout": timedelta(minutes=2)}


def state(sagemaker: Any, kind: Kind, name: str) -> str:
    return str(getattr(sagemaker, f"describe_{kind.method}")(**{f"{kind.member}Name": name})[f"{kind.member}Status"])


def ended(sagemaker: Any, kind: Kind, name: str) -> str:
    """The state in which the job has ended."""
    return str(eventually(lambda: state(sagemaker, kind, name), lambda found: found not in ("InProgress", "Stopping")))


def training(s3: Any, name: str, script: str, **changes: Any) -> TrainingOperator:
    config = training_request(s3, name, script, **changes)
    return TrainingOperator(task_id="train", config=config, print_log=False, **WAITING)


def test_a_retry_waits_for_the_job_of_the_try_before(s3: Any, sagemaker: Any) -> None:
    retry = training(s3, "adopted-3", BRIEF)
    sagemaker.create_training_job(**{**retry.config, "TrainingJobName": "adopted-1"})
    job = run(retry)["Training"]
    assert (job["TrainingJobName"], job["TrainingJobStatus"]) == ("adopted-1", "Completed")
    names = [
        job["TrainingJobName"] for job in sagemaker.list_training_jobs(NameContains="adopted-")["TrainingJobSummaries"]
    ]
    assert names == ["adopted-1"]


def test_a_retry_that_asks_for_something_else_stops_the_job_of_the_try_before(s3: Any, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_request(s3, "changed-1", ENDLESS))
    job = run(training(s3, "changed-2", BRIEF, StoppingCondition={"MaxRuntimeInSeconds": 61}))["Training"]
    assert (job["TrainingJobName"], job["TrainingJobStatus"]) == ("changed-2", "Completed")
    assert ended(sagemaker, jobs.TRAINING, "changed-1") == "Stopped"


def test_a_retry_after_a_job_that_has_ended_starts_its_own(s3: Any) -> None:
    run(training(s3, "again-1", "print('rows=1; loss=1;')"))
    job = run(training(s3, "again-2", "print('rows=1; loss=1;')"))["Training"]
    assert job["TrainingJobName"] == "again-2"


def test_a_processing_job_is_adopted_with_the_address_that_its_name_is_part_of(s3: Any, sagemaker: Any) -> None:
    first, config = (processing_request(s3, f"adopted-processing-{number}", BRIEF) for number in (1, 2))
    config |= {name: first[name] for name in ("AppSpecification", "ProcessingInputs")}  # these have its name, too
    sagemaker.create_processing_job(**first)
    job = run(ProcessingOperator(task_id="process", config=config, **WAITING))["Processing"]
    assert (job["ProcessingJobName"], job["ProcessingJobStatus"]) == ("adopted-processing-1", "Completed")


def test_a_tuning_job_is_adopted(s3: Any) -> None:
    first, second = (
        TuningOperator(
            task_id="tune",
            config=tuning_request(s3, "adopted-tuning", SHORT)
            | {"HyperParameterTuningJobName": f"adopted-tuning-{number}"},
            **WAITING,
        )
        for number in (1, 2)
    )
    with pytest.raises(TaskDeferred):
        first.execute({"ti": TaskInstance(), "task": first})
    job = run(second)["Tuning"]
    assert (job["HyperParameterTuningJobName"], job["HyperParameterTuningJobStatus"]) == (
        "adopted-tuning-1",
        "Completed",
    )


def test_a_job_is_waited_for_as_long_as_its_task_may_take(s3: Any, model: str) -> None:
    quiet = {**WAITING, "print_log": False}
    tasks: list[Any] = [
        TrainingOperator(task_id="job", config=training_request(s3, "long-1", ENDLESS), **quiet),
        ProcessingOperator(task_id="job", config=processing_request(s3, "long-processing-1", ENDLESS), **quiet),
        TransformOperator(task_id="job", config=transform_request("long-transform-1", model), **WAITING),
        TuningOperator(task_id="job", config=tuning_request(s3, "long-tuning-1", ENDLESS), **WAITING),
    ]
    for task in tasks:
        with pytest.raises(TaskDeferred) as deferred:
            task.execute({"ti": TaskInstance(), "task": task})
        task.on_kill()
        assert deferred.value.trigger.max_attempts == 120, task


def test_killing_a_task_stops_its_job(s3: Any, sagemaker: Any, model: str) -> None:
    wanted: dict[str, tuple[Any, dict[str, Any]]] = {
        "killed-training-1": (TrainingOperator, training_request(s3, "killed-training-1", ENDLESS)),
        "killed-processing-1": (ProcessingOperator, processing_request(s3, "killed-processing-1", ENDLESS)),
        "killed-transform-1": (TransformOperator, transform_request("killed-transform-1", model)),
        "killed-tuning-1": (TuningOperator, tuning_request(s3, "killed-tuning-1", ENDLESS)),
    }
    tasks = {name: operator(task_id="job", config=config, **WAITING) for name, (operator, config) in wanted.items()}
    for task in tasks.values():
        getattr(sagemaker, f"create_{task.kind.method}")(**task.config)
        task.on_kill()
    assert {name: ended(sagemaker, task.kind, name) for name, task in tasks.items()} == dict.fromkeys(tasks, "Stopped")


def tags(dag_id: str) -> list[dict[str, str]]:
    return [{"Key": "Environment", "Value": "dev"}, {"Key": "AirflowDag", "Value": dag_id}]


def test_a_failed_job_is_of_the_pipeline_whose_dag_has_started_it_and_of_none_whose_name_begins_alike(
    s3: Any, sagemaker: Any
) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    started = {"bad-luck-1": "bad", "bad-batch-1": "bad_batch", "bad-weather-1": "bad_weather", "bad-hand-1": None}
    for name, dag_id in started.items():
        request = training_request(s3, name, "raise SystemExit('bad')")
        sagemaker.create_training_job(**request, **({"Tags": tags(dag_id)} if dag_id else {}))
    assert {ended(sagemaker, jobs.TRAINING, name) for name in started} == {"Failed"}
    assert jobs.failed_since("bad", began) == ["bad-batch-1", "bad-luck-1"]
    assert jobs.failed_since("bad-weather", began) == ["bad-weather-1"]
    assert jobs.failed_since("bad", datetime.now(UTC) + timedelta(minutes=1)) == []


def test_killing_a_task_that_has_started_no_job_does_nothing(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    training(s3, "never-started-1", ENDLESS).on_kill()
    assert "never-started-1 was not stopped" in capsys.readouterr().out


def test_what_a_dag_has_left_of_which_no_run_goes_on_is_found_and_stopped_by_the_end_of_its_next_and_nothing_else(
    s3: Any, sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, dag_id in {"left-over-1": "left", "left-other-1": "another", "leftish-1": "left"}.items():
        sagemaker.create_training_job(**training_request(s3, name, ENDLESS), Tags=tags(dag_id))
    sagemaker.create_processing_job(**processing_request(s3, "left-processing-1", ENDLESS), Tags=tags("left"))
    tuning = tuning_request(s3, "left-tuning-1", ENDLESS)
    sagemaker.create_hyper_parameter_tuning_job(**tuning, Tags=tags("left"))
    place: Any = dict.fromkeys((field.name for field in dataclasses.fields(Platform)), "") | {"environment": "dev"}
    found = jobs.orphans(Platform(**place), "left", {"left": False, "another": True}.__getitem__)
    stopped = jobs.stop_all(Platform(**place), "left", "left")
    for names in (found, stopped):
        # A stopped tuning job stops its training jobs itself, sooner or later than they are listed.
        alone = sorted(name for name in names if not name.startswith("left-tuning-1-"))
        assert alone == ["left-over-1", "left-processing-1", "left-tuning-1"]
    assert "left-over-1 is still in progress and nobody waits for it" in capsys.readouterr().out
    assert ended(sagemaker, jobs.TRAINING, "left-over-1") == "Stopped"
    assert ended(sagemaker, jobs.PROCESSING, "left-processing-1") == "Stopped"
    assert ended(sagemaker, jobs.TUNING, "left-tuning-1") == "Stopped"
    assert not sagemaker.list_training_jobs(NameContains="left-tuning-1", StatusEquals="InProgress")[
        "TrainingJobSummaries"
    ]
    for name in ("left-other-1", "leftish-1"):
        assert state(sagemaker, jobs.TRAINING, name) == "InProgress"
        jobs.stop(jobs.TRAINING, name)
