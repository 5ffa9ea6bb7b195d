"""Asks one HTTP server the same thing over and over, on kept connections, and measures what it takes to answer."""

import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Measured:
    """How long each answer took, and in each round the requests per second."""

    latencies: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def percentile_ms(self, percent: int) -> float:
        """The latency that `percent` of the requests stay below, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


class Connection:
    """A kept connection, and the answer that is coming in on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        self._received = b""

    def send(self, request: bytes) -> None:
        """Ask."""
        self._received = b""
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what is there; whether the answer is complete. AssertionError where it is not a 200."""
        self._received += self.socket.recv(65536) or b"\r\n\r\n"  # closed: what is there has to be all
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        assert head.split(b" ", 2)[1] == b"200", self._received.decode(errors="replace")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return len(body) >= int(length)


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST request as it is sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def measure(port: int, request: bytes, connections: int, seconds: float, measured: Measured) -> None:
    """Send `request` on each of `connections` as soon as its last one is answered, for `seconds`."""
    selector = selectors.DefaultSelector()
    opened = [Connection(port) for _ in range(connections)]
    begin = time.perf_counter()
    for connection in opened:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
    before, waiting = len(measured.latencies), len(opened)
    while waiting:
        ready = selector.select(60)
        assert ready, f"port {port} has not answered in a minute"
        for key, _ in ready:
            connection = key.data
            if not connection.receive():
                continue
            now = time.perf_counter()
            measured.latencies.append(now - connection.sent)
            if now - begin < seconds:
                connection.send(request)
            else:
                waiting -= 1
    measured.rates.append((len(measured.latencies) - before) / (time.perf_counter() - begin))
    for connection in opened:
        connection.socket.close()
