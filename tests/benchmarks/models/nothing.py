"""A model that does nothing: what is left of a request is the server's own work."""

from typing import Any


def model_fn(model_dir: str) -> None:
    return None


def input_fn(body: Any, content_type: str) -> Any:
    return body


def predict_fn(body: Any, model: None) -> Any:
    return body


def output_fn(body: Any, accept: str) -> tuple[Any, str]:
    return body, accept
