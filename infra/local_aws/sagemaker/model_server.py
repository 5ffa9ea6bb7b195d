"""The scikit-learn container's model server: /ping and /invocations over the user's model_fn and its companions.

Runs inside an image's environment and imports nothing of local AWS. The argument is where to listen, as gunicorn takes
it: for an endpoint a socket that it inherits (fd://3), in a container of its own an address (docs/docker.md).
"""

import collections
import collections.abc
import importlib
import importlib.util
import logging
import os
import subprocess
import sys
import traceback
import types
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker
from sagemaker_containers import _encoders as encoders
from werkzeug.exceptions import InternalServerError, MethodNotAllowed, NotFound
from werkzeug.utils import get_content_type

TEXT_TYPES = ("application/json", "text/csv")
DEFAULT_TYPE = "application/json"
HTML = "text/html; charset=utf-8"

StartResponse = Callable[..., Any]

# For user code that imports AWS's library, which is older than Python 3.12: their image mends it to the same effect.
collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
if importlib.util.find_spec("distutils") is None:
    distutils: Any = types.ModuleType("distutils")
    distutils.util = types.SimpleNamespace(strtobool=lambda text: int(text.lower() in ("y", "yes", "t", "true", "1")))
    sys.modules["distutils"] = distutils


class Handlers:
    """The user's functions, and AWS's defaults for those that the module leaves out; the model is loaded here."""

    def __init__(self, module: Any, model_dir: str) -> None:
        parts = [getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn")]
        transform_fn = getattr(module, "transform_fn", None)
        if transform_fn and any(parts):
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        if not hasattr(module, "model_fn"):
            raise NotImplementedError(f"{module.__name__} has no model_fn(model_dir): please provide one")
        self.input_fn: Callable[..., Any] = parts[0] or default_input_fn
        self.predict_fn: Callable[..., Any] = parts[1] or default_predict_fn
        self.output_fn: Callable[..., Any] = parts[2] or default_output_fn
        self.transform_fn: Callable[..., Any] = transform_fn or self.steps
        self.execution_parameters_fn: Callable[[], Any] | None = getattr(module, "execution_parameters_fn", None)
        self.model = module.model_fn(model_dir)

    def steps(self, model: Any, content: Any, content_type: str, accept: str) -> Any:
        """What a transform_fn returns, made by input_fn, predict_fn and output_fn in turn."""
        return self.output_fn(self.predict_fn(self.input_fn(content, content_type), model), accept)


def default_input_fn(content: Any, content_type: str) -> Any:
    """A numpy array, of 32-bit floats where the content is text."""
    array = encoders.decode(content, content_type)
    return array.astype(numpy.float32) if content_type in TEXT_TYPES else array


def default_predict_fn(given: Any, model: Any) -> Any:
    """What the model predicts."""
    return model.predict(given)


def default_output_fn(prediction: Any, accept: str) -> tuple[Any, str]:
    """The prediction as JSON, CSV or NPY."""
    return encoders.encode(prediction, accept), accept


class Server:
    """The WSGI application; it answers as AWS's, which is one of Flask's, does."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_TYPE)
        self.views: dict[str, tuple[list[str], Callable[[dict[str, Any]], Any]]] = {
            "/invocations": (["POST", "OPTIONS"], self.invocations),
            "/ping": (["HEAD", "OPTIONS", "GET"], lambda _: (b"", DEFAULT_TYPE)),
        }
        if handlers.execution_parameters_fn:
            view = handlers.execution_parameters_fn
            self.views["/execution-parameters"] = (["HEAD", "OPTIONS", "GET"], lambda _: _flask().make_response(view()))
        # Only a module that has imported Flask can ask for `flask.request`, the one way to a request's other headers.
        self.context: Callable[[Any], AbstractContextManager[Any]] = (
            _flask().request_context if "flask" in sys.modules else nullcontext
        )

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        methods, view = self.views.get(environ["PATH_INFO"], ([], None))
        method = environ["REQUEST_METHOD"]
        if view is None:
            return NotFound()(environ, start_response)
        if method not in methods:
            return MethodNotAllowed(methods)(environ, start_response)
        if method == "OPTIONS":
            return answer(start_response, b"", HTML, ("Allow", ", ".join(methods)))
        try:
            with self.context(environ):
                result = view(environ)
            if isinstance(result, tuple) and isinstance(result[0], str | bytes):
                return answer(start_response, result[0], get_content_type(result[1] or DEFAULT_TYPE, "utf-8"))
            if isinstance(result, str | bytes):
                return answer(start_response, result, HTML)
            application = result if callable(result) else flask_response(result)
            answered: Iterable[bytes] = application(environ, start_response)
            return answered
        except Exception:  # any error in the user's functions is a 500, as in AWS's container
            traceback.print_exc()
            return InternalServerError()(environ, start_response)

    def invocations(self, environ: dict[str, Any]) -> Any:
        """What the user's functions return for a request."""
        content: Any = environ["wsgi.input"].read()
        content_type = environ.get("HTTP_CONTENTTYPE") or environ.get("CONTENT_TYPE") or DEFAULT_TYPE
        accept = environ.get("HTTP_ACCEPT") or "*/*"
        if accept == "*/*":
            accept = self.default_accept
        if content_type in TEXT_TYPES:
            content = content.decode(errors="replace")  # as werkzeug does in AWS's stack
        return self.handlers.transform_fn(self.handlers.model, content, content_type, accept)


def answer(start_response: StartResponse, body: str | bytes, content_type: str, *more: tuple[str, str]) -> list[bytes]:
    """One WSGI response."""
    content = body.encode() if isinstance(body, str) else body
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(content))), *more])
    return [content]


def flask_response(result: Any) -> Any:
    """What AWS's transformer and Flask make of what is neither text nor a response."""
    if isinstance(result, tuple):
        from sagemaker_containers._worker import Response

        return Response(response=result[0], mimetype=result[1])
    return _flask().make_response(result)


@cache
def _flask() -> Any:
    from flask import Flask

    return Flask("model_server")


class Worker(ThreadWorker):
    """gunicorn's worker for kept connections, except that what it is at counts.

    At work it takes no new connection, so that an idle worker does; and it gives no sign of life, so that gunicorn
    kills it where one request takes longer than the timeout.
    """

    _requests = 0

    def accept(self, listener: Any) -> None:
        """Take a new connection, unless one was taken since the listener was seen to have some."""
        if not self._requests:
            super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """A request has come in."""
        self.notify()
        self._requests += 1
        self.set_accept_enabled(False)
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A request has been answered."""
        self._requests -= 1
        super().finish_request(conn, fs)
        super().notify()
        for listener in self.sockets if self.alive else ():  # one, also where others are waiting here: all get a turn
            self.accept(listener)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take new connections, or no more."""
        super().set_accept_enabled(enabled and not self._requests)

    def notify(self) -> None:
        """Tell gunicorn's master that all is well, unless a request is under way."""
        if not self._requests:
            super().notify()


def base_folder() -> str:
    """Where the model and its code are."""
    return os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")


def code_folder() -> str:
    """Where the user's module is."""
    base = base_folder()
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or f"{base}/model/code"
    return base + code.removeprefix("/opt/ml") if code.startswith("/opt/ml/") else code


def install_requirements(code: str) -> None:
    """Install the module's requirements.txt, as AWS's container does before it starts to serve."""
    if os.path.exists(f"{code}/requirements.txt"):
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-r", "requirements.txt"]
        subprocess.run(pip, cwd=code, check=True)
        importlib.invalidate_caches()


def load() -> Server:
    """The application for the module that SAGEMAKER_PROGRAM names, with its model in memory."""
    sys.path.insert(0, code_folder())
    module = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    return Server(Handlers(module, f"{base_folder()}/model"))


class ModelServer(BaseApplication):
    """gunicorn, set up for one prediction at a time per worker on connections that are kept open."""

    def load_config(self) -> None:
        options = {
            "bind": sys.argv[1],
            "workers": int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1),
            "worker_class": Worker,
            "threads": 1,
            "keepalive": 75,
            "timeout": int(os.environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60")),
            # OpenMP's threads do not survive a fork: only where there are none may the model be loaded before it.
            "preload_app": os.environ.get("OMP_NUM_THREADS") == "1",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
        }
        if "control_socket_disable" in self.cfg.settings:  # gunicorn 26 makes one in HOME, too deep for a socket
            options["control_socket_disable"] = True
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Server:
        return load()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    install_requirements(code_folder())
    ModelServer().run()
