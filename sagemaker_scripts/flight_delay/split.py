"""A split of the flights, as SageMaker lays it into a folder: Parquet files, and what Athena leaves beside them."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyarrow import ArrowInvalid, dataset

# What tells one row from another.
KEY = ["scheduled_departure_at", "carrier", "flight_number", "origin"]
UNLOAD_LEFTOVERS = ("-manifest.csv", ".metadata")


class DataError(Exception):
    """What is wrong with what came in the channels."""


class Split(NamedTuple):
    """The rows of a channel, and what became of each."""

    frame: pd.DataFrame
    labels: np.ndarray


def read_split(name: str, folder: Path, label: str, required: Iterable[str], optional: Iterable[str] = ()) -> Split:
    """The channel's rows, the `optional` columns where it has them; DataError where they are of no use."""
    # Athena's UNLOAD names its Parquet files without an ending, and leaves its own two files beside them.
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(UNLOAD_LEFTOVERS)]
    if not files:
        raise DataError(f"channel '{name}' is empty: no Parquet files in {folder}")
    try:
        source = dataset.dataset(files, format="parquet")
        known = source.schema.names
        columns = list(dict.fromkeys([label, *KEY, *required, *(column for column in optional if column in known)]))
        if missing := [column for column in columns if column not in known]:
            raise DataError(f"channel '{name}' lacks the column(s) {', '.join(missing)}")
        # Athena writes rows in any order: sorted, the same data gives the same model.
        frame = source.to_table(columns=columns).sort_by([(column, "ascending") for column in KEY]).to_pandas()
    except ArrowInvalid as error:
        raise DataError(f"channel '{name}' holds a file that is not Parquet: {error}") from error
    if frame.empty:
        raise DataError(f"channel '{name}' has files but no rows")
    if frame[label].isna().any():
        raise DataError(f"channel '{name}': the label '{label}' is missing in {frame[label].isna().sum()} rows")
    labels = frame.pop(label).astype(bool).to_numpy()
    if labels.all() or not labels.any():
        raise DataError(f"channel '{name}': the label '{label}' has one value only, {labels[0]}")
    return Split(frame, labels)
