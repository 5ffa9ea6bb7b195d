"""Batch transform jobs send what S3 holds to their model, and put what it answers into S3."""

import json
from typing import Any

import boto3
import pytest
from sagemaker_requests import BUCKET, IMAGE, ROLE, archive, bucket_client, eventually, log_lines

GROUP = "/aws/sagemaker/TransformJobs"

# Answers how many records it got, or, for CSV, the sum of each row; "fail" and "refuse" are what they say.
INFERENCE = """
    import json, os, time
    from werkzeug.wrappers import Response

    def model_fn(model_dir):
        return None

    def input_fn(body, content_type):
        return body, content_type

    def predict_fn(request, model):
        body, content_type = request
        if "fail" in body:
            raise RuntimeError("the model broke")
        if "refuse" in body:
            return Response("the column x is missing", status=422, mimetype="text/plain")
        if "sleep" in body:
            time.sleep(30)
        if "environment" in body:
            names = ("SAGEMAKER_BATCH", "SAGEMAKER_BATCH_STRATEGY", "COLOUR", "SIZE")
            return json.dumps({name: os.environ.get(name) for name in names})
        if content_type == "text/csv":
            return "".join(f"{sum(map(float, row.split(',')))}\\n" for row in body.splitlines())
        return json.dumps({"got": json.loads(body)})

    def output_fn(answer, accept):
        return answer if isinstance(answer, Response) else (answer, accept)
"""


class Transforms:
    """Creates transform jobs over objects of a few words."""

    def __init__(self) -> None:
        self.s3 = bucket_client()
        self.sagemaker: Any = boto3.client("sagemaker")
        self.logs: Any = boto3.client("logs")

    def model(self, name: str, script: str = INFERENCE, **environment: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"models/{name}.tar.gz", Body=archive({"code/inference.py": script}))
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{BUCKET}/models/{name}.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                **environment,
            },
        }
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)

    def request(self, name: str, objects: dict[str, bytes], content_type: str, **changes: Any) -> dict[str, Any]:
        """A CreateTransformJob request for `objects`, which are put under s3://BUCKET/`name`/in/."""
        for key, body in objects.items():
            self.s3.put_object(Bucket=BUCKET, Key=f"{name}/in/{key}", Body=body)
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
        given = {"DataSource": {"S3DataSource": source}, "ContentType": content_type, "SplitType": "Line"}
        made = {"S3OutputPath": f"s3://{BUCKET}/{name}/out", "Accept": content_type, "AssembleWith": "Line"}
        return {
            "TransformJobName": name,
            "ModelName": "shared",
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
            "TransformInput": given | changes.get("TransformInput", {}),
            "TransformOutput": made | changes.get("TransformOutput", {}),
        }

    def run(self, name: str, objects: dict[str, bytes], content_type: str = "text/csv", **changes: Any) -> Any:
        """DescribeTransformJob's answer once the job has ended."""
        self.sagemaker.create_transform_job(**self.request(name, objects, content_type, **changes))
        return self.ended(name)

    def ended(self, name: str) -> Any:
        return eventually(
            lambda: self.sagemaker.describe_transform_job(TransformJobName=name),
            lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
        )

    def output(self, name: str) -> dict[str, bytes]:
        """The objects that the job called `name` made, by the rest of their keys."""
        prefix = f"{name}/out/"
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            item["Key"].removeprefix(prefix): self.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            for item in found
        }


@pytest.fixture(scope="module")
def transforms(local_aws: Any) -> Transforms:
    made = Transforms()
    made.model("shared", COLOUR="blue", SIZE="small")
    return made


@pytest.fixture(scope="module")
def completed(transforms: Transforms) -> dict[str, Any]:
    """A job over two objects, one of them in a folder, whose input it joins with its output."""
    job: dict[str, Any] = transforms.run(
        "completed",
        {"a.csv": b"id1,1,2\nid2,3,4\n", "month=1/b.csv": b"id3,5,6\n"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        MaxConcurrentTransforms=2,
        Tags=[{"Key": "team", "Value": "data"}],
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    return job


def test_each_object_has_its_output_at_its_place(transforms: Transforms, completed: dict[str, Any]) -> None:
    assert transforms.output("completed") == {
        "a.csv.out": b"id1,3.0\nid2,7.0\n",
        "month=1/b.csv.out": b"id3,11.0\n",
    }


def test_a_completed_job_describes_what_it_did_and_when(completed: dict[str, Any]) -> None:
    assert completed["CreationTime"] <= completed["TransformStartTime"] <= completed["TransformEndTime"]
    assert completed["TransformInput"]["CompressionType"] == "None"
    assert (completed["ModelName"], completed["MaxConcurrentTransforms"]) == ("shared", 2)


def test_the_jobs_log_streams_are_awss(transforms: Transforms, completed: dict[str, Any]) -> None:
    streams = transforms.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="completed/")["logStreams"]
    container, data_log = sorted(stream["logStreamName"] for stream in streams)
    assert container.startswith("completed/i-") and data_log == f"{container}/data-log"
    (line,) = log_lines(transforms.logs, GROUP, data_log)
    assert line.endswith(":[sagemaker logs]: MaxConcurrentTransforms=2, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD")


def test_jobs_are_listed_and_have_their_tags(transforms: Transforms, completed: dict[str, Any]) -> None:
    listed = transforms.sagemaker.list_transform_jobs(NameContains="complete", StatusEquals="Completed")
    (summary,) = listed["TransformJobSummaries"]
    assert (summary["TransformJobArn"], "TransformEndTime" in summary) == (completed["TransformJobArn"], True)
    tags = transforms.sagemaker.list_tags(ResourceArn=completed["TransformJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "data"}]


def test_the_container_knows_that_it_is_in_a_batch_transform_job(transforms: Transforms) -> None:
    job = transforms.run("environment", {"a": b'"environment"'}, "application/json", Environment={"SIZE": "big"})
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert json.loads(transforms.output("environment")["a.out"]) == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": None,
        "COLOUR": "blue",
        "SIZE": "big",
    }


def test_a_refusal_of_the_models_fails_its_object_and_no_other(transforms: Transforms) -> None:
    job = transforms.run("refused", {"a.csv": b"1,2\n", "b.csv": b"1,2\nrefuse\n", "c.csv": b"3,4\n"})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: See job logs for more information. "
        f"{BUCKET}/refused/in/b.csv: ClientError: 422\n\nMessage:\nthe column x is missing"
    )
    assert transforms.output("refused") == {"a.csv.out": b"3.0\n", "c.csv.out": b"7.0\n"}
    lines = log_lines(transforms.logs, GROUP, "refused/")
    assert any(line.endswith(f"{BUCKET}/refused/in/b.csv: the column x is missing") for line in lines)


def test_an_exception_in_the_model_is_in_the_failure_reason(transforms: Transforms) -> None:
    retries = {"InvocationsMaxRetries": 0}
    job = transforms.run("broke", {"a.csv": b"1,2\nfail\n"}, ModelClientConfig=retries, BatchStrategy="SingleRecord")
    assert job["FailureReason"].startswith(
        "AlgorithmError: See job logs for more information. "
        f"{BUCKET}/broke/in/a.csv: Bad HTTP status received from algorithm: 500"
    )
    assert job["FailureReason"].endswith("RuntimeError: the model broke")
    assert transforms.output("broke") == {}
