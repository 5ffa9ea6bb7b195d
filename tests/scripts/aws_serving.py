"""Runs in the image: the module of SAGEMAKER_PROGRAM behind AWS's own transformer, worker and gunicorn.

The argument is where to listen, as gunicorn takes it. Without Docker, two things of AWS's image are missing: nginx in
front, and the package with scikit-learn's defaults, which no registry has: they stand here in words of our own.
"""

import collections.abc
import importlib
import os
import sys
import types
from typing import Any

import numpy
from gunicorn.app.base import BaseApplication

# AWS's library is older than Python 3.12; their image mends it so: Mapping where it was once, setuptools' distutils.
collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
sys.modules["distutils"] = types.ModuleType("distutils")
sys.modules["distutils"].util = types.SimpleNamespace(strtobool=lambda text: int(text == "true"))  # type: ignore

from sagemaker_containers import _content_types, _encoders, _transformer, _worker  # noqa: E402


def default_input_fn(content: Any, content_type: str) -> Any:
    array = _encoders.decode(content, content_type)
    return array.astype(numpy.float32) if content_type in _content_types.UTF8_TYPES else array


def default_predict_fn(array: Any, model: Any) -> Any:
    return model.predict(array)


def application(module: Any) -> Any:
    """AWS's Flask application for the module's handlers, its model loaded."""
    transform_fn = getattr(module, "transform_fn", None)
    if transform_fn:
        steps = {"transform_fn": transform_fn}
    else:
        steps = {
            "input_fn": getattr(module, "input_fn", default_input_fn),
            "predict_fn": getattr(module, "predict_fn", default_predict_fn),
            "output_fn": getattr(module, "output_fn", _transformer.default_output_fn),
        }
    transformer = _transformer.Transformer(model_fn=module.model_fn, **steps)
    transformer.initialize()
    parameters_fn = getattr(module, "execution_parameters_fn", None)
    return _worker.Worker(transformer.transform, module_name=module.__name__, execution_parameters_fn=parameters_fn)


class Server(BaseApplication):
    """gunicorn as AWS's container starts it."""

    def load_config(self) -> None:
        workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1)
        options = {"bind": sys.argv[1], "worker_class": "gevent", "workers": workers, "timeout": 60}
        options["worker_connections"] = 1000 * workers
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return application(importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py")))


if __name__ == "__main__":
    Server().run()
