"""A model out of its archive, asked as it would be through an endpoint: by the inference.py that was packed with it."""

import importlib.util
import json
import sys
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from split import DataError

ROWS_A_REQUEST = 2000


class Archive(NamedTuple):
    """A model as it would be served: the handlers of its own inference.py, and what its metadata says of it."""

    handlers: Any
    model: Any
    metadata: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """Those that it takes."""
        return [column["name"] for column in self.metadata["columns"]]


def unpack(archive: Path, folder: Path) -> Path:
    """The folder, with the archive's files in it."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def load(name: str, folder: Path) -> Archive:
    """The model in an unpacked model.tar.gz, behind the handlers that were packed with it."""
    code = folder / "code"
    spec = importlib.util.spec_from_file_location(f"inference_{name}", code / "inference.py")
    if spec is None or spec.loader is None:
        raise DataError(f"the {name}'s archive has no code/inference.py")
    handlers = importlib.util.module_from_spec(spec)
    # What it imports lies beside it, and another archive has another of the same name: neither is to meet the other's.
    beside = [path.stem for path in code.glob("*.py")]
    known = {module: sys.modules.pop(module) for module in beside if module in sys.modules}
    sys.path.insert(0, str(code))
    try:
        spec.loader.exec_module(handlers)
    finally:
        sys.path.remove(str(code))
        for module in beside:
            sys.modules.pop(module, None)
        sys.modules.update(known)
    metadata = json.loads((folder / "metadata.json").read_text())
    return Archive(handlers, handlers.model_fn(str(folder)), metadata)


def ask(name: str, archive: Archive, frame: pd.DataFrame) -> pd.DataFrame:
    """What the model answers to every row, asked as it would be through an endpoint; DataError where it refuses one."""
    columns = [column for column in archive.columns if column in frame]
    known = frame[columns].astype(object).where(frame[columns].notna(), None)
    handlers, predictions = archive.handlers, []
    for start in range(0, len(known), ROWS_A_REQUEST):
        request = json.dumps(known[start : start + ROWS_A_REQUEST].to_dict("records"))
        records = handlers.input_fn(request, "application/json")
        answer = handlers.output_fn(handlers.predict_fn(records, archive.model), "application/json")
        if answer.status_code != 200:
            raise DataError(f"the {name} refuses rows of the test split: {answer.get_data(as_text=True)}")
        predictions += json.loads(answer.get_data())["predictions"]
    return pd.DataFrame(predictions)
