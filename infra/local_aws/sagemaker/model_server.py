"""The scikit-learn container's model server: /ping and /invocations over the user's model_fn and its companions.

Runs inside an image's environment, on a listening socket that it inherits; imports nothing of local AWS.
"""

import importlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import numpy
from gunicorn.app.base import BaseApplication
from sagemaker_containers import _encoders as encoders
from sagemaker_containers._errors import UnsupportedFormatError

TEXT_TYPES = ("application/json", "text/csv")
DEFAULT_TYPE = "application/json"

logger = logging.getLogger("model_server")


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
        # As in AWS's container, an unsupported format is the client's fault only where AWS's own default finds it so.
        self._input_error = () if parts[0] else UnsupportedFormatError
        self._output_error = () if parts[2] else UnsupportedFormatError
        self.transform_fn: Callable[..., Any] = transform_fn or self.steps
        self.model = module.model_fn(model_dir)

    def steps(self, model: Any, content: Any, content_type: str, accept: str) -> Any:
        """What a transform_fn returns, made by input_fn, predict_fn and output_fn in turn."""
        try:
            given = self.input_fn(content, content_type)
        except self._input_error as error:
            return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error)
        prediction = self.predict_fn(given, model)
        try:
            return self.output_fn(prediction, accept)
        except self._output_error as error:
            return Refusal(HTTPStatus.NOT_ACCEPTABLE, error)


class Refusal:
    """The answer to a content type that nobody handles, with the body that AWS's container gives it."""

    def __init__(self, status: HTTPStatus, error: Exception) -> None:
        self.status = status
        body = {
            "error": type(error).__name__,
            "error-message": str(error),
            "stack-trace": traceback.format_exc(),
        }
        self.body = json.dumps(body).encode()


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
    """The WSGI application."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", DEFAULT_TYPE)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == "/ping":
            return answer(start_response, HTTPStatus.OK, b"", DEFAULT_TYPE)
        if path != "/invocations":
            return answer(start_response, HTTPStatus.NOT_FOUND, b"", DEFAULT_TYPE)
        if method != "POST":
            return answer(start_response, HTTPStatus.METHOD_NOT_ALLOWED, b"", DEFAULT_TYPE)
        content: Any = environ["wsgi.input"].read()
        content_type = environ.get("CONTENT_TYPE") or DEFAULT_TYPE
        accept = environ.get("HTTP_ACCEPT") or "*/*"
        if accept == "*/*":
            accept = self.default_accept
        try:
            if content_type in TEXT_TYPES:
                content = content.decode(errors="replace")  # as werkzeug does in AWS's stack
            result = self.handlers.transform_fn(self.handlers.model, content, content_type, accept)
        except Exception:  # any error in the user's functions is a 500, as in AWS's container
            traceback.print_exc()
            return answer(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL_ERROR, "text/html; charset=utf-8")
        if isinstance(result, Refusal):
            return answer(start_response, result.status, result.body, DEFAULT_TYPE)
        if isinstance(result, tuple):
            return answer(start_response, HTTPStatus.OK, result[0], result[1])
        if callable(result):  # a Flask or Werkzeug Response
            response: Iterable[bytes] = result(environ, start_response)
            return response
        return answer(start_response, HTTPStatus.OK, result, "text/html; charset=utf-8")


_INTERNAL_ERROR = (
    b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"
    b"<p>The server encountered an internal error and was unable to complete your request. "
    b"The endpoint's log has the traceback.</p>\n"
)


def answer(start_response: Callable[..., Any], status: HTTPStatus, body: Any, content_type: str) -> Iterable[bytes]:
    """One WSGI response."""
    content = body.encode() if isinstance(body, str) else bytes(body)
    start_response(
        f"{status.value} {status.phrase}", [("Content-Type", content_type), ("Content-Length", str(len(content)))]
    )
    return [content]


def load() -> Server:
    """The application for the module that SAGEMAKER_PROGRAM names, with its model in memory."""
    base = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or f"{base}/model/code"
    if base != "/opt/ml" and code.startswith("/opt/ml/"):
        code = base + code.removeprefix("/opt/ml")
    sys.path.insert(0, code)
    module = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    return Server(Handlers(module, f"{base}/model"))


class ModelServer(BaseApplication):
    """gunicorn, set up for one prediction at a time per worker on connections that are kept open."""

    def load_config(self) -> None:
        options = {
            "bind": f"fd://{sys.argv[1]}",
            "workers": int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1),
            # Its "sync" worker closes every connection; this one keeps them.
            "worker_class": "gthread",
            "threads": 1,
            "keepalive": 75,
            "timeout": int(os.environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60")),
            # OpenMP's threads do not survive a fork: only where there are none may the model be loaded before it.
            "preload_app": os.environ.get("OMP_NUM_THREADS") == "1",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Server:
        return load()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    ModelServer().run()
