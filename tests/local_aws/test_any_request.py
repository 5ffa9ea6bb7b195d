"""Whatever is sent, valid or not: no defect, no hang, an answer in AWS's shape, and a refusal changes nothing."""

import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core import DEFAULT_ACCOUNT_ID
from sagemaker_requests import IMAGE, ROLE

import answers
from local_aws.athena.models import athena_backends
from local_aws.athena.responses import ExecutingAthenaResponse
from local_aws.cloudwatch.models import AlarmingCloudWatchBackend, cloudwatch_backends
from local_aws.cloudwatch.responses import CloudWatchResponse
from local_aws.logs.models import logs_backends
from local_aws.logs.responses import LogsResponse
from local_aws.sagemaker.models import sagemaker_backends
from local_aws.sagemaker.responses import SageMakerResponse
from local_aws.sagemakerruntime.models import ForwardingSageMakerRuntimeBackend
from local_aws.validation import service_model, violations
from raw_requests import post, send

REGION = "ap-south-1"  # one that no other test uses: what changes in its backends, changes by these requests
BACKENDS = {
    "sagemaker": sagemaker_backends,
    "athena": athena_backends,
    "cloudwatch": cloudwatch_backends,
    "logs": logs_backends,
}
CARRIED_OUT = {
    "sagemaker": SageMakerResponse.carried_out,
    "athena": ExecutingAthenaResponse.carried_out,
    "cloudwatch": CloudWatchResponse.carried_out,
    "logs": LogsResponse.carried_out,
}
READS = ("Get", "BatchGet", "Describe", "List")
KNOWN = "known"  # the name of whatever the fixture makes
STRINGS = [
    *(KNOWN, "nowhere", "1", "select 1", "ml.m5.large", "AwsDataCatalog", "x" * 32, "s3://nowhere-at-all/key"),
    *("ALARM(known)", "m1 + m2", "Sum", "p99", "{ $.a = 1 }", "fields @message | limit 2", "breaching"),
    *(ROLE, IMAGE.replace("us-east-1", REGION), "00000000-0000-4000-8000-000000000000"),
    f"arn:aws:athena:{REGION}:{DEFAULT_ACCOUNT_ID}:workgroup/{KNOWN}",
    *(f"arn:aws:sagemaker:{REGION}:{DEFAULT_ACCOUNT_ID}:{kind}/{KNOWN}" for kind in ("model", "model-package-group")),
]
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, "", "x" * 3000, [], {}, [None], {"": None}, {"a": {"b": [1]}}, -1, 2**63, 1e300, 0.5]),
    st.text(max_size=20),
)
budget = settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))


@st.composite
def documents(draw: st.DrawFn, shape: Any, depth: int = 0) -> Any:
    """A value of the shape, in which something is wrong now and then."""
    if depth and draw(st.integers(0, 14)) == 14:
        return draw(ODD)
    if shape.type_name == "structure":
        optional = sorted(shape.members.keys() - set(shape.required_members))
        chosen = draw(st.sets(st.sampled_from(optional), max_size=3)) if optional and depth < 5 else set()
        members = {name: draw(documents(shape.members[name], depth + 1)) for name in [*shape.required_members, *chosen]}
        return members | ({"NoSuchMember": draw(ODD)} if draw(st.integers(0, 9)) == 9 else {})
    least = shape.metadata.get("min", 0)
    if shape.type_name == "list":
        return [draw(documents(shape.member, depth + 1)) for _ in range(max(least, draw(st.integers(0, 2))))]
    if shape.type_name == "map":
        keys = [f"{draw(documents(shape.key, depth + 1))}" for _ in range(max(least, draw(st.integers(0, 2))))]
        return {key: draw(documents(shape.value, depth + 1)) for key in keys}
    if shape.type_name == "string":
        return draw(_strings(shape))
    if shape.type_name == "boolean":
        return draw(st.booleans())
    if shape.type_name == "timestamp":
        return draw(st.sampled_from([0, 1_700_000_000, 1_700_000_000.5]))
    return draw(st.integers(least, min(shape.metadata.get("max", least + 3), least + 3)))


def _strings(shape: Any) -> st.SearchStrategy[str]:
    allowed = list(shape.enum) or [text for text in STRINGS if not list(violations(shape, text))]
    if allowed:
        return st.sampled_from(allowed)
    try:
        return st.from_regex(re.compile(shape.metadata.get("pattern", ".*")), fullmatch=True)
    except re.error:  # Java's own syntax
        return st.text(max_size=20)


def state(value: Any, seen: set[int] | None = None) -> Any:
    """Everything that a backend holds, as comparable values."""
    seen = set() if seen is None else seen
    if value is None or isinstance(value, str | int | float | bytes | date | datetime):
        return value
    if id(value) in seen:
        return "seen"
    seen.add(id(value))
    if isinstance(value, dict):
        return {repr(key): state(member, seen) for key, member in value.items()}
    if isinstance(value, list | tuple | set):
        return [state(member, seen) for member in value]
    module = type(value).__module__
    return state(vars(value), seen) if module.startswith(("moto.", "local_aws.")) and hasattr(value, "__dict__") else 0


@pytest.fixture(scope="module")
def aws(local_aws: Any) -> Iterator[Any]:
    """Local AWS with something known in it that requests can meet, and alarms that change by requests only; all of it
    goes at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AlarmingCloudWatchBackend, "evaluate_alarms", lambda self, now: None)
        yield from _furnished(local_aws)


def _furnished(local_aws: Any) -> Iterator[Any]:
    container = {"Image": IMAGE.replace("us-east-1", REGION)}
    for service, operation, document in [
        ("sagemaker", "CreateModel", {"ModelName": KNOWN, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}),
        ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": KNOWN}),
        (
            *("sagemaker", "CreateModelPackage"),
            {"ModelPackageGroupName": KNOWN, "InferenceSpecification": {"Containers": [container]}},
        ),
        ("cloudwatch", "PutCompositeAlarm", {"AlarmName": KNOWN, "AlarmRule": "TRUE"}),
        ("logs", "CreateLogGroup", {"logGroupName": KNOWN}),
        ("logs", "CreateLogStream", {"logGroupName": KNOWN, "logStreamName": KNOWN}),
        ("athena", "CreateWorkGroup", {"Name": KNOWN}),
        ("athena", "CreatePreparedStatement", {"StatementName": KNOWN, "WorkGroup": KNOWN, "QueryStatement": "q"}),
    ]:
        status, answer = send(local_aws.url, service, operation, document, region=REGION)
        assert status == 200, answer
    yield local_aws
    for backends in BACKENDS.values():
        backends[DEFAULT_ACCOUNT_ID][REGION].reset()


def check(aws: Any, service: str, operation: str, document: Any) -> None:
    backend = BACKENDS[service][DEFAULT_ACCOUNT_ID][REGION]
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("alarm ")]:
        thread.join(20)  # what the last request's change of state has led to
    before = state(backend)
    status, answer = send(aws.url, service, operation, document, timeout=60, region=REGION)
    answers.fail_on_wrong_ones()
    assert status == 200 or 400 <= status < 500, answer
    if service == "athena":
        for query in list(backend.queries.values()):
            assert query.done.wait(20)
    if status != 200 or operation.startswith(READS):
        assert state(backend) == before


@pytest.mark.parametrize(
    ("service", "operation"),
    sorted({(service, name) for service, names in CARRIED_OUT.items() for name in names}),
)
def test_a_request_for_what_is_carried_out(aws: Any, service: str, operation: str) -> None:
    @budget
    @given(document=documents(service_model(service).operation_model(operation).input_shape))
    def sent(document: Any) -> None:
        check(aws, service, operation, document)

    sent()


@pytest.mark.parametrize("service", sorted(CARRIED_OUT))
def test_a_request_for_what_is_refused(aws: Any, service: str) -> None:
    model = service_model(service)

    @settings(budget, max_examples=80)
    @given(data=st.data(), operation=st.sampled_from(sorted(set(model.operation_names) - CARRIED_OUT[service])))
    def sent(data: st.DataObject, operation: str) -> None:
        shape = model.operation_model(operation).input_shape
        check(aws, service, operation, data.draw(documents(shape)) if shape else {})

    sent()


HEADERS = [
    *("Content-Type", "Accept", "X-Amzn-SageMaker-Target-Variant", "X-Amzn-SageMaker-Target-Model"),
    *("X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id", "X-Amzn-SageMaker-Session-Id"),
]
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f\x85\xa0"), max_size=70)


def test_an_invocation(aws: Any) -> None:
    @settings(budget, max_examples=60)
    @given(
        name=st.one_of(st.sampled_from(STRINGS), st.text(min_size=1, max_size=70)),
        headers=st.dictionaries(st.sampled_from(HEADERS), PRINTABLE, max_size=3),
        body=st.binary(max_size=30),
        kind=st.sampled_from(["invocations", "async-invocations", "invocations-response-stream"]),
    )
    def sent(name: str, headers: dict[str, str], body: bytes, kind: str) -> None:
        path = f"/endpoints/{urllib.parse.quote(name, safe='', errors='replace')}/{kind}"
        status, answer = post(aws.url + path, "sagemaker", headers, body, timeout=60)
        answers.fail_on_wrong_ones()
        assert 400 <= status < 500, answer
        assert json.loads(answer)

    sent()


def test_a_form_reaches_the_endpoint_as_the_bytes_it_is(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(ForwardingSageMakerRuntimeBackend, "invoke", lambda self, *request: asked.append(request))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    post(f"{aws.url}/endpoints/e/invocations", "sagemaker", form, b"key=1&Action=x")
    assert asked[0][:3] == ("e", b"key=1&Action=x", form)
