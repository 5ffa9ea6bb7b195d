"""The model server answers as AWS's own stack does, to good requests and bad ones alike."""

import http.client
import io
import json
import os
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest
from sagemaker_requests import IMAGE

from local_aws import server
from local_aws.sagemaker import images

OURS = server.REPOSITORY / "infra" / "local_aws" / "sagemaker" / "model_server.py"
AWSS = Path(__file__).parents[1] / "scripts" / "aws_serving.py"

MODULES = {
    "defaults": """
        class Doubling:
            def predict(self, rows):
                return rows * 2

        def model_fn(model_dir):
            return Doubling()
    """,
    "handlers": """
        from sagemaker_containers.beta.framework import encoders as _encoders, worker as _worker
        from werkzeug.wrappers import Response

        def model_fn(model_dir):
            return "model"

        def input_fn(body, content_type):
            if body == "fail in input":
                raise ValueError("input")
            if body == "decode":
                return _encoders.decode(body, content_type)
            return body, content_type

        def predict_fn(given, model):
            if given[0] == "fail in predict":
                raise ValueError("predict")
            return (*given, model)

        def output_fn(prediction, accept):
            body, content_type, _ = prediction
            results = {
                "str": "text",
                "bytes": b"bytes",
                "none": None,
                "number": 5,
                "dict": {"a": 1},
                "list": [1, 2],
                "tuple": ("<x/>", accept),
                "tuple of three": ("a", "text/plain", "more"),
                "tuple of one": ("a",),
                "bytes, no type": (b"a", None),
                "number, type": (5, accept),
                "list, type": (["a", b"b"], accept),
                "with charset": ("a", "application/json; charset=latin-1"),
                "generator": (part for part in ["a", "b"]),
                "worker response": _worker.Response("r", mimetype=accept),
                "teapot": Response("short and stout", status=418, headers={"X-Spout": "yes"}),
                "empty": "",
            }
            if body == "fail in output":
                raise ValueError("output")
            return results.get(body, (f"{body!r} {content_type} {accept}", accept))

        def execution_parameters_fn():
            return {"MaxConcurrentTransforms": 2, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
    """,
    "transform": """
        def model_fn(model_dir):
            return 3

        def transform_fn(model, body, content_type, accept):
            if body == "fail":
                raise SystemError("transform")
            return f"{model} {body!r} {content_type} {accept}", "text/plain"
    """,
}


class Answer(NamedTuple):
    """What one stack answered."""

    status: int
    content_type: str | None
    allow: set[str]
    body: bytes


class Stack:
    """One stack's servers: one for each of MODULES."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports

    def ask(self, module: str, method: str, path: str, headers: dict[str, str], body: Any) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[module], timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        allow = set((response.getheader("Allow") or "").split(", "))
        found = Answer(response.status, response.getheader("Content-Type"), allow, response.read())
        connection.close()
        return found


@pytest.fixture(scope="session")
def image_environment() -> Path:
    return images.environment(images.named_by(IMAGE), server.REPOSITORY / ".envs")


@contextmanager
def serving(environment: Path, program: Path, folder: Path, module: str, **variables: str) -> Iterator[int]:
    """The port at which `program` serves `module`, whose text is put into `folder`."""
    (folder / "model" / "code").mkdir(parents=True, exist_ok=True)
    (folder / "model" / "code" / f"{folder.name}.py").write_text(textwrap.dedent(module))
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    process = subprocess.Popen(
        [environment / "bin" / "python", program, f"fd://{listener.fileno()}"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OMP_NUM_THREADS": "1",
            "SAGEMAKER_BASE_DIR": str(folder),
            "SAGEMAKER_PROGRAM": f"{folder.name}.py",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "PYTHONPATH": str(folder / "model" / "code"),
            **variables,
        },
        pass_fds=[listener.fileno()],
        stderr=subprocess.DEVNULL,
    )
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def stacks(image_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Stack]]:
    """Our stack and AWS's, all of their servers starting at once."""
    root = tmp_path_factory.mktemp("stacks")
    with ExitStack() as running:
        ports: list[dict[str, int]] = []
        for number, program in enumerate((OURS, AWSS)):
            ports.append({})
            for name, text in MODULES.items():
                folder = root / str(number) / name
                folder.mkdir(parents=True)
                ports[-1][name] = running.enter_context(serving(image_environment, program, folder, text))
        yield Stack(ports[0]), Stack(ports[1])


def npy(array: Any) -> bytes:
    """An array in NumPy's own form."""
    packed = io.BytesIO()
    numpy.save(packed, array)
    return packed.getvalue()


JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
Request = tuple[str, str, str | None, str | None, bytes | None]  # method, path, Content-Type, Accept, body


def post(content_type: str | None, accept: str | None, body: bytes | None) -> Request:
    return "POST", "/invocations", content_type, accept, body


DEFAULTS: dict[str, Request] = {
    "json": post(JSON, JSON, b"[[1, 2], [3, 4.5]]"),
    "a json number": post(JSON, JSON, b"5"),
    "bad json": post(JSON, JSON, b"[1, 2"),
    "json of ragged rows": post(JSON, JSON, b"[[1, 2], [3]]"),
    "json of text": post(JSON, JSON, b'["a"]'),
    "a json object": post(JSON, JSON, b'{"a": 1}'),
    "json that is no utf-8": post(JSON, JSON, b'["\xff"]'),
    "csv": post(CSV, CSV, b"1,2\n3,4"),
    "csv of one row": post(CSV, CSV, b"1,2"),
    "csv of text": post(CSV, CSV, b"a,b"),
    "ragged csv": post(CSV, CSV, b"1,2\n3"),
    "csv with an open quote": post(CSV, CSV, b'1,"2'),
    "csv with windows lines": post(CSV, JSON, b"1,2\r\n3,4\r\n"),
    "npy": post(NPY, NPY, npy([1, 2])),
    "bad npy": post(NPY, NPY, b"nonsense"),
    "json to csv": post(JSON, CSV, b"[1, 2]"),
    "json to npy": post(JSON, NPY, b"[1, 2]"),
    "json lines": post("application/jsonlines", JSON, b"[1]\n[2]"),
    "an unknown content type": post("text/xml", JSON, b"<x/>"),
    "a content type with a charset": post("application/json; charset=utf-8", JSON, b"[1]"),
    "a content type in capitals": post("Application/JSON", JSON, b"[1]"),
    "an unknown accept": post(JSON, "text/xml", b"[1]"),
    "a list of accepts": post(JSON, "application/json, text/csv", b"[1]"),
    "any accept": post(JSON, "*/*", b"[1]"),
    "no headers": post(None, None, b"[1]"),
    "an empty body": post(JSON, JSON, b""),
    "an empty csv": post(CSV, CSV, b""),
    "no body at all": post(JSON, JSON, None),
    "get": ("GET", "/invocations", None, None, None),
    "put": ("PUT", "/invocations", JSON, JSON, b"[1]"),
    "options": ("OPTIONS", "/invocations", None, None, None),
    "ping": ("GET", "/ping", None, None, None),
    "head ping": ("HEAD", "/ping", None, None, None),
    "post ping": ("POST", "/ping", JSON, JSON, b"[1]"),
    "execution parameters that there are not": ("GET", "/execution-parameters", None, None, None),
    "an unknown path": ("GET", "/nowhere", None, None, None),
    "a path below": ("POST", "/invocations/more", JSON, JSON, b"[1]"),
    "a query": ("POST", "/invocations?a=b", JSON, JSON, b"[1]"),
}
RESULTS = (
    *("fail in input", "decode", "fail in predict", "fail in output", "str", "bytes", "none", "number", "dict", "list"),
    *("tuple", "tuple of three", "tuple of one", "bytes, no type", "number, type", "list, type"),
    *("with charset", "generator", "worker response", "teapot", "empty", "anything else"),
)
TABLE: list[tuple[str, str, Request]] = [
    *(("defaults", name, request) for name, request in DEFAULTS.items()),
    *(("handlers", name, post(JSON, CSV, name.encode())) for name in RESULTS),
    ("handlers", "xml", post(JSON, "application/xml", b"tuple")),
    ("handlers", "bytes for other types", post("application/octet-stream", JSON, b"\xff\x00")),
    ("handlers", "three megabytes", post("application/octet-stream", JSON, b"123456789\n" * 300_000)),
    ("handlers", "text for csv", post(CSV, JSON, b"\xff")),
    ("handlers", "execution parameters", ("GET", "/execution-parameters", None, None, None)),
    ("handlers", "execution parameters by post", ("POST", "/execution-parameters", None, None, b"")),
    ("transform", "text", post(CSV, "image/png", b"a,b")),
    ("transform", "bytes", post("image/png", None, b"a,b")),
    ("transform", "failure", post(JSON, None, b"fail")),
]


@pytest.mark.parametrize(("module", "request_"), [(m, r) for m, _, r in TABLE], ids=[f"{m}: {n}" for m, n, _ in TABLE])
def test_an_answer_is_the_one_of_awss_own_stack(stacks: tuple[Stack, Stack], module: str, request_: Request) -> None:
    method, path, content_type, accept, body = request_
    headers = {"Content-Type": content_type, "Accept": accept}
    present = {name: value for name, value in headers.items() if value is not None}
    ours, awss = (stack.ask(module, method, path, present, body) for stack in stacks)
    assert ours == awss


def test_a_chunked_body_is_read_to_its_end(stacks: tuple[Stack, Stack]) -> None:
    answers = [
        stack.ask("defaults", "POST", "/invocations", {"Content-Type": JSON}, iter([b"[1,", b"2]"])) for stack in stacks
    ]
    assert [answer.body for answer in answers] == [b"[2.0, 4.0]"] * 2


def ask(port: int, body: str) -> Any:
    """The JSON that the server at `port` answers to `body`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/invocations", body.encode(), {"Content-Type": CSV, "Accept": JSON})
    try:
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    assert response.status == 200, content
    return json.loads(content)


REPORTS = """
    import json, os, time
    from threading import active_count

    def model_fn(model_dir):
        return os.getpid()

    def transform_fn(model_pid, seconds, content_type, accept):
        time.sleep(float(seconds))
        threads = os.environ.get("OMP_NUM_THREADS")
        return json.dumps({"pid": os.getpid(), "model_pid": model_pid, "threads": threads}), accept
"""


def test_the_model_is_loaded_once_and_all_workers_are_at_work(image_environment: Path, tmp_path: Path) -> None:
    with serving(image_environment, OURS, tmp_path / "m", REPORTS, SAGEMAKER_MODEL_SERVER_WORKERS="2") as port:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(port, "0.1"), range(8)))
    assert len({answer["pid"] for answer in answers}) == 2
    (model_pid,) = {answer["model_pid"] for answer in answers}
    assert model_pid not in {answer["pid"] for answer in answers}


def test_two_requests_at_once_never_wait_for_one_worker(image_environment: Path, tmp_path: Path) -> None:
    with serving(image_environment, OURS, tmp_path / "m", REPORTS, SAGEMAKER_MODEL_SERVER_WORKERS="2") as port:
        ask(port, "0")
        with ThreadPoolExecutor(2) as pool:
            pairs = [list(pool.map(lambda _: ask(port, "0.4")["pid"], range(2))) for _ in range(5)]
    assert all(first != second for first, second in pairs)


def test_with_more_threads_each_worker_loads_the_model(image_environment: Path, tmp_path: Path) -> None:
    with serving(image_environment, OURS, tmp_path / "m", REPORTS, OMP_NUM_THREADS="2") as port:
        answer = ask(port, "0")
    assert (answer["threads"], answer["model_pid"]) == ("2", answer["pid"])


def test_a_request_that_takes_too_long_ends_its_worker(image_environment: Path, tmp_path: Path) -> None:
    with serving(image_environment, OURS, tmp_path / "m", REPORTS, SAGEMAKER_MODEL_SERVER_TIMEOUT="1") as port:
        pid = ask(port, "0")["pid"]
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            ask(port, "30")
        assert ask(port, "0")["pid"] != pid


def test_requests_one_after_the_other_do_not_end_a_worker(image_environment: Path, tmp_path: Path) -> None:
    with serving(image_environment, OURS, tmp_path / "m", REPORTS, SAGEMAKER_MODEL_SERVER_TIMEOUT="1") as port:
        with ThreadPoolExecutor(4) as pool:
            pids = {answer["pid"] for answer in pool.map(lambda _: ask(port, "0.1"), range(30))}
    assert len(pids) == 1
