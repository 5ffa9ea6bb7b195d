"""Train, validation and test, split by time and left as Parquet prefixes for SageMaker's channels."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from silverline import months, silver, sql
from silverline.platform import Platform
from silverline.spec import PipelineSpec


def unload(platform: Platform, spec: PipelineSpec, splits: Mapping[str, Sequence[str]], run: str) -> dict[str, Any]:
    """Write each split under the run's prefix; returns the prefix, the version of the data it was made from, and of
    each of its months the run that computed it."""
    published = silver.published_months(platform, spec.feature_table)
    prefix = f"s3://{platform.silver_bucket}/{spec.name}/splits/{run}/"
    for name, (first_month, last_month) in splits.items():
        print(f"unloading {name} by glue_like_sql/{spec.name}/splits/split.sql", flush=True)
        statement = sql.render(
            spec.name,
            "splits/split",
            silver=platform.silver_database,
            split=name,
            months=_months(spec, published, (first_month, last_month)),
        )
        # wr.athena.unload would leave Athena's manifest among the data, and SageMaker would hand it to the script.
        unload = f"unload (\n{statement}\n) to '{prefix}{name}/' with (format = 'PARQUET', compression = 'SNAPPY')"
        sql.execute(unload, platform.silver_database, platform)
        print(f"unloaded {name}: {first_month} to {last_month}", flush=True)
    runs = silver.runs(platform, spec.feature_table)
    return {
        "prefix": prefix,
        "data_version": _version(spec, published, splits),
        "silver_runs": {month: runs[month] for cut in splits.values() for month in _months(spec, published, cut)},
    }


def data_version(platform: Platform, spec: PipelineSpec, splits: Mapping[str, Sequence[str]]) -> str:
    """A hash of the bronze files and the SQL behind every month of every split, and of where the splits are cut."""
    return _version(spec, silver.published_months(platform, spec.feature_table), splits)


def _version(spec: PipelineSpec, published: Mapping[str, str], splits: Mapping[str, Sequence[str]]) -> str:
    used = {name: [published[month] for month in _months(spec, published, cut)] for name, cut in sorted(splits.items())}
    return hashlib.sha256(repr(used).encode()).hexdigest()[:16]


def _months(spec: PipelineSpec, published: Mapping[str, str], cut: Sequence[str]) -> list[str]:
    first, last = cut
    return months.counted(first, last, published, spec.split_by)
