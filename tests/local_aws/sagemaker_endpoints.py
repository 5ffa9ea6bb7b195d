"""Models, configurations and endpoints that the tests of endpoints share."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from sagemaker_requests import BUCKET, IMAGE, ROLE, archive, bucket_client, settled

INFERENCE = """
    import json, os, pathlib, sys
    from werkzeug.wrappers import Response

    def model_fn(model_dir):
        return pathlib.Path(model_dir, "version.txt").read_text()

    def input_fn(body, content_type):
        return json.loads(body)

    def predict_fn(request, version):
        if "fail" in request:
            raise RuntimeError("the model broke")
        if "refuse" in request:
            return Response(json.dumps({"error": "field x is missing"}), status=422, mimetype="application/json")
        return {"version": version, "pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}

    def output_fn(answer, accept):
        return answer if isinstance(answer, Response) else (json.dumps(answer), accept)
"""


class Endpoints:
    """Creates models and endpoints from a script and a few words."""

    def __init__(self) -> None:
        self.s3 = bucket_client()
        self.sagemaker = boto3.client("sagemaker")
        self.runtime = boto3.client("sagemaker-runtime")
        self.logs = boto3.client("logs")

    def model(
        self, name: str, script: str = INFERENCE, more: Mapping[str, str | bytes] = {}, **environment: str
    ) -> None:
        """A model called `name`, of `script` and the files of `more`."""
        files = {"version.txt": name, "code/inference.py": script, **more}
        self.s3.put_object(Bucket=BUCKET, Key=f"models/{name}/model.tar.gz", Body=archive(files))
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{BUCKET}/models/{name}/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                **environment,
            },
        }
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)

    def config(self, name: str, capture: bool | dict[str, Any] = False, **weights: float) -> None:
        """A configuration called `name` with a variant for each model, by its weight; `capture` changes what a
        DataCaptureConfig says by default."""
        variants = [
            {
                "VariantName": f"variant-{model}",
                "ModelName": model,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": weight,
            }
            for model, weight in weights.items()
        ]
        more: dict[str, Any] = {}
        if capture:
            more["DataCaptureConfig"] = {
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{BUCKET}/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                **(capture if isinstance(capture, dict) else {}),
            }
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **more)

    def create(
        self, name: str, script: str = INFERENCE, more: Mapping[str, str | bytes] = {}, **environment: str
    ) -> dict[str, Any]:
        """An endpoint with one variant, its model and configuration all called `name`, once it has settled."""
        self.model(name, script, more, **environment)
        self.config(name, **{name: 1})
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return settled(self.sagemaker, name)

    def invoke(self, name: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw(name, json.dumps(request).encode())["Body"].read())
        return answer

    def raw(self, name: str, body: bytes, content_type: str = "application/json", **more: str) -> Any:
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, **more)


@contextmanager
def asked_all_the_time(ask: Callable[[], str], clients: int = 2) -> Iterator[Counter[str]]:
    """Counts the answers, or the errors, while several clients `ask` at once."""
    answers: Counter[str] = Counter()
    done = threading.Event()

    def go_on_asking() -> None:
        while not done.wait(0.01):  # a hundred requests a second, and time for what they are about
            try:
                answers[ask()] += 1
            except Exception as error:
                answers[repr(error)] += 1

    threads = [threading.Thread(target=go_on_asking) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()
