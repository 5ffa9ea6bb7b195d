"""Starts moto's server with this package's backends in the place of moto's own."""

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from local_aws import config, connections, console, responses, untracked
from local_aws.applicationautoscaling import models as applicationautoscaling
from local_aws.athena import models as athena
from local_aws.authorization import enforcement, requests
from local_aws.budgets import models as budgets
from local_aws.cloudwatch import models as cloudwatch
from local_aws.events import models as events
from local_aws.gate import gate
from local_aws.glue import models as glue
from local_aws.iam import models as iam
from local_aws.logs import models as logs
from local_aws.s3 import models as s3
from local_aws.sagemaker import models as sagemaker
from local_aws.sagemakerruntime import models as sagemakerruntime
from local_aws.sns import models as sns
from local_aws.ssm import models as ssm
from local_aws.state import State
from local_aws.sts import models as sts

READS = ("Get", "BatchGet", "Describe", "List", "Search", "Lookup")
REPOSITORY = Path(__file__).resolve().parents[2]


def install_backends() -> None:
    """Replace moto's backends by the subclasses that really execute; before the first request."""
    responses.install()
    untracked.install()
    applicationautoscaling.install()
    athena.install()
    budgets.install()
    cloudwatch.install()
    iam.install()
    events.install()
    glue.install()
    logs.install()
    s3.install()
    sagemaker.install()
    sagemakerruntime.install()
    sns.install()
    ssm.install()
    sts.install()


class Dispatcher(DomainDispatcherApplication):
    """moto's, except that it looks through moto's folders once for a host and not again for every request, that what
    may change state passes the gate, and that there are pages for a browser."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The name of the service that answers for `host`."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if console.is_page(environ):
            from local_aws.console import pages  # only now: no start waits for it

            return pages.answer(environ, start_response)
        application = self.get_application(environ)
        judge = requests.answer if enforcement.is_active() and not console.is_caller(environ) else _answer
        if application.service == "sagemakerruntime" or _is_read(environ):
            return judge(application, environ, start_response)
        with gate.changing():
            return judge(application, environ, start_response)


def _answer(application: Any, environ: dict[str, Any], start_response: Any) -> Any:
    return application(environ, start_response)


def _is_read(environ: Mapping[str, Any]) -> bool:
    """Whether a request's method, or its operation where that isn't in the body, says that nothing changes."""
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if "HTTP_SMITHY_PROTOCOL" in environ:
        operation = environ["PATH_INFO"].rpartition("/")[2]
    return environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS") or operation.startswith(READS)


@dataclass
class Server:
    """A running local AWS; `url` is what goes into AWS_ENDPOINT_URL."""

    url: str
    _wsgi: BaseWSGIServer
    _thread: threading.Thread
    _connected: set[socket.socket]
    _watch: cloudwatch.Watch
    _state: State | None

    def stop(self) -> None:
        """Stop listening, end every query and all processes of jobs and endpoints, and keep the state."""
        self._watch.stop()
        sagemaker.shut_down()
        self._wsgi.shutdown()
        self._thread.join()
        connections.end(self._connected)
        self._wsgi.server_close()
        athena.shut_down()
        if self._state:
            self._state.close()
        enforcement.end()


def start(
    port: int,
    state_dir: Path,
    environments_dir: Path = REPOSITORY / ".envs",
    keep: bool = False,
    images_file: Path | None = None,
    enforce_iam: bool = False,
    record_calls: Path | None = None,
) -> Server:
    """Serve on 127.0.0.1:`port` (0 = any free one) in a thread, with what `state_dir` holds and will hold where `keep`
    is set; OSError where the port is taken or `record_calls` can't be written, StateError where the state can't be
    used."""
    enforcement.begin(enforce_iam, record_calls)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    state_dir.mkdir(parents=True, exist_ok=True)
    config.set_current(config.Config(url, state_dir.resolve(), environments_dir.resolve(), images_file))
    install_backends()
    state = State(state_dir.resolve()) if keep else None
    if state:
        state.load()
    connected: set[socket.socket] = set()
    handler = type("Connection", (connections.KeptConnection,), {"connected": connected})
    wsgi = make_server("127.0.0.1", port, Dispatcher(), threaded=True, request_handler=handler, fd=listener.fileno())
    listener.close()
    thread = threading.Thread(target=wsgi.serve_forever, name="local-aws", daemon=True)
    thread.start()
    if state:
        sagemaker.resume()
        state.start()
    return Server(url, wsgi, thread, connected, cloudwatch.Watch(), state)
