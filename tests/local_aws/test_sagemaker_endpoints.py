"""Endpoints answer with their model, change without a failed request, and say why they can't."""

import io
import json
import os
import signal
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy
import pytest
from botocore.exceptions import ClientError
from sagemaker_endpoints import Endpoints
from sagemaker_requests import BUCKET, IMAGE, archive, eventually, is_running, log_lines, settled

from local_aws.cloudwatch.statistics import Sample, statistic
from local_aws.sagemaker import container, invocations

ECHO = """
    def model_fn(model_dir):
        return None

    def transform_fn(model, content, content_type, accept):
        return content, accept
"""
ATTRIBUTES = """
    from flask import request
    from werkzeug.wrappers import Response

    def model_fn(model_dir):
        return None

    def transform_fn(model, content, content_type, accept):
        name = "X-Amzn-SageMaker-Custom-Attributes"
        return Response("{}", headers={name: "seen " + request.headers[name]})
"""


@pytest.fixture(scope="module")
def endpoints(local_aws: Any) -> Endpoints:
    return Endpoints()


@pytest.fixture(scope="module")
def v1(endpoints: Endpoints) -> dict[str, Any]:
    """The endpoint `v1`, which the tests that change nothing share."""
    return endpoints.create("v1")


def test_a_created_endpoint_describes_what_it_runs(v1: dict[str, Any]) -> None:
    assert (v1["EndpointStatus"], v1["EndpointConfigName"]) == ("InService", "v1")
    (variant,) = v1["ProductionVariants"]
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert (variant["VariantName"], variant["CurrentWeight"], variant["CurrentInstanceCount"]) == ("variant-v1", 1, 1)


def test_an_invocation_is_answered_by_the_model(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    answer = endpoints.raw("v1", b"{}", Accept="application/json")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "variant-v1")
    assert json.loads(answer["Body"].read())["version"] == "v1"


def test_a_model_gets_one_thread_unless_it_asks_for_more(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    assert endpoints.invoke("v1")["threads"] == "1"


def test_an_exception_in_a_handler_is_a_model_error(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    with pytest.raises(endpoints.runtime.exceptions.ModelError) as failed:
        endpoints.invoke("v1", fail=True)
    answer = failed.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == 500
    assert answer["Error"]["Message"].startswith("Received server error (500) from primary with message ")
    assert answer["LogStreamArn"].endswith("log-group:/aws/sagemaker/Endpoints/v1")


def test_the_traceback_of_a_handlers_exception_is_in_the_endpoints_log(endpoints: Endpoints, v1: Any) -> None:
    with pytest.raises(ClientError):
        endpoints.invoke("v1", fail=True)
    group = "/aws/sagemaker/Endpoints/v1"
    eventually(lambda: log_lines(endpoints.logs, group, "variant-v1/"), lambda x: "RuntimeError: the model broke" in x)


def test_a_refusal_of_the_models_own_keeps_its_status_and_text(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    with pytest.raises(endpoints.runtime.exceptions.ModelError) as refused:
        endpoints.invoke("v1", refuse=True)
    assert refused.value.response["OriginalStatusCode"] == 422
    assert json.loads(refused.value.response["OriginalMessage"]) == {"error": "field x is missing"}


def test_an_unknown_endpoint_is_awss_validation_error(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        endpoints.invoke("nowhere")
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == (
        "ValidationError",
        "Endpoint nowhere of account 123456789012 not found.",
    )


def test_a_taken_name_is_refused_in_awss_words(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Cannot create already existing endpoint \"arn:"):
        endpoints.sagemaker.create_endpoint(EndpointName="v1", EndpointConfigName="v1")


def test_invocations_and_their_errors_are_counted_in_cloudwatch(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "FLUSH_SECONDS", 0.1)
    endpoints.create("counted")
    endpoints.invoke("counted")
    for request in ({"fail": True}, {"refuse": True}):
        with pytest.raises(ClientError):
            endpoints.invoke("counted", **request)
    names = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
    eventually(lambda: [_metric("counted", name, "Sum") for name in names], lambda sums: sums == [3, 1, 1])
    assert 0 < _metric("counted", "ModelLatency", "p50") <= _metric("counted", "ModelLatency", "Maximum") < 10e6


@pytest.mark.parametrize("count", [1, 50, 51, 52, 5000])
def test_however_many_invocations_are_told_in_few_values(count: int) -> None:
    values = [float(number * number) for number in range(count)]
    told = invocations.condense(values)
    counted = [Sample(0.0, "None", v, v, v * n, n) for v, n in zip(told["Values"], told["Counts"], strict=True)]
    every = [Sample(0.0, "None", value, value, value, 1.0) for value in values]
    assert len(counted) <= 50
    for name in ("SampleCount", "Sum", "Minimum", "Maximum"):
        assert statistic(name).of(counted) == pytest.approx(statistic(name).of(every))
    assert statistic("p90").of(counted) == pytest.approx(statistic("p90").of(every), rel=0.05)


def test_a_crashed_model_server_is_started_again_and_its_log_counts_the_restarts(endpoints: Endpoints) -> None:
    endpoints.create("crashes")
    pid = endpoints.invoke("crashes")["pid"]
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    eventually(lambda: is_running(pid), lambda running: not running)
    assert endpoints.invoke("crashes")["pid"] != pid
    said = "the model server ended with exit code -9: starting it again (restart 1)"
    eventually(lambda: log_lines(endpoints.logs, "/aws/sagemaker/Endpoints/crashes", "variant-"), lambda x: said in x)


def test_fifty_invocations_at_once_are_all_answered_each_with_its_own_answer(endpoints: Endpoints, v1: Any) -> None:
    endpoints.create("echoes", ECHO)
    clients = [boto3.client("sagemaker-runtime") for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: _body(clients[n], "echoes", f"request {n}"), range(50)))
    assert answers == [f"request {n}" for n in range(50)]


def test_custom_attributes_go_to_the_model_and_come_back_from_it(endpoints: Endpoints, v1: Any) -> None:
    endpoints.create("attributes", ATTRIBUTES)
    assert endpoints.raw("attributes", b"x", CustomAttributes="trace=7")["CustomAttributes"] == "seen trace=7"


@pytest.mark.parametrize(
    "request_",
    [
        {"TargetModel": "a.tar.gz"},
        {"TargetContainerHostname": "first"},
        {"InferenceComponentName": "component"},
        {"SessionId": "NEW_SESSION"},
        {"EnableExplanations": "`true`"},
    ],
    ids=lambda request: next(iter(request)),
)
def test_what_an_invocation_would_not_get_is_refused_by_name(endpoints: Endpoints, v1: Any, request_: Any) -> None:
    with pytest.raises(ClientError, match=rf"NotImplementedException.*InvokeEndpoint with {next(iter(request_))}"):
        endpoints.raw("v1", b"{}", **request_)


def test_a_body_above_awss_limit_is_refused_and_one_below_it_is_answered(endpoints: Endpoints, v1: Any) -> None:
    with pytest.raises(ClientError, match="ValidationError.*length less than or equal to 6291456"):
        endpoints.raw("v1", b" " * 6291457)
    assert endpoints.raw("v1", b"{}".ljust(6291456))["InvokedProductionVariant"] == "variant-v1"


def test_no_request_fails_while_an_endpoint_is_updated(endpoints: Endpoints) -> None:
    endpoints.create("old")
    endpoints.model("new")
    endpoints.config("new", new=1)
    versions: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            versions.append(endpoints.invoke("old")["version"])

    clients = [_raising(ask) for _ in range(2)]
    endpoints.sagemaker.update_endpoint(EndpointName="old", EndpointConfigName="new")
    assert endpoints.sagemaker.describe_endpoint(EndpointName="old")["EndpointStatus"] == "Updating"
    endpoint = settled(endpoints.sagemaker, "old")
    eventually(lambda: versions[-1:], lambda last: last == ["new"])
    done.set()
    for join in clients:
        join()
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "new")
    assert set(versions) == {"old", "new"}
    assert endpoints.invoke("old")["version"] == "new"


def test_an_update_that_fails_leaves_the_old_model_in_service(endpoints: Endpoints) -> None:
    endpoints.create("keeps")
    endpoints.model("broken", "import no_such_module")
    endpoints.config("broken", broken=1)
    endpoints.sagemaker.update_endpoint(EndpointName="keeps", EndpointConfigName="broken")
    endpoint = settled(endpoints.sagemaker, "keeps")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "keeps")
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert endpoints.invoke("keeps")["version"] == "keeps"


def test_an_isolated_container_cannot_fetch_its_code_from_s3(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    model = endpoints.sagemaker.describe_model(ModelName="v1")
    container = model["PrimaryContainer"]
    container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] = f"s3://{BUCKET}/models/v1/model.tar.gz"
    isolated = {"ModelName": "isolated", "PrimaryContainer": container, "EnableNetworkIsolation": True}
    endpoints.sagemaker.create_model(ExecutionRoleArn=model["ExecutionRoleArn"], **isolated)
    endpoints.config("isolated", isolated=1)
    endpoints.sagemaker.create_endpoint(EndpointName="isolated", EndpointConfigName="isolated")
    reason = settled(endpoints.sagemaker, "isolated")["FailureReason"]
    assert "did not pass the ping health check" in reason and "isolated from the network can't download" in reason


def test_a_model_that_cannot_be_loaded_fails_the_endpoint_and_says_where_to_look(endpoints: Endpoints) -> None:
    endpoint = endpoints.create("unloadable", "def model_fn(model_dir): raise OSError('model.joblib is damaged')")
    assert endpoint["EndpointStatus"] == "Failed"
    reason = endpoint["FailureReason"]
    assert reason.startswith(
        "The primary container for production variant variant-unloadable did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint. Its last lines on stderr: "
    )
    assert "OSError: model.joblib is damaged" in reason and len(reason) <= 1024
    lines = log_lines(endpoints.logs, "/aws/sagemaker/Endpoints/unloadable", "variant-unloadable/")
    assert "OSError: model.joblib is damaged" in lines
    update = {"EndpointName": "unloadable", "EndpointConfigName": "unloadable"}
    with pytest.raises(ClientError, match=r"\(ValidationException\).*DeleteEndpoint is the only operation"):
        endpoints.sagemaker.update_endpoint(**update)
    assert endpoints.sagemaker.describe_endpoint(EndpointName="unloadable")["EndpointStatus"] == "Failed"
    endpoints.sagemaker.delete_endpoint(EndpointName="unloadable")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        endpoints.sagemaker.describe_endpoint(EndpointName="unloadable")


def test_an_endpoint_that_is_still_being_created_cannot_be_updated(endpoints: Endpoints) -> None:
    endpoints.model("slow", "import time; time.sleep(2)\ndef model_fn(model_dir): return 1")
    endpoints.config("slow", slow=1)
    endpoints.sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    with pytest.raises(ClientError, match=r'\(ValidationException\).*Cannot update in-progress endpoint "arn:'):
        endpoints.sagemaker.update_endpoint(EndpointName="slow", EndpointConfigName="slow")
    assert settled(endpoints.sagemaker, "slow")["EndpointStatus"] == "InService"


def test_model_data_that_has_gone_fails_the_endpoint(endpoints: Endpoints) -> None:
    endpoints.model("gone")
    endpoints.config("gone", gone=1)
    endpoints.s3.delete_object(Bucket=BUCKET, Key="models/gone/model.tar.gz")
    endpoints.sagemaker.create_endpoint(EndpointName="gone", EndpointConfigName="gone")
    endpoint = settled(endpoints.sagemaker, "gone")
    assert endpoint["EndpointStatus"] == "Failed"
    assert f"s3://{BUCKET}/models/gone/model.tar.gz" in endpoint["FailureReason"]


def test_a_deleted_endpoint_is_gone_with_its_process(endpoints: Endpoints) -> None:
    endpoints.create("deleted")
    pid = endpoints.invoke("deleted")["pid"]
    endpoints.sagemaker.delete_endpoint(EndpointName="deleted")
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Could not find endpoint"):
        endpoints.sagemaker.describe_endpoint(EndpointName="deleted")
    eventually(lambda: is_running(pid), lambda running: not running)


def test_variants_share_requests_by_weight(endpoints: Endpoints) -> None:
    for name in ("blue", "green"):
        endpoints.model(name)
    endpoints.config("both", blue=1, green=0)
    endpoints.sagemaker.create_endpoint(EndpointName="both", EndpointConfigName="both")
    settled(endpoints.sagemaker, "both")
    assert {endpoints.invoke("both")["version"] for _ in range(10)} == {"blue"}
    answer = endpoints.raw("both", b"{}", TargetVariant="variant-green")
    assert answer["InvokedProductionVariant"] == "variant-green"
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="both",
        DesiredWeightsAndCapacities=[
            {"VariantName": "variant-blue", "DesiredWeight": 0},
            {"VariantName": "variant-green", "DesiredWeight": 1},
        ],
    )
    assert {endpoints.invoke("both")["version"] for _ in range(10)} == {"green"}


def test_awss_default_handlers_serve_a_module_with_only_a_model_fn(endpoints: Endpoints) -> None:
    script = """
        class Doubling:
            def predict(self, rows):
                return rows * 2

        def model_fn(model_dir):
            return Doubling()
    """
    endpoints.create("defaults", script)
    assert endpoints.raw("defaults", b"[1, 2.5]")["Body"].read() == b"[2.0, 5.0]"
    assert endpoints.raw("defaults", b"1,2\n3,4", "text/csv", Accept="text/csv")["Body"].read() == b"2.0,4.0\n6.0,8.0\n"
    packed = io.BytesIO()
    numpy.save(packed, numpy.array([1, 2]))
    npy = endpoints.raw("defaults", packed.getvalue(), "application/x-npy", Accept="application/x-npy")["Body"].read()
    assert numpy.load(io.BytesIO(npy)).tolist() == [2, 4]
    with pytest.raises(ClientError) as refused:
        endpoints.raw("defaults", b"<x/>", "text/xml")
    assert refused.value.response["OriginalStatusCode"] == 500  # not 415: AWS's container wraps its own defaults too


def test_a_transform_fn_takes_the_place_of_the_other_three(endpoints: Endpoints) -> None:
    script = """
        def model_fn(model_dir):
            return 3

        def transform_fn(model, body, content_type, accept):
            return f"{model} {body} {content_type} {accept}", "text/plain"
    """
    endpoints.create("transforms", script)
    answer = endpoints.raw("transforms", b"a,b", "text/csv", Accept="text/csv")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"3 a,b text/csv text/csv", "text/plain; charset=utf-8")


def test_code_may_come_from_s3(endpoints: Endpoints) -> None:
    script = "def model_fn(d): return 7\ndef transform_fn(model, *_): return str(model), 'text/plain'"
    endpoints.s3.put_object(Bucket=BUCKET, Key="code/source.tar.gz", Body=archive({"inference.py": script}))
    source = f"s3://{BUCKET}/code/source.tar.gz"
    endpoints.create("from-s3", "raise SystemExit('not this one')", SAGEMAKER_SUBMIT_DIRECTORY=source)
    assert endpoints.raw("from-s3", b"{}")["Body"].read() == b"7"


def test_a_models_requirements_are_installed_before_it_is_loaded(endpoints: Endpoints) -> None:
    script = (
        "import lookup\ndef model_fn(d): return lookup.answer\ndef transform_fn(m, *_): return str(m), 'text/plain'"
    )
    files = {
        "code/requirements.txt": "./lookup-1.0-py3-none-any.whl",
        "code/lookup-1.0-py3-none-any.whl": _wheel("lookup", "answer = 42"),
    }
    endpoints.create("requires", script, files)
    assert endpoints.raw("requires", b"{}")["Body"].read() == b"42"


def test_a_requirement_that_cannot_be_installed_fails_the_endpoint(endpoints: Endpoints) -> None:
    endpoint = endpoints.create("lacks", more={"code/requirements.txt": "./no-such-file.whl"})
    assert endpoint["EndpointStatus"] == "Failed"
    assert "no-such-file.whl" in endpoint["FailureReason"]


def test_a_model_that_takes_longer_than_its_timeout_is_a_gateway_timeout(endpoints: Endpoints) -> None:
    script = "import time\ndef model_fn(d): return 1\ndef transform_fn(m, *_): time.sleep(9)"
    endpoints.create("sleeps", script, SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    with pytest.raises(ClientError) as failed:
        endpoints.raw("sleeps", b"{}")
    assert failed.value.response["OriginalStatusCode"] == 504


def test_where_the_os_has_no_namespaces_the_model_is_found_all_the_same(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "has_opt_ml", lambda: False)
    endpoints.create("no-namespace")
    assert endpoints.invoke("no-namespace")["version"] == "no-namespace"


def test_asynchronous_and_streamed_invocations_are_refused_by_name(endpoints: Endpoints, v1: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*InvokeEndpointAsync"):
        endpoints.runtime.invoke_endpoint_async(EndpointName="v1", InputLocation=f"s3://{BUCKET}/x")
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*InvokeEndpointWithResponseStream"):
        endpoints.runtime.invoke_endpoint_with_response_stream(EndpointName="v1", Body=b"{}")
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*InvokeEndpoint with TargetModel"):
        endpoints.runtime.invoke_endpoint(EndpointName="v1", Body=b"{}", TargetModel="other.tar.gz")


def _wheel(name: str, text: str) -> bytes:
    """A package of one module."""
    packed = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}.py", text)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return packed.getvalue()


def _body(runtime: Any, endpoint: str, body: str) -> str:
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="text/plain")
    return str(answer["Body"].read().decode())


def _metric(endpoint: str, name: str, statistic: Any) -> float:
    """One statistic of a metric of the endpoint's only variant, over all time."""
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": f"variant-{endpoint}"},
        ],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=86400,
        **({"ExtendedStatistics": [statistic]} if statistic.startswith("p") else {"Statistics": [statistic]}),
    )["Datapoints"]
    return sum(float(point.get("ExtendedStatistics", point)[statistic]) for point in points)


def _raising(work: Callable[[], None]) -> Callable[[], None]:
    """Run `work` in a thread; the function returned waits for it, and raises what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def join() -> None:
        thread.join()
        if raised:
            raise raised[0]

    return join
