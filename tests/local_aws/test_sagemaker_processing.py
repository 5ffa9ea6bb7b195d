"""Processing jobs run any program on what S3 holds, and say what became of it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, IMAGE, ROLE, eventually, log_lines, objects

from local_aws.sagemaker import jobs, limits

GROUP = "/aws/sagemaker/ProcessingJobs"
CODE = "/opt/ml/processing/input/code"


def given(name: str, uri: str, path: str, **changes: Any) -> dict[str, Any]:
    """A ProcessingInputs entry."""
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", **changes}}


def made(name: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    """An Outputs entry; it goes to the tests' bucket under processed/`name`."""
    place = {"S3Uri": f"s3://{BUCKET}/processed/{name}", "LocalPath": path, "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": place}


def processing_job(s3: Any, name: str, script: str, *outputs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A CreateProcessingJob request that runs `script` (Python, or Bash where it begins with #!) from S3."""
    file, program = ("x.sh", "/bin/bash") if script.startswith("#!") else ("x.py", "python3")
    s3.put_object(Bucket=BUCKET, Key=f"code/{name}/{file}", Body=script.encode())
    inputs = [given("code", f"s3://{BUCKET}/code/{name}/{file}", CODE), *changes.pop("ProcessingInputs", [])]
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": [program, f"{CODE}/{file}"]},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": list(outputs)},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def finished(sagemaker: Any, name: str) -> dict[str, Any]:
    return eventually(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )


def run(sagemaker: Any, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeProcessingJob's answer once the requested job has ended."""
    sagemaker.create_processing_job(**request)
    return finished(sagemaker, request["ProcessingJobName"])


@pytest.fixture(scope="module")
def completed(s3: Any, sagemaker: Any) -> dict[str, Any]:
    """A job that read a prefix and a manifest, and wrote two outputs and a message."""
    s3.put_object(Bucket=BUCKET, Key="raw/2013/a.csv", Body=b"1")
    s3.put_object(Bucket=BUCKET, Key="raw/2013/deep/b.csv", Body=b"2")
    s3.put_object(Bucket=BUCKET, Key="raw/manifest", Body=json.dumps([{"prefix": f"s3://{BUCKET}/raw/"}, "2013/a.csv"]))
    script = """
import json, os, pathlib, sys
import boto3, sklearn
here = pathlib.Path("/opt/ml/processing")
read = {str(path.relative_to(here)): path.read_text() for path in sorted(here.rglob("*.csv"))}
(here / "out/read.json").write_text(json.dumps(read))
(here / "out/deep").mkdir()
(here / "out/deep/arguments.json").write_text(json.dumps([*sys.argv[1:], os.environ["COLOUR"]]))
for name in ("processingjobconfig", "resourceconfig"):
    (here / f"config/{name}.json").write_text(pathlib.Path(f"/opt/ml/config/{name}.json").read_text())
pathlib.Path("/opt/ml/output/message").write_text("2 files, and fine")
print("sklearn", sklearn.__version__)
print("who", boto3.client("sts").get_caller_identity()["Arn"])
"""
    request = processing_job(
        s3,
        "processed",
        script,
        made("out", "/opt/ml/processing/out"),
        made("config", "/opt/ml/processing/config"),
        ProcessingInputs=[
            given("raw", f"s3://{BUCKET}/raw/2013", "/opt/ml/processing/raw"),
            given("listed", f"s3://{BUCKET}/raw/manifest", "/opt/ml/processing/listed", S3DataType="ManifestFile"),
        ],
        Environment={"COLOUR": "blue"},
        Tags=[{"Key": "team", "Value": "flights"}],
    )
    request["AppSpecification"]["ContainerArguments"] = ["--ratio", "0.2"]
    job = run(sagemaker, request)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def test_inputs_are_where_the_request_says(s3: Any, completed: dict[str, Any]) -> None:
    read = json.loads(objects(s3, "processed/out/")["read.json"])
    assert read == {"listed/2013/a.csv": "1", "raw/a.csv": "1", "raw/deep/b.csv": "2"}


def test_the_program_gets_its_arguments_and_variables(s3: Any, completed: dict[str, Any]) -> None:
    assert json.loads(objects(s3, "processed/out/")["deep/arguments.json"]) == ["--ratio", "0.2", "blue"]


def test_the_program_finds_what_its_job_is(s3: Any, completed: dict[str, Any]) -> None:
    found = {name: json.loads(text) for name, text in objects(s3, "processed/config/").items()}
    job, resources = found["processingjobconfig.json"], found["resourceconfig.json"]
    assert job["ProcessingJobArn"] == completed["ProcessingJobArn"]
    assert job["ProcessingInputs"][0]["S3Input"]["S3InputMode"] == "File"
    assert job["ProcessingOutputConfig"]["Outputs"] == completed["ProcessingOutputConfig"]["Outputs"]
    assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"])


def test_output_and_the_roles_name_are_in_cloudwatch_logs(logs: Any, completed: dict[str, Any]) -> None:
    lines = log_lines(logs, GROUP, "processed/algo-1-")
    assert lines == ["sklearn 1.9.0", "who arn:aws:sts::123456789012:assumed-role/sagemaker/SageMaker"]


def test_a_completed_job_describes_itself(sagemaker: Any, completed: dict[str, Any]) -> None:
    assert completed["ExitMessage"] == "2 files, and fine"
    assert completed["CreationTime"] <= completed["ProcessingStartTime"] <= completed["ProcessingEndTime"]
    assert completed["AppSpecification"]["ContainerArguments"] == ["--ratio", "0.2"]
    tags = sagemaker.list_tags(ResourceArn=completed["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "flights"}]


def test_jobs_are_listed_by_status_and_in_pages(s3: Any, sagemaker: Any, completed: dict[str, Any]) -> None:
    run(sagemaker, processing_job(s3, "processed-badly", "raise SystemExit(3)"))
    pages = sagemaker.get_paginator("list_processing_jobs").paginate(NameContains="processed", MaxResults=1)
    names = [[job["ProcessingJobName"] for job in page["ProcessingJobSummaries"]] for page in pages]
    assert names == [["processed"], ["processed-badly"]]
    failed = sagemaker.list_processing_jobs(NameContains="processed", StatusEquals="Failed")["ProcessingJobSummaries"]
    assert [(job["ProcessingJobName"], job["FailureReason"]) for job in failed] == [
        ("processed-badly", "AlgorithmError: See job logs for more information, exit code: 3")
    ]


def test_the_reason_of_a_failure_holds_the_exit_code_and_what_the_program_said_last(s3: Any, sagemaker: Any) -> None:
    script = "#!/bin/bash\nset -e\necho working\necho 'no such month' >&2\nexit 7\n"
    job = run(sagemaker, processing_job(s3, "says-why", script, made("never", "/opt/ml/processing/never")))
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == (
        "Failed",
        "AlgorithmError: See job logs for more information: no such month, exit code: 7",
    )


def test_keys_with_signs_that_end_a_path_elsewhere_are_read_and_written_whole(s3: Any, sagemaker: Any) -> None:
    names = ["a#1.csv", "a#2.csv", "a?v=1.csv"]
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=f"signs/{name}", Body=name.encode())
    script = "#!/bin/bash\ncp /opt/ml/processing/in/* /opt/ml/processing/out/"
    raw = given("raw", f"s3://{BUCKET}/signs/", "/opt/ml/processing/in")
    output = made("signs", "/opt/ml/processing/out")
    job = run(sagemaker, processing_job(s3, "signs", script, output, ProcessingInputs=[raw]))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    written = [s3.get_object(Bucket=BUCKET, Key=f"processed/signs/{name}")["Body"].read().decode() for name in names]
    assert written == names


def test_a_program_that_does_not_exist_fails_the_job(s3: Any, sagemaker: Any) -> None:
    request = processing_job(s3, "no-program", "")
    request["AppSpecification"]["ContainerEntrypoint"] = ["spark-submit"]
    reason = run(sagemaker, request)["FailureReason"]
    assert "spark-submit: not found" in reason and reason.endswith("exit code: 127")


def test_an_argument_that_no_process_can_have_fails_the_job(s3: Any, sagemaker: Any) -> None:
    request = processing_job(s3, "nul", "")
    request["AppSpecification"]["ContainerArguments"] = ["\0"]
    reason = run(sagemaker, request)["FailureReason"]
    assert reason == "ClientError: The container could not be started: embedded null byte"


def test_input_that_is_not_in_s3_fails_the_job_as_the_clients_error(s3: Any, sagemaker: Any) -> None:
    uri = f"s3://{BUCKET}/nothing/here/"
    request = processing_job(s3, "no-input", "", ProcessingInputs=[given("data", uri, "/opt/ml/processing/data")])
    assert run(sagemaker, request)["FailureReason"] == (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source'
    )


def test_continuous_output_is_in_s3_while_the_job_runs(s3: Any, sagemaker: Any) -> None:
    script = """
import pathlib, time
pathlib.Path("/opt/ml/processing/out/first.txt").write_text("1")
time.sleep(60)
"""
    sagemaker.create_processing_job(
        **processing_job(s3, "streams", script, made("live", "/opt/ml/processing/out", "Continuous"))
    )
    eventually(lambda: objects(s3, "processed/live/"), lambda found: found.get("first.txt") == "1")
    assert sagemaker.describe_processing_job(ProcessingJobName="streams")["ProcessingJobStatus"] == "InProgress"
    sagemaker.stop_processing_job(ProcessingJobName="streams")
    assert finished(sagemaker, "streams")["ProcessingJobStatus"] == "Stopped"


def test_a_job_that_runs_too_long_is_stopped_and_says_so(s3: Any, sagemaker: Any) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    job = run(sagemaker, processing_job(s3, "endless-processing", "while True: pass", StoppingCondition=limit))
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["FailureReason"] == "Processing job runtime exceeded MaxRuntimeInSeconds provided"


def test_an_isolated_job_has_neither_network_nor_credentials(s3: Any, sagemaker: Any) -> None:
    script = """
import os, urllib.request
assert "AWS_SECRET_ACCESS_KEY" not in os.environ
urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"])
"""
    isolated = {"EnableNetworkIsolation": True}
    job = run(sagemaker, processing_job(s3, "isolated-processing", script, NetworkConfig=isolated))
    assert "Network is unreachable" in job["FailureReason"]


def test_what_the_program_manages_itself_is_left_to_it(s3: Any, sagemaker: Any) -> None:
    own = made("own", "/opt/ml/processing/own") | {"AppManaged": True}
    request = processing_job(s3, "app-managed", "print(1)", own)
    request["ProcessingInputs"].append(
        given("stream", f"s3://{BUCKET}/nothing/yet", "/opt/ml/processing/stream") | {"AppManaged": True}
    )
    assert run(sagemaker, request)["ProcessingJobStatus"] == "Completed"
    assert objects(s3, "processed/own") == {}


def test_processing_waits_where_training_fills_the_machine(
    s3: Any, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.slots, "_value", 0)
    sagemaker.create_processing_job(**processing_job(s3, "waits-too", "print(1)"))
    described = sagemaker.describe_processing_job(ProcessingJobName="waits-too")
    assert described["ProcessingJobStatus"] == "InProgress" and "ProcessingStartTime" not in described
    monkeypatch.undo()
    assert finished(sagemaker, "waits-too")["ProcessingJobStatus"] == "Completed"


def refusal(operation: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        operation(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_that_does_not_exist_is_unknown(sagemaker: Any) -> None:
    for operation in (sagemaker.describe_processing_job, sagemaker.stop_processing_job):
        assert refusal(operation, ProcessingJobName="nowhere") == (
            "ValidationException",
            "Could not find requested job with name: nowhere",
        )


def test_a_name_is_taken_once_and_for_all(s3: Any, sagemaker: Any, completed: dict[str, Any]) -> None:
    assert refusal(sagemaker.create_processing_job, **processing_job(s3, "processed", "")) == (
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        f"({completed['ProcessingJobArn']})",
    )


ATHENA = {"Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/k", "OutputFormat": "PARQUET"}
REDSHIFT_LIKE = {"InputName": "data", "DatasetDefinition": {"AthenaDatasetDefinition": ATHENA}}
TWO = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"ProcessingInputs": [given("data", "s3://b/k", "/opt/ml/processing/data", S3InputMode="Pipe")]},
            "NotImplementedException",
            "input data: S3InputMode Pipe (use File)",
        ),
        ({"ProcessingInputs": [REDSHIFT_LIKE]}, "NotImplementedException", "input data: DatasetDefinition"),
        ({"ProcessingResources": {"ClusterConfig": TWO}}, "NotImplementedException", "more than one instance"),
        ({"ExperimentConfig": {"TrialName": "t"}}, "NotImplementedException", "ExperimentConfig.TrialName"),
        (
            {"ProcessingInputs": [given("data", "s3://b/k", "/opt/ml/input/data")]},
            "ValidationException",
            "LocalPath of data has to be a path below /opt/ml/processing, got '/opt/ml/input/data'.",
        ),
        (
            {"ProcessingInputs": [given("data", "s3://b/k", "/opt/ml/processing/../../../etc")]},
            "ValidationException",
            "LocalPath of data has to be a path below /opt/ml/processing",
        ),
        (
            {"ProcessingInputs": [given("data", "s3://b/k", CODE)]},
            "ValidationException",
            "LocalPath of data has to be another than other inputs' and outputs'",
        ),
        (
            {"ProcessingInputs": [given("data", "s3://b/k", "/opt/ml/processing/data", S3CompressionType="Gzip")]},
            "ValidationException",
            "Invalid compression type for data: File mode only supports NONE, got Gzip instead",
        ),
        ({"AppSpecification": {"ImageUri": IMAGE}}, "ValidationException", "ContainerEntrypoint is missing"),
        ({"AppSpecification": {"ImageUri": "spark:3.5"}}, "ValidationException", "ContainerEntrypoint is missing"),
        (
            {"AppSpecification": {"ImageUri": "spark:3.5", "ContainerEntrypoint": ["smspark-submit"]}},
            "ValidationException",
            "The image spark:3.5 is not available in local AWS",
        ),
    ],
)
def test_what_aws_or_one_machine_does_not_take_is_refused(
    s3: Any, sagemaker: Any, changes: dict[str, Any], code: str, message: str
) -> None:
    answer = refusal(sagemaker.create_processing_job, **processing_job(s3, "refused", "", **changes))
    assert answer[0] == code and message in answer[1]


def test_an_output_bucket_that_does_not_exist_is_refused(s3: Any, sagemaker: Any) -> None:
    out = made("out", "/opt/ml/processing/out")
    out["S3Output"]["S3Uri"] = "s3://no-such-bucket-anywhere/out"
    assert refusal(sagemaker.create_processing_job, **processing_job(s3, "refused", "", out)) == (
        "ValidationException",
        'Invalid S3Uri "s3://no-such-bucket-anywhere/out": the S3 bucket does not exist.',
    )


def test_where_the_os_has_no_namespaces_the_job_is_refused(
    s3: Any, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "has_opt_ml", lambda: False)
    code, message = refusal(sagemaker.create_processing_job, **processing_job(s3, "refused", ""))
    assert code == "NotImplementedException" and "paths below /opt/ml on an OS without mount namespaces" in message
