"""HTTP connections that are kept for a client's next request, where werkzeug's close after each and wait 10 ms more."""

import contextlib
import io
import socket
import time
import traceback
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError

IDLE_SECONDS = 300.0
LAST_ANSWERS_SECONDS = 2.0


class KeptConnection(MotoRequestHandler):
    """moto's requests on one connection; a body is read whole before its request is carried out, so that nothing of it
    is left where the next request begins."""

    connected: set[socket.socket] = set()  # a server's own, so that it can end them
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # a response goes out in one piece

    def setup(self) -> None:
        """Begin."""
        super().setup()
        self.connected.add(self.connection)

    def finish(self) -> None:
        """End."""
        self.connected.discard(self.connection)
        super().finish()

    def handle_expect_100(self) -> bool:
        """Let the client send its body."""
        go_on: bool = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.environ = self.make_environ()
        if environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read()
        else:
            body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            status, headers, content = self._call(self.server.app, environ)
        except Exception:
            self.server.log("error", "%s %s: %s", self.command, self.path, traceback.format_exc())
            status, headers, content = self._call(InternalServerError(), environ)
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        has_body = int(code) >= 200 and int(code) not in (204, 304)
        if has_body and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def _call(self, application: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """A WSGI application's status, headers and body."""
        started: list[Any] = []
        parts = application(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
        try:
            content = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        status, headers = started[-1]
        return status, headers, content


def end(connected: set[socket.socket]) -> None:
    """Take no further request on any of a server's connections, and wait a while for the answers under way."""
    for connection in list(connected):
        with contextlib.suppress(OSError):  # its client has ended it
            connection.shutdown(socket.SHUT_RD)
    until = time.monotonic() + LAST_ANSWERS_SECONDS
    while connected and time.monotonic() < until:
        time.sleep(0.01)
