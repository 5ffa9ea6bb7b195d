"""Our operators of SageMaker jobs: what a task's log says of the job that it waited for, and why a task has failed."""

import re
import time
from datetime import timedelta
from threading import Timer
from typing import Any

import boto3
import pytest
from airflow_tasks import run
from slope_model import processing_request, training_request, transform_request, tuning_request

from silverline import job_logs, jobs
from silverline.operators import JobFailed, ProcessingOperator, TrainingOperator, TransformOperator, TuningOperator

pytestmark = [pytest.mark.usefixtures("airflow_connection"), pytest.mark.long(40)]
WAITING = {"check_interval": 1, "deferrable": True, "execution_timeout": timedelta(minutes=2)}
SPEAKING = "import time; time.sleep(1); print('rows=1; loss=1; I was here')"
BROKEN = "import time; time.sleep(1); raise SystemExit('the data is bad')"
ENDLESS = "import time; time.sleep(60)"
TASKS = {
    "speaking-training": lambda s3, model: TrainingOperator(
        task_id="job", config=training_request(s3, "speaking-training-1", SPEAKING), print_log=False, **WAITING
    ),
    "speaking-processing": lambda s3, model: ProcessingOperator(
        task_id="job", config=processing_request(s3, "speaking-processing-1", SPEAKING), **WAITING
    ),
    "speaking-tuning": lambda s3, model: TuningOperator(
        task_id="job",
        config=tuning_request(s3, "speaking-tuning", SPEAKING) | {"HyperParameterTuningJobName": "speaking-tuning-1"},
        **WAITING,
    ),
    "speaking-transform": lambda s3, model: TransformOperator(
        task_id="job", config=transform_request("speaking-transform-1", model), **WAITING
    ),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_the_log_of_the_job_that_it_waited_for(
    s3: Any, model: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(TASKS[name](s3, model))
    said = capsys.readouterr().out.splitlines()
    folded = said[said.index(f"::group::The log of {name}-1") : said.index("::endgroup::")]
    # A stream, or two where a tuning job has started two jobs; of a transform job, what the model server says.
    streams = [line for line in folded if line.startswith((f"{name}-1/", f"{name}-1-"))]
    expected = {"speaking-tuning": 2, "speaking-transform": 0}.get(name, 1)
    assert sum("I was here" in line for line in folded) == expected
    assert len(streams) >= max(expected, 1) and len(folded) > len(streams) + 1


def test_a_failed_job_fails_its_task_by_sagemakers_reason_below_its_log(
    s3: Any, sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    task = TrainingOperator(task_id="job", config=training_request(s3, "broken-1", BROKEN), print_log=False, **WAITING)
    with pytest.raises(JobFailed) as failure:
        run(task)
    reason = sagemaker.describe_training_job(TrainingJobName="broken-1")["FailureReason"]
    where = "log group /aws/sagemaker/TrainingJobs, streams broken-1/"
    assert str(failure.value) == f"TrainingJob broken-1 is Failed ({where}): {reason}"
    assert "the data is bad" in reason and "the data is bad" in capsys.readouterr().out


def test_a_task_whose_job_somebody_has_stopped_says_so(s3: Any, sagemaker: Any) -> None:
    task = ProcessingOperator(task_id="job", config=processing_request(s3, "stopped-1", ENDLESS), **WAITING)
    late = Timer(3, sagemaker.stop_processing_job, kwargs={"ProcessingJobName": "stopped-1"})
    late.start()
    with pytest.raises(JobFailed, match="ProcessingJob stopped-1 is Stopped .*: SageMaker gives no reason"):
        run(task)


def test_the_end_of_a_long_log_is_there_and_how_much_was_left_out_is_said(s3: Any) -> None:
    run(
        TrainingOperator(
            task_id="job",
            config=training_request(s3, "talkative-1", "for n in range(3000): print(f'rows=1; loss=1; line {n}')"),
            print_log=False,
            **WAITING,
        )
    )
    lines = job_logs.tail(jobs.TRAINING, "talkative-1")
    assert re.match("the 2000 last lines of 3[0-9]{3}: ", lines[0]) and "streams talkative-1/" in lines[0]
    assert lines[1].startswith("talkative-1/algo-1") and len(lines) == 2002
    assert "rows=1; loss=1; line 2999" in lines and "rows=1; loss=1; line 900" not in lines


def test_reading_ends_in_time_and_says_so(s3: Any) -> None:
    logs, now = boto3.client("logs"), int(time.time() * 1000)
    logs.create_log_stream(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName="slow-1/algo-1")
    for start in range(0, 11_000, 5_500):
        events = [{"timestamp": now, "message": f"line {start + n}"} for n in range(5_500)]
        logs.put_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName="slow-1/algo-1", logEvents=events)
    assert any(line.startswith("more than 0 s of reading") for line in job_logs.tail(jobs.TRAINING, "slow-1", 0))


def test_a_log_that_is_not_there_is_said_and_fails_nothing(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    where = "log group /aws/sagemaker/TrainingJobs of CloudWatch, streams silent-1/"
    assert job_logs.tail(jobs.TRAINING, "silent-1") == [f"silent-1 has written no log: nothing is in {where}"]
    monkeypatch.setattr(jobs.Kind, "log_group", "/aws/sagemaker/NoJobs")
    (said,) = job_logs.tail(jobs.TRAINING, "silent-1")
    assert "can't be read" in said and "ResourceNotFoundException" in said
