"""A split, as SageMaker lays it into a folder: Parquet files, and what Athena leaves beside them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyarrow import ArrowInvalid, dataset

UNLOAD_LEFTOVERS = ("-manifest.csv", ".metadata")


class DataError(Exception):
    """What is wrong with what came in the channels."""


class Split(NamedTuple):
    """The rows of a channel, and what became of each."""

    frame: pd.DataFrame
    labels: np.ndarray


def read_split(
    name: str, folder: Path, key: Sequence[str], required: Iterable[str], optional: Iterable[str] = (), *, label: str
) -> Split:
    """The channel's rows and their labels, the `optional` columns where it has them; DataError where they are of no
    use."""
    frame = read_rows(name, folder, key, [label, *required], optional)
    if frame[label].isna().any():
        raise DataError(f"channel '{name}': the label '{label}' is missing in {frame[label].isna().sum()} rows")
    labels = frame.pop(label).astype(bool).to_numpy()
    if labels.all() or not labels.any():
        raise DataError(f"channel '{name}': the label '{label}' has one value only, {labels[0]}")
    return Split(frame, labels)


def read_rows(
    name: str, folder: Path, key: Sequence[str], required: Iterable[str], optional: Iterable[str] = ()
) -> pd.DataFrame:
    """The channel's rows in the order of their `key`, with the `optional` columns that it has; DataError where there
    are none, or a column is lacking."""
    # Athena's UNLOAD names its Parquet files without an ending, and leaves its own two files beside them.
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(UNLOAD_LEFTOVERS)]
    if not files:
        raise DataError(f"channel '{name}' is empty: no Parquet files in {folder}")
    try:
        source = dataset.dataset(files, format="parquet")
        known = source.schema.names
        columns = list(dict.fromkeys([*required, *key, *(column for column in optional if column in known)]))
        if missing := [column for column in columns if column not in known]:
            raise DataError(f"channel '{name}' lacks the column(s) {', '.join(missing)}")
        # Athena writes rows in any order: sorted, the same data gives the same model.
        frame = source.to_table(columns=columns).sort_by([(column, "ascending") for column in key]).to_pandas()
    except ArrowInvalid as error:
        raise DataError(f"channel '{name}' holds a file that is not Parquet: {error}") from error
    if frame.empty:
        raise DataError(f"channel '{name}' has files but no rows")
    return frame
