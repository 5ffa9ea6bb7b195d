"""Batch transform jobs send what S3 holds to their model, and put what it answers into S3."""

import gzip
import json
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker_requests import BUCKET, IMAGE, ROLE, archive, bucket_client, eventually, log_lines

from local_aws.sagemaker.transformation import in_order

GROUP = "/aws/sagemaker/TransformJobs"

# Answers how many records it got, or, for CSV, the sum of each row; "fail" and "refuse" are what they say.
INFERENCE = """
    import json, os, pathlib, time
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
            print("sleeping", flush=True)
            time.sleep(30)
        marker = pathlib.Path(os.environ["TMPDIR"], "crashed")
        if "crash" in body and not marker.exists():
            marker.touch()
            os._exit(1)
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
            "ModelName": "transform-jobs",
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
            seconds=120,
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
    made.model("transform-jobs", COLOUR="blue", SIZE="small")
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
    assert (completed["ModelName"], completed["MaxConcurrentTransforms"]) == ("transform-jobs", 2)


def test_the_jobs_log_streams_are_awss(transforms: Transforms, completed: dict[str, Any]) -> None:
    streams = transforms.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="completed/")["logStreams"]
    container, data_log = sorted(stream["logStreamName"] for stream in streams)
    assert container.startswith("completed/i-") and data_log == f"{container}/data-log"
    (line,) = log_lines(transforms.logs, GROUP, data_log)
    assert line.endswith(":[sagemaker logs]: MaxConcurrentTransforms=2, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD")


def test_what_the_container_uses_of_the_machine_is_in_cloudwatch(
    transforms: Transforms, completed: dict[str, Any]
) -> None:
    metrics = boto3.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TransformJobs")["Metrics"]
    hosts = [(metric["MetricName"], metric["Dimensions"][0]["Value"]) for metric in metrics]
    names = sorted(name for name, host in hosts if host.startswith("completed/i-"))
    assert names == ["CPUUtilization", "MemoryUtilization"]


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


def test_records_go_one_by_one_and_come_back_beside_their_input(transforms: Transforms) -> None:
    transforms.s3.put_object(Bucket=BUCKET, Key="data/one.jsonl", Body=b'{"id":1}\n{"id":2}\n')
    job = transforms.run(
        "one-by-one",
        {},
        "application/json",
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=2,
        TransformInput={"DataSource": _source("S3Prefix", f"s3://{BUCKET}/data/one")},
        TransformOutput={"KmsKeyId": "alias/aws/s3"},
        DataProcessing={"InputFilter": "$.id", "JoinSource": "Input"},
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    (output,) = transforms.output("one-by-one").items()
    assert output == (
        "one.jsonl.out",
        b'{"id":1,"SageMakerOutput":{"got":1}}\n{"id":2,"SageMakerOutput":{"got":2}}\n',
    )
    described = transforms.s3.head_object(Bucket=BUCKET, Key="one-by-one/out/one.jsonl.out")
    key = boto3.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (described["ServerSideEncryption"], described["SSEKMSKeyId"]) == ("aws:kms", key["Arn"])


def test_of_a_manifests_objects_those_that_can_be_sent_whole_are(transforms: Transforms) -> None:
    bodies = {
        "a/good.json.gz": gzip.compress(b"[1,\n 2]"),
        "b/good.json.gz": gzip.compress(b"3"),
        "b/large.json.gz": gzip.compress(b" " * 2**20 + b"1"),
        "b/plain.json.gz": b"4",
    }
    for name, body in {**bodies, "c/unnamed.json.gz": gzip.compress(b"5")}.items():
        transforms.s3.put_object(Bucket=BUCKET, Key=f"packed/{name}", Body=body)
    manifest = json.dumps([{"prefix": f"s3://{BUCKET}/packed/"}, *bodies])
    transforms.s3.put_object(Bucket=BUCKET, Key="packed.manifest", Body=manifest.encode())
    source = _source("ManifestFile", f"s3://{BUCKET}/packed.manifest")
    job = transforms.run(
        "manifest",
        {},
        "application/json",
        MaxPayloadInMB=1,
        TransformInput={"DataSource": source, "CompressionType": "Gzip", "SplitType": "None"},
        TransformOutput={"AssembleWith": "None"},
    )
    assert job["FailureReason"] == (
        "ClientError: See job logs for more information. "
        f"{BUCKET}/packed/b/large.json.gz: Too much data for max payload size"
    )
    lines = log_lines(transforms.logs, GROUP, "manifest/")
    assert any(f"{BUCKET}/packed/b/plain.json.gz: Not a gzipped file" in line for line in lines)
    assert transforms.output("manifest") == {
        "a/good.json.gz.out": b'{"got": [1, 2]}',
        "b/good.json.gz.out": b'{"got": 3}',
    }


def test_an_answer_that_the_output_filter_leads_out_of_fails_its_object(transforms: Transforms) -> None:
    job = transforms.run("leads-out", {"a.csv": b"1,2\n"}, DataProcessing={"OutputFilter": "$[1]"})
    assert job["FailureReason"] == (
        f"ClientError: See job logs for more information. {BUCKET}/leads-out/in/a.csv: "
        "the JSONPath $[1] leads nowhere: the index 1 is out of range: there are 1 values"
    )


def test_an_answer_that_takes_too_long_fails_its_object(transforms: Transforms) -> None:
    client = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    job = transforms.run("too-long", {"a.csv": b"sleep\n"}, ModelClientConfig=client)
    assert job["FailureReason"].startswith(
        f"AlgorithmError: See job logs for more information. {BUCKET}/too-long/in/a.csv: "
        "Unable to get response from algorithm"
    )
    assert transforms.output("too-long") == {}


def test_a_request_that_the_container_does_not_survive_is_sent_again(transforms: Transforms) -> None:
    job = transforms.run("crashes", {"a": b'"crash"'}, "application/json")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert transforms.output("crashes") == {"a.out": b'{"got": "crash"}\n'}


def test_a_container_that_does_not_come_up_fails_the_job_with_its_last_lines(transforms: Transforms) -> None:
    transforms.model("does-not-load", "def model_fn(model_dir): raise OSError('model.joblib is damaged')")
    job = transforms.run("does-not-start", {"a.csv": b"1\n"}, ModelName="does-not-load")
    assert job["FailureReason"].startswith(
        "AlgorithmError: See job logs for more information. The container did not pass the ping health check."
    )
    assert "OSError: model.joblib is damaged" in job["FailureReason"]


def test_what_the_request_leaves_open_the_container_may_decide(transforms: Transforms) -> None:
    own = """
        def execution_parameters_fn():
            return {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
    """
    transforms.model("decides", textwrap.dedent(INFERENCE) + textwrap.dedent(own))
    job = transforms.run("decided", {"a.csv": b"1,2\n3,4\n"}, ModelName="decides", MaxPayloadInMB=3)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    line = "MaxConcurrentTransforms=2, MaxPayloadInMB=3, BatchStrategy=SINGLE_RECORD"
    assert any(found.endswith(line) for found in log_lines(transforms.logs, GROUP, "decided/"))


def test_a_stopped_job_stores_nothing(transforms: Transforms) -> None:
    request = transforms.request("stopped-transform", {"a.csv": b"1,2\n", "b.csv": b"sleep\n"}, "text/csv")
    transforms.sagemaker.create_transform_job(**request)
    eventually(lambda: _logged(transforms, "stopped-transform/"), lambda lines: "sleeping" in lines)
    transforms.sagemaker.stop_transform_job(TransformJobName="stopped-transform")
    job = transforms.ended("stopped-transform")
    assert (job["TransformJobStatus"], "FailureReason" in job) == ("Stopped", False)
    assert transforms.output("stopped-transform") == {}


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"ModelName": "nowhere"}, "ValidationException", 'Could not find model "arn:aws:sagemaker:us-east-1:'),
        (
            {"DataProcessing": {"InputFilter": "features"}},
            "ValidationException",
            "'features' is not a JSONPath of batch transform",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformInput": {"ContentType": "image/png"}},
            "ValidationException",
            "DataProcessing needs input and output that are CSV, JSON or JSON Lines, by ContentType and Accept; image/",
        ),
        (
            {"MaxPayloadInMB": 50, "MaxConcurrentTransforms": 3},
            "ValidationException",
            "MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB.",
        ),
        (
            {"TransformOutput": {"S3OutputPath": "s3://no-such-bucket-anywhere/out"}},
            "ValidationException",
            'Invalid S3OutputPath "s3://no-such-bucket-anywhere/out": the S3 bucket does not exist.',
        ),
        (
            {"TransformInput": {"SplitType": "RecordIO"}},
            "NotImplementedException",
            "CreateTransformJob with SplitType RecordIO (use Line or None)",
        ),
        (
            {"DataCaptureConfig": {"DestinationS3Uri": f"s3://{BUCKET}/capture"}},
            "NotImplementedException",
            "CreateTransformJob with DataCaptureConfig",
        ),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(
    transforms: Transforms, changes: dict[str, Any], code: str, message: str
) -> None:
    request = transforms.request("refusal", {"a.csv": b"1\n"}, "text/csv", **changes)
    with pytest.raises(ClientError) as refused:
        transforms.sagemaker.create_transform_job(**request)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"][: len(message)]) == (code, message)


def test_input_that_is_not_in_s3(transforms: Transforms) -> None:
    with pytest.raises(ClientError, match='No S3 objects found under S3 URL "s3://sagemaker-tests/no-input/in/"'):
        transforms.sagemaker.create_transform_job(**transforms.request("no-input", {}, "text/csv"))


def test_no_more_is_read_ahead_than_is_answered_soon() -> None:
    read: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            read.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        answers = in_order(pool, lambda number: number * 10, numbers(), ahead=4)
        assert [next(answers), next(answers)] == [0, 10]
        assert read == [0, 1, 2, 3, 4]
        assert list(answers) == [number * 10 for number in range(2, 20)]


def _source(kind: str, uri: str) -> dict[str, Any]:
    return {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}


def _logged(transforms: Transforms, prefix: str) -> list[str]:
    try:
        return log_lines(transforms.logs, GROUP, prefix)
    except transforms.logs.exceptions.ResourceNotFoundException:
        return []
