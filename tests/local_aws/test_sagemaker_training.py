"""Training jobs run, and say what became of them."""

import asyncio
import io
import os
import signal
import tarfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import boto3
import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, channel, eventually, finished, is_running, log_lines, training_job

from local_aws.sagemaker import container, jobs
from local_aws.sagemaker.failures import failure_reason

GROUP = "/aws/sagemaker/TrainingJobs"


def archived(s3: Any, uri: str) -> dict[str, bytes]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content = io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=content) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def completed(s3: Any, sagemaker: Any) -> dict[str, Any]:
    """A job that read two channels, printed metrics, and wrote a model and other output."""
    s3.put_object(Bucket=BUCKET, Key="data/train/a.csv", Body=b"1")
    s3.put_object(Bucket=BUCKET, Key="data/train/month=1/b.csv", Body=b"22")
    s3.put_object(Bucket=BUCKET, Key="data/test/c.csv", Body=b"333")
    script = """
        import argparse, os, pathlib, sys
        import boto3, sklearn
        parser = argparse.ArgumentParser()
        parser.add_argument("--alpha", type=float)
        alpha = parser.parse_args().alpha
        read = sorted((str(path.relative_to("/opt/ml/input/data")), path.read_text())
                      for path in pathlib.Path("/opt/ml/input/data").rglob("*.csv"))
        print("sklearn", sklearn.__version__)
        print("who", boto3.client("sts").get_caller_identity()["Arn"])
        for epoch in (1, 2):
            print(f"auc=0.{epoch};")
        print("loss=nan;")
        print("loss=1.5;", file=sys.stderr)
        pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(f"{alpha} {os.environ['COLOUR']} {read}")
        pathlib.Path("/opt/ml/output/data/plot.txt").write_text("plot")
    """
    request = training_job(
        s3,
        "completed",
        script,
        InputDataConfig=[channel("train", f"s3://{BUCKET}/data/train"), channel("test", f"s3://{BUCKET}/data/test/")],
        Environment={"COLOUR": "blue"},
    )
    request["HyperParameters"]["alpha"] = "2.5"
    request["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "auc", "Regex": r"auc=([0-9\.]+);"},
        {"Name": "loss", "Regex": r"loss=(\S+);"},
    ]
    sagemaker.create_training_job(**request)
    job = finished(sagemaker, "completed")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def test_a_completed_job_went_through_awss_statuses_in_order(completed: dict[str, Any]) -> None:
    transitions = completed["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(t["StartTime"] <= t["EndTime"] for t in transitions)
    assert completed["SecondaryStatus"] == "Completed"


def test_a_completed_job_says_how_long_it_took(completed: dict[str, Any]) -> None:
    assert completed["CreationTime"] <= completed["TrainingStartTime"] <= completed["TrainingEndTime"]
    assert completed["TrainingTimeInSeconds"] == completed["BillableTimeInSeconds"] >= 1


def test_the_model_archive_holds_what_the_script_made_of_its_input(s3: Any, completed: dict[str, Any]) -> None:
    uri = completed["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/models/completed/output/model.tar.gz"
    read = [("test/c.csv", "333"), ("train/a.csv", "1"), ("train/month=1/b.csv", "22")]
    assert archived(s3, uri) == {"model.txt": f"2.5 blue {read}".encode()}


def test_other_output_is_archived_beside_the_model(s3: Any, completed: dict[str, Any]) -> None:
    assert archived(s3, f"s3://{BUCKET}/models/completed/output/output.tar.gz") == {"plot.txt": b"plot"}


def test_output_is_in_cloudwatch_logs(logs: Any, completed: dict[str, Any]) -> None:
    lines = log_lines(logs, GROUP, "completed/algo-1-")
    assert {"sklearn 1.9.0", "auc=0.1;", "loss=1.5;"} <= set(lines)


def test_the_script_acts_as_the_jobs_role(logs: Any, completed: dict[str, Any]) -> None:
    lines = log_lines(logs, GROUP, "completed/algo-1-")
    assert "who arn:aws:sts::123456789012:assumed-role/sagemaker/SageMaker" in lines


def test_the_last_value_of_each_metric_is_in_the_description(completed: dict[str, Any]) -> None:
    final = {metric["MetricName"]: metric["Value"] for metric in completed["FinalMetricDataList"]}
    assert final == pytest.approx({"auc": 0.2, "loss": 1.5})


def test_every_value_of_a_metric_is_in_cloudwatch(completed: dict[str, Any]) -> None:
    statistics = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": "completed"}],
        StartTime=completed["CreationTime"].replace(second=0),
        EndTime=completed["TrainingEndTime"].replace(year=completed["TrainingEndTime"].year + 1),
        Period=86400 * 400,
        Statistics=["SampleCount", "Maximum"],
    )
    assert [(point["SampleCount"], point["Maximum"]) for point in statistics["Datapoints"]] == [(2, 0.2)]


def test_aiobotocore_sees_the_job_as_boto3_does(sagemaker: Any, completed: dict[str, Any]) -> None:
    """It is what Airflow's triggers wait with."""

    async def describe() -> dict[str, Any]:
        async with get_session().create_client("sagemaker") as client:
            described: dict[str, Any] = await client.describe_training_job(TrainingJobName="completed")
            return described

    seen, expected = asyncio.run(describe()), sagemaker.describe_training_job(TrainingJobName="completed")
    for answer in (seen, expected):
        del answer["ResponseMetadata"]
    assert seen == expected
    times = [seen[name] for name in ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime")]
    assert times == sorted(times) and all(isinstance(time, datetime) and time.tzinfo for time in times)


def test_a_name_is_taken_once_and_for_all(s3: Any, sagemaker: Any, completed: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**training_job(s3, "completed", "print(1)"))
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert "Training job names must be unique" in str(refused.value)


def test_of_two_requests_for_one_name_at_once_one_is_refused(s3: Any, sagemaker: Any) -> None:
    request = training_job(s3, "twice", "print(1)")

    def create(_: int) -> str:
        try:
            return str(sagemaker.create_training_job(**request)["TrainingJobArn"])
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(create, range(4)))
    assert answers == ["ResourceInUse"] * 3 + ["arn:aws:sagemaker:us-east-1:123456789012:training-job/twice"]
    assert finished(sagemaker, "twice")["TrainingJobStatus"] == "Completed"


def test_a_finished_job_cannot_be_stopped(sagemaker: Any, completed: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="is in status Completed"):
        sagemaker.stop_training_job(TrainingJobName="completed")


def test_the_job_is_listed(sagemaker: Any, completed: dict[str, Any]) -> None:
    listed = sagemaker.list_training_jobs(NameContains="completed")["TrainingJobSummaries"]
    assert [(job["TrainingJobName"], job["TrainingJobStatus"]) for job in listed] == [("completed", "Completed")]


def test_the_reason_of_a_failure_is_what_the_script_said_last(s3: Any, sagemaker: Any) -> None:
    script = """
        import sys
        print("the script's first line", file=sys.stderr)
        raise ValueError("column 'dep_delay' is missing")
    """
    sagemaker.create_training_job(**training_job(s3, "raises", script))
    job = finished(sagemaker, "raises")
    reason = job["FailureReason"]
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert reason.startswith(
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"the script's first line\nTraceback "
    )
    assert "ValueError: column 'dep_delay' is missing\"\nCommand " in reason
    assert reason.endswith(", exit code: 1")
    assert len(reason) <= 1024


def test_a_script_killed_from_outside_fails_naming_the_signal(s3: Any, sagemaker: Any, logs: Any) -> None:
    script = "import os, time; print('pid', os.getpid()); time.sleep(60)"
    sagemaker.create_training_job(**training_job(s3, "killed", script))
    os.kill(_pid_in_log(logs, "killed"), signal.SIGKILL)
    job = finished(sagemaker, "killed")
    assert job["TrainingJobStatus"] == "Failed"
    assert "killed by signal 9, SIGKILL" in job["FailureReason"]


def test_the_whole_job_killed_from_outside_fails_naming_the_signal(s3: Any, sagemaker: Any, logs: Any) -> None:
    script = "import os, time; print('pid', os.getpid()); time.sleep(60)"
    sagemaker.create_training_job(**training_job(s3, "group-killed", script))
    os.killpg(os.getpgid(_pid_in_log(logs, "group-killed")), signal.SIGKILL)
    job = finished(sagemaker, "group-killed")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("exit code: 137 (the process was killed by signal 9, SIGKILL)")


def test_a_stopped_job_may_save_its_model_first(s3: Any, sagemaker: Any, logs: Any) -> None:
    script = """
        import os, pathlib, signal, sys, time
        def save(*_):
            time.sleep(0.5)
            pathlib.Path("/opt/ml/model/model.txt").write_text("half trained")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("pid", os.getpid())
        time.sleep(60)
    """
    sagemaker.create_training_job(**training_job(s3, "stopped", script))
    _pid_in_log(logs, "stopped")
    sagemaker.stop_training_job(TrainingJobName="stopped")
    assert sagemaker.describe_training_job(TrainingJobName="stopped")["TrainingJobStatus"] == "Stopping"
    job = finished(sagemaker, "stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert archived(s3, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"half trained"}


def test_a_job_that_ignores_sigterm_is_killed(
    s3: Any, sagemaker: Any, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STOP_GRACE_SECONDS", 0.3)
    script = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("pid", os.getpid())
        time.sleep(60)
    """
    sagemaker.create_training_job(**training_job(s3, "stubborn", script))
    pid = _pid_in_log(logs, "stubborn")
    sagemaker.stop_training_job(TrainingJobName="stubborn")
    assert finished(sagemaker, "stubborn")["TrainingJobStatus"] == "Stopped"
    assert not is_running(pid)


def test_a_job_that_runs_too_long_is_stopped(s3: Any, sagemaker: Any) -> None:
    limit = {"MaxRuntimeInSeconds": 1}
    sagemaker.create_training_job(**training_job(s3, "endless", "while True: pass", StoppingCondition=limit))
    job = finished(sagemaker, "endless")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_waits_where_the_machine_is_full(s3: Any, sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.slots, "_value", 0)
    sagemaker.create_training_job(**training_job(s3, "waits", "print(1)"))
    sagemaker.create_training_job(**training_job(s3, "gives-up", "print(1)"))
    assert sagemaker.describe_training_job(TrainingJobName="waits")["SecondaryStatus"] == "Starting"
    sagemaker.stop_training_job(TrainingJobName="gives-up")
    assert finished(sagemaker, "gives-up")["TrainingJobStatus"] == "Stopped"
    monkeypatch.undo()
    assert finished(sagemaker, "waits")["TrainingJobStatus"] == "Completed"


def test_an_isolated_job_has_no_network(s3: Any, sagemaker: Any, local_aws: Any) -> None:
    script = b"import os, urllib.request; urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'])"
    s3.put_object(Bucket=BUCKET, Key="code/isolated/train.py", Body=script)
    request = training_job(s3, "isolated", "", EnableNetworkIsolation=True)
    request["InputDataConfig"] = [channel("code", f"s3://{BUCKET}/code/isolated/train.py")]
    request["HyperParameters"]["sagemaker_submit_directory"] = "/opt/ml/input/data/code"
    sagemaker.create_training_job(**request)
    assert "Network is unreachable" in finished(sagemaker, "isolated")["FailureReason"]


def isolated_job(s3: Any, name: str, script: str, directory: str) -> dict[str, Any]:
    """A training job without a network, whose code's archive is the channel `code`."""
    request = training_job(s3, name, script, EnableNetworkIsolation=True)
    request["InputDataConfig"] = [channel("code", request["HyperParameters"]["sagemaker_submit_directory"])]
    request["HyperParameters"]["sagemaker_submit_directory"] = directory
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss=(.*);"}]
    return request


def test_an_isolated_jobs_code_and_data_come_and_go_by_its_channels_and_outputs(
    s3: Any, sagemaker: Any, logs: Any
) -> None:
    script = """
        import os, pathlib
        assert "AWS_SECRET_ACCESS_KEY" not in os.environ
        pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("made")
        print("loss=0.5;")
    """
    request = isolated_job(s3, "by-channel", script, "/opt/ml/input/data/code/sourcedir.tar.gz")
    sagemaker.create_training_job(**request)
    job = finished(sagemaker, "by-channel")
    assert archived(s3, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"made"}
    assert [metric["Value"] for metric in job["FinalMetricDataList"]] == [0.5]
    assert "loss=0.5;" in log_lines(logs, GROUP, "by-channel/")


def test_an_isolated_jobs_toolkit_cannot_fetch_the_code_from_s3(s3: Any, sagemaker: Any) -> None:
    uri = f"s3://{BUCKET}/code/unreachable/sourcedir.tar.gz"
    sagemaker.create_training_job(**isolated_job(s3, "unreachable", "print(1)", uri))
    assert "Unable to locate credentials" in finished(sagemaker, "unreachable")["FailureReason"]


def test_where_the_os_has_no_namespaces_the_job_finds_its_folders_by_variable(
    s3: Any, sagemaker: Any, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "has_opt_ml", lambda: False)
    script = """
        import os, pathlib
        assert not os.environ["SM_MODEL_DIR"].startswith("/opt/ml")
        pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("made")
    """
    sagemaker.create_training_job(
        **isolated_job(s3, "no-namespace", script, "/opt/ml/input/data/code/sourcedir.tar.gz")
    )
    job = finished(sagemaker, "no-namespace")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert archived(s3, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"made"}
    first, second, *_ = log_lines(logs, GROUP, "no-namespace/")
    assert first.startswith("This OS has no mount namespaces: /opt/ml is at ")
    assert second == "Nor has it network namespaces: this container is isolated by having no credentials."


def test_what_changes_nothing_on_one_machine_is_accepted_and_described(s3: Any, sagemaker: Any) -> None:
    script = """
        import json, pathlib
        channels = json.loads(pathlib.Path("/opt/ml/input/config/inputdataconfig.json").read_text())
        assert channels["train"]["S3DistributionType"] == "ShardedByS3Key", channels
    """
    s3.put_object(Bucket=BUCKET, Key="sharded/one.csv", Body=b"1")
    sharded = channel("train", f"s3://{BUCKET}/sharded/")
    sharded["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    settings = {
        "InputDataConfig": [sharded],
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableInterContainerTrafficEncryption": True,
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        "DebugHookConfig": {"S3OutputPath": f"s3://{BUCKET}/debug"},
        "ProfilerConfig": {"DisableProfiler": True},
    }
    sagemaker.create_training_job(**training_job(s3, "accepted", script, **settings))
    job = finished(sagemaker, "accepted")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert {name: job[name] for name in settings} == settings


def test_a_source_archive_that_is_missing_fails_the_job(s3: Any, sagemaker: Any) -> None:
    request = training_job(s3, "no-source", "")
    request["HyperParameters"]["sagemaker_submit_directory"] = f"s3://{BUCKET}/nowhere.tar.gz"
    sagemaker.create_training_job(**request)
    assert "404" in finished(sagemaker, "no-source")["FailureReason"]


def test_a_killed_process_that_said_nothing_still_has_a_reason() -> None:
    reason = failure_reason(-9, "", "last words")
    assert reason.startswith("AlgorithmError: ") and "last words" in reason
    assert reason.endswith("exit code: 137 (the process was killed by signal 9, SIGKILL)")


@pytest.mark.parametrize("text", ["", 'ExitCode 1\nErrorMessage ""\nCommand "' + "c" * 3000, "w" * 3000])
def test_no_reason_is_longer_than_awss_limit(text: str) -> None:
    assert len(failure_reason(1, text, "e" * 3000 + "\nthe end")) <= 1024


def _pid_in_log(logs: Any, job: str) -> int:
    def printed() -> list[str]:
        try:
            lines = log_lines(logs, GROUP, f"{job}/")
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [line for line in lines if line.startswith("pid ")]

    return int(eventually(printed, bool)[0].split()[1])
