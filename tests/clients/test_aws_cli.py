"""The AWS CLI's everyday commands for SageMaker and Athena, end to end: what they print, and how they end."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from sagemaker_requests import BUCKET, eventually, finished, settled
from slope_model import (
    OUT,
    endpoint_config_request,
    processing_request,
    training_request,
    transform_request,
    tuning_request,
)

CLI = Path(__file__).parents[2] / ".envs" / "aws-cli" / "bin" / "aws"
ENDED = ("Completed", "Failed", "Stopped")


def aws(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The CLI's answer to `command`, words as they are, and `arguments`, each as it is."""
    return subprocess.run(
        [str(CLI), *command.split(), *arguments],
        env={**os.environ, "AWS_PAGER": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )


def done(command: str, *arguments: str) -> str:
    """What a command that succeeds prints."""
    answer = aws(command, *arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def ended(sagemaker: Any, kind: str, name: str) -> None:
    """Wait for a job's end; the CLI's own waiters look once a minute."""
    describe = getattr(sagemaker, f"describe_{kind}_job")
    member = "".join(word.title() for word in kind.split("_")) + "Job"
    eventually(lambda: describe(**{f"{member}Name": name})[f"{member}Status"], lambda status: status in ENDED)


@pytest.fixture(scope="module")
def started(s3: Any, model: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A job of every kind and an endpoint, all started by the CLI, and what it printed."""
    folder = tmp_path_factory.mktemp("cli")
    script = f"open('{OUT}/made.txt', 'w').write('made')"
    requests = {
        "create-training-job": training_request(s3, "cli-train"),
        "create-processing-job": processing_request(s3, "cli-process", script),
        "create-transform-job": transform_request("cli-transform", model),
        "create-hyper-parameter-tuning-job": tuning_request(s3, "cli-tune"),
        "create-endpoint-config": endpoint_config_request("cli", model),
    }
    printed = {}
    for command, request in requests.items():
        (folder / command).write_text(json.dumps(request))
        printed[command] = done(f"sagemaker {command} --output text --cli-input-json", f"file://{folder / command}")
    create = (
        "sagemaker create-endpoint --endpoint-name cli --endpoint-config-name cli --query EndpointArn --output text"
    )
    return {**printed, "create-endpoint": done(create)}


def test_a_creation_prints_the_arn(started: dict[str, str]) -> None:
    prefix = "arn:aws:sagemaker:us-east-1:123456789012"
    assert started == {
        "create-training-job": f"{prefix}:training-job/cli-train",
        "create-processing-job": f"{prefix}:processing-job/cli-process",
        "create-transform-job": f"{prefix}:transform-job/cli-transform",
        "create-hyper-parameter-tuning-job": f"{prefix}:hyper-parameter-tuning-job/cli-tune",
        "create-endpoint-config": f"{prefix}:endpoint-config/cli",
        "create-endpoint": f"{prefix}:endpoint/cli",
    }


@pytest.mark.parametrize("kind", ["training", "processing", "transform"])
def test_a_waiter_returns_once_the_job_has_completed(started: Any, sagemaker: Any, kind: str) -> None:
    name = {"training": "cli-train", "processing": "cli-process", "transform": "cli-transform"}[kind]
    ended(sagemaker, kind, name)
    done(f"sagemaker wait {kind}-job-completed-or-stopped --{kind}-job-name {name}")


def test_lists_are_filtered_and_queried(started: Any, sagemaker: Any) -> None:
    ended(sagemaker, "training", "cli-train")
    listed = done(
        "sagemaker list-training-jobs --name-contains cli-train --status-equals Completed --output text",
        "--query=TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus]",
    )
    assert listed.split("\t") == ["cli-train", "Completed"]


def test_a_jobs_output_is_copied_from_s3_and_its_log_read(started: Any, sagemaker: Any, tmp_path: Path) -> None:
    for kind, name in (("processing", "cli-process"), ("transform", "cli-transform"), ("training", "cli-train")):
        ended(sagemaker, kind, name)
    for name in ("cli-process", "cli-transform"):
        done(f"s3 cp --recursive --only-show-errors s3://{BUCKET}/clients/{name} {tmp_path}")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "made.txt": "made",
        "rows.csv.out": "2.0,4.0\n6.0,8.0\n",
    }
    log = "logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix cli-train/"
    assert done(f"{log} --filter-pattern rows --query events[].message --output text") == "rows=2;"


def test_a_tuning_jobs_training_jobs_are_listed_by_their_metric(started: Any, sagemaker: Any) -> None:
    ended_job = eventually(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="cli-tune"),
        lambda job: job["HyperParameterTuningJobStatus"] in ENDED,
    )
    assert ended_job["HyperParameterTuningJobStatus"] == "Completed"
    listed = done(
        "sagemaker list-training-jobs-for-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name cli-tune"
        " --sort-by FinalObjectiveMetricValue --sort-order Ascending --output text",
        "--query=TrainingJobSummaries[].TunedHyperParameters.slope",
    )
    assert listed.split()[0] == "3"


def test_an_endpoint_is_waited_for_invoked_and_deleted(started: Any, sagemaker: Any, tmp_path: Path) -> None:
    settled(sagemaker, "cli")
    done("sagemaker wait endpoint-in-service --endpoint-name cli")
    answer = tmp_path / "answer"
    invoke = f"sagemaker-runtime invoke-endpoint --endpoint-name cli --content-type text/csv --accept text/csv {answer}"
    assert json.loads(done(invoke, "--body=1,2\n"))["InvokedProductionVariant"] == "only"
    assert answer.read_text() == "2.0,4.0\n"
    refused = aws(invoke, "--body=one,two\n")
    assert "(ModelError) when calling the InvokeEndpoint operation: Received server error (500)" in refused.stderr
    done("sagemaker delete-endpoint --endpoint-name cli")
    done("sagemaker wait endpoint-deleted --endpoint-name cli")


def test_a_query_is_started_and_its_rows_read(s3: Any) -> None:
    place = f"OutputLocation=s3://{BUCKET}/cli/"
    start = f"athena start-query-execution --result-configuration {place} --query QueryExecutionId --output text"
    query = done(
        start, "--query-string=select carrier, delay + 1 as next from (values ('AA', 2)) as t (carrier, delay)"
    )
    eventually(
        lambda: boto3.client("athena").get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"],
        lambda state: state == "SUCCEEDED",
    )
    rows = done(
        f"athena get-query-results --query-execution-id {query} --output text",
        "--query=ResultSet.Rows[].Data[].VarCharValue",
    )
    assert rows.split("\t") == ["carrier", "next", "AA", "3"]


@pytest.fixture(scope="module")
def failed(s3: Any, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training_request(s3, "cli-broken", "raise SystemExit('the data is bad')"))
    assert finished(sagemaker, "cli-broken")["TrainingJobStatus"] == "Failed"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "wait training-job-completed-or-stopped --training-job-name cli-broken",
            'Waiter encountered a terminal failure state: For expression "TrainingJobStatus" we matched expected path: '
            '"Failed"',
        ),
        (
            "describe-training-job --training-job-name nobody",
            "An error occurred (ValidationException) when calling the DescribeTrainingJob operation: "
            "Requested resource not found.",
        ),
        (
            "stop-training-job --training-job-name cli-broken",
            "(ValidationException) when calling the StopTrainingJob operation: The request was rejected because the "
            "training job is in status Failed.",
        ),
        (
            "create-endpoint --endpoint-name nobody --endpoint-config-name nobody",
            "(ValidationException) when calling the CreateEndpoint operation: Could not find endpoint configuration",
        ),
        (
            "start-pipeline-execution --pipeline-name nobody",
            "(NotImplementedException) when calling the StartPipelineExecution operation: StartPipelineExecution is "
            "not implemented by local AWS",
        ),
    ],
)
def test_what_cannot_be_done_ends_with_a_code_and_a_reason(failed: None, command: str, said: str) -> None:
    answer = aws(f"sagemaker {command}")
    assert (answer.returncode, answer.stdout) == (255, "")
    assert said in answer.stderr


def test_a_failure_reason_can_be_asked_for_alone(failed: None) -> None:
    reason = "sagemaker describe-training-job --training-job-name cli-broken --query FailureReason --output text"
    printed = done(reason)
    assert printed.startswith("AlgorithmError: ") and "the data is bad" in printed
