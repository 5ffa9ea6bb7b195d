"""Runs in the image: inference.py behind the transformer and worker of AWS's container, one JSON request a line."""

import collections.abc
import json
import sys
import types

import inference

# AWS's library is older than Python 3.12; their image mends it so: Mapping where it was once, setuptools' distutils.
collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
sys.modules["distutils"] = types.ModuleType("distutils")
sys.modules["distutils"].util = types.SimpleNamespace(strtobool=lambda text: int(text == "true"))  # type: ignore

from sagemaker_containers._transformer import Transformer  # noqa: E402
from sagemaker_containers._worker import Worker  # noqa: E402

transformer = Transformer(inference.model_fn, inference.input_fn, inference.predict_fn, inference.output_fn)
transformer.initialize()
client = Worker(transformer.transform, module_name="inference").test_client()

for line in sys.stdin:
    request = json.loads(line)
    headers = {"Content-Type": request["content_type"], "Accept": request["accept"]}
    answer = client.post("/invocations", data=request["body"].encode(), headers=headers)
    print(
        json.dumps(
            {"status": answer.status_code, "content_type": answer.mimetype, "body": answer.get_data(as_text=True)}
        ),
        flush=True,
    )
