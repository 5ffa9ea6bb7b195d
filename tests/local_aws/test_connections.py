"""A connection is kept for the next request, whatever the last one was."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

BUCKET = "connections"
SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
Kept = http.client.HTTPConnection


@pytest.fixture
def kept(local_aws: Any) -> Iterator[Kept]:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    connection = Kept(urlsplit(local_aws.url).netloc, timeout=60)
    connection.connect()
    yield connection
    connection.close()


def ask(kept: Kept, method: str, key: str, body: Any = None, **options: Any) -> tuple[int, bytes]:
    """The status and body of a request for an object; AssertionError where the connection did not outlive it."""
    before = kept.sock
    kept.request(method, f"/{BUCKET}/{key}", body, {"Authorization": SIGNED}, **options)
    response = kept.getresponse()
    answer = response.status, response.read()
    assert kept.sock is before
    return answer


def test_requests_of_all_sorts_share_a_connection(kept: Kept) -> None:
    assert ask(kept, "PUT", "a", b"some text")[0] == 200
    assert ask(kept, "GET", "a") == (200, b"some text")
    assert ask(kept, "HEAD", "a") == (200, b"")
    assert ask(kept, "PUT", "chunked", iter([b"in ", b"parts"]), encode_chunked=True)[0] == 200
    assert ask(kept, "GET", "chunked") == (200, b"in parts")
    assert ask(kept, "GET", "nothing")[0] == 404
    assert ask(kept, "HEAD", "nothing") == (404, b"")
    assert ask(kept, "DELETE", "a") == (204, b"")
    assert ask(kept, "GET", "a")[0] == 404


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request(kept: Kept) -> None:
    assert ask(kept, "GET", "nothing", b"GET / HTTP/1.1\r\n" * 1000)[0] == 404
    assert ask(kept, "PUT", "after", b"x")[0] == 200


def test_a_request_that_follows_at_once_is_answered(kept: Kept) -> None:
    """werkzeug throws away what comes within 10 ms of its answer."""
    request = f"HEAD /{BUCKET}/nothing HTTP/1.1\r\nHost: local\r\n\r\n".encode()
    kept.sock.sendall(request * 3)
    received = b""
    while received.count(b"HTTP/1.1 404") < 3:
        received += kept.sock.recv(65536)
    assert received.count(b"Connection: keep-alive") == 3


def test_a_client_that_asks_first_may_send_its_body(kept: Kept) -> None:
    head = f"PUT /{BUCKET}/asked HTTP/1.1\r\nHost: local\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
    head += f"Authorization: {SIGNED}\r\n\r\n"
    kept.sock.sendall(head.encode())
    assert kept.sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    kept.sock.sendall(b"body")
    assert kept.sock.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_client_that_wants_the_connection_closed_gets_it_closed(kept: Kept) -> None:
    kept.request("GET", f"/{BUCKET}/nothing", headers={"Connection": "close"})
    assert kept.getresponse().getheader("Connection") == "close"
