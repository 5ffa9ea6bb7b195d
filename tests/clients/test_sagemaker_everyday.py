"""Nineteen things that users of SageMaker rely on every day, each by plain boto3.

    .venv/bin/python tests/clients/test_sagemaker_everyday.py

makes the same calls to stock moto, and prints which of them it answers like AWS (moto 5.2.5: none).
"""

import io
import json
import os
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

sys.path.append(str(Path(__file__).parents[1] / "local_aws"))  # where no pytest has done so

from sagemaker_requests import BUCKET, bucket_client, eventually, finished, log_lines, settled  # noqa: E402
from slope_model import (  # noqa: E402
    OUT,
    TRAIN,
    endpoint_config_request,
    model_request,
    processing_request,
    training_request,
    transform_request,
    tuning_request,
)

BROKEN, ENDLESS = "raise SystemExit('the data is bad')", "import time; time.sleep(60)"


class User:
    """Who makes the calls, with one trained model and one endpoint, both made when they are first needed."""

    def __init__(self) -> None:
        self.s3 = bucket_client()
        self.s3.put_object(Bucket=BUCKET, Key="clients/train/rows.csv", Body=b"1,2\n3,4\n")
        self.sagemaker: Any = boto3.client("sagemaker")
        self.runtime: Any = boto3.client("sagemaker-runtime")

    def train(self, name: str, script: str | None = None, **changes: Any) -> dict[str, Any]:
        """DescribeTrainingJob's answer once the job has ended."""
        self.sagemaker.create_training_job(**self.job(name, script, **changes))
        return finished(self.sagemaker, name)

    def job(self, name: str, script: str | None = None, **changes: Any) -> dict[str, Any]:
        """The request for a job that runs `script`, or else trains the model."""
        return training_request(self.s3, name, script or TRAIN, **changes)

    @cached_property
    def trained(self) -> dict[str, Any]:
        return self.train("everyday")

    @cached_property
    def failed(self) -> dict[str, Any]:
        return self.train("everyday-broken", BROKEN)

    @cached_property
    def model(self) -> str:
        artifacts = self.trained["ModelArtifacts"]["S3ModelArtifacts"]
        self.sagemaker.create_model(**model_request("everyday", artifacts))
        return "everyday"

    @cached_property
    def endpoint(self) -> str:
        for name in ("everyday", "everyday-2"):
            self.sagemaker.create_endpoint_config(**endpoint_config_request(name, self.model))
        self.sagemaker.create_endpoint(EndpointName="everyday", EndpointConfigName="everyday")
        settled(self.sagemaker, "everyday")
        return "everyday"

    def ask(self, endpoint: str, body: str = "[1, 2]") -> Any:
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="application/json")
        return json.loads(answer["Body"].read())

    def text(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        """The description of a job of any kind, once it has ended."""
        describe = getattr(self.sagemaker, f"describe_{kind}_job")
        member = "".join(word.title() for word in kind.split("_")) + "Job"
        job = eventually(
            lambda: describe(**{f"{member}Name": name}),
            lambda job: job[f"{member}Status"] not in ("InProgress", "Stopping"),
        )
        assert job[f"{member}Status"] == "Completed", job
        return dict(job)


@pytest.fixture(scope="module")
def user(local_aws: Any) -> User:
    return User()


def refusal(call: Any, **request: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


# Training


def test_a_training_job_runs_its_script(user: User) -> None:
    assert {metric["MetricName"]: metric["Value"] for metric in user.trained["FinalMetricDataList"]}["rows"] == 2


def test_the_model_is_where_the_job_says(user: User) -> None:
    bucket, _, key = user.trained["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    archive = io.BytesIO(user.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=archive) as tar:
        assert "slope.json" in [member.name for member in tar]


def test_what_the_script_prints_is_in_its_log(user: User) -> None:
    assert user.trained["TrainingJobStatus"] == "Completed"
    assert "rows=2;" in log_lines(boto3.client("logs"), "/aws/sagemaker/TrainingJobs", "everyday/")


def test_what_the_script_measures_is_a_metric(user: User) -> None:
    found = boto3.client("cloudwatch").list_metrics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": user.trained["TrainingJobName"]}],
    )
    assert len(found["Metrics"]) == 1


def test_a_script_that_fails_fails_its_job_with_the_reason(user: User) -> None:
    assert user.failed["TrainingJobStatus"] == "Failed"
    reason = user.failed["FailureReason"]
    assert reason.startswith("AlgorithmError") and "the data is bad" in reason


def test_the_waiter_raises_for_a_failed_job(user: User) -> None:
    name = user.failed["TrainingJobName"]
    with pytest.raises(WaiterError, match="terminal failure state"):
        user.sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)


def test_a_job_can_be_stopped(user: User) -> None:
    user.sagemaker.create_training_job(**user.job("everyday-stopped", ENDLESS))
    user.sagemaker.stop_training_job(TrainingJobName="everyday-stopped")
    assert finished(user.sagemaker, "everyday-stopped")["TrainingJobStatus"] == "Stopped"


def test_a_job_ends_at_its_time_limit(user: User) -> None:
    job = user.train("everyday-late", ENDLESS, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


# What is refused when it is asked for


def test_a_name_that_is_taken(user: User) -> None:
    request = user.job(user.trained["TrainingJobName"])
    assert refusal(user.sagemaker.create_training_job, **request) == "ResourceInUse"


def test_an_instance_type_that_does_not_exist(user: User) -> None:
    request = user.job("everyday-odd")
    request["ResourceConfig"]["InstanceType"] = "ml.nonsense.large"
    assert refusal(user.sagemaker.create_training_job, **request) == "ValidationException"


def test_a_role_that_is_no_arn(user: User) -> None:
    request = user.job("everyday-roleless", RoleArn="not-an-arn-of-a-role-at-all")
    assert refusal(user.sagemaker.create_training_job, **request) == "ValidationException"


def test_input_that_is_not_there(user: User) -> None:
    request = user.job("everyday-inputless")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{BUCKET}/nothing"
    assert refusal(user.sagemaker.create_training_job, **request) == "ValidationException"


def test_an_endpoint_that_is_not_there(user: User) -> None:
    request = {"EndpointName": "nobody", "Body": b"[1]", "ContentType": "application/json"}
    assert refusal(user.runtime.invoke_endpoint, **request) == "ValidationError"


# Endpoints


def test_an_endpoint_answers_with_its_model(user: User) -> None:
    assert user.ask(user.endpoint) == [2.0, 4.0]


def test_a_request_that_the_model_cannot_answer_is_a_model_error(user: User) -> None:
    with pytest.raises(ClientError) as refused:
        user.ask(user.endpoint, "no number")
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 500


def test_an_endpoint_is_updated_without_a_failed_request(user: User) -> None:
    user.ask(user.endpoint)
    user.sagemaker.update_endpoint(EndpointName=user.endpoint, EndpointConfigName="everyday-2")
    with ThreadPoolExecutor(1) as background:
        settling = background.submit(settled, user.sagemaker, user.endpoint)
        answers = [user.ask(user.endpoint)]
        while not settling.done():
            answers.append(user.ask(user.endpoint))
            time.sleep(0.02)
    assert settling.result()["EndpointConfigName"] == "everyday-2"
    assert all(answer == [2.0, 4.0] for answer in answers)


# Other jobs


def test_a_processing_jobs_output_is_in_s3(user: User) -> None:
    script = f"open('{OUT}/made.txt', 'w').write('made')"
    user.sagemaker.create_processing_job(**processing_request(user.s3, "everyday", script))
    user.ended("processing", "everyday")
    assert user.text("clients/everyday/made.txt") == "made"


def test_a_transform_job_answers_every_line(user: User) -> None:
    user.sagemaker.create_transform_job(**transform_request("everyday-transform", user.model))
    user.ended("transform", "everyday-transform")
    assert user.text("clients/everyday-transform/rows.csv.out") == "2.0,4.0\n6.0,8.0\n"


def test_a_tuning_job_finds_the_best_of_its_jobs(user: User) -> None:
    user.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(user.s3, "everyday"))
    job = user.ended("hyper_parameter_tuning", "everyday")
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"slope": "3"}


def count_on_stock_moto() -> None:
    """Print which of the tests above stock moto passes."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    user = User()
    tests = {name.removeprefix("test_"): test for name, test in globals().items() if name.startswith("test_")}
    right = 0
    for name, test in tests.items():
        try:
            test(user)
        except (Exception, pytest.fail.Exception) as error:
            print(f"wrong  {name.replace('_', ' ')}: {str(error).splitlines()[0] if str(error) else error!r}")
        else:
            right += 1
            print(f"right  {name.replace('_', ' ')}")
    print(f"stock moto: {right} of {len(tests)}")
    server.stop()


if __name__ == "__main__":
    count_on_stock_moto()
