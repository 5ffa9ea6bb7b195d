"""Runs in the image: gunicorn with the model server's own settings before a handler that does nothing."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "infra" / "local_aws" / "sagemaker"))
import model_server  # noqa: E402


class DoNothing(model_server.ModelServer):
    def load(self) -> Any:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"{}"]

        return application


if __name__ == "__main__":
    DoNothing().run()
