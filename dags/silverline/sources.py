"""What a pipeline is made of, month by month: raw files of bronze, and silver tables that other pipelines publish."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from silverline import bronze, silver
from silverline.bronze import File
from silverline.platform import Platform
from silverline.spec import PipelineSpec


def monthly(spec: PipelineSpec) -> tuple[str, ...]:
    """The tables that have to have every month, bronze's by their names, silver's as <pipeline>.<table>."""
    return (*spec.monthly_sources, *spec.silver_sources)


def inventory(platform: Platform, spec: PipelineSpec, files: Sequence[File]) -> dict[str, dict[str, str]]:
    """Of each month those of the tables that have it, and a hash of what is in it."""
    months = bronze.inventory(files, spec.monthly_sources)
    for source in spec.silver_sources:
        for month, made_of in _published(platform, source).items():
            months.setdefault(month, {})[source] = made_of
    return months


def manifest(platform: Platform, spec: PipelineSpec, files: Sequence[File], as_of: str) -> dict[str, Any]:
    """What silver is made of up to `as_of`: the versions of all raw files, and of each silver table what its months
    were made of in their turn."""
    made = bronze.manifest(platform, files, spec.reference_sources, as_of)
    if spec.silver_sources:
        made["silver"] = {
            source: {month: made_of for month, made_of in _published(platform, source).items() if month <= as_of}
            for source in spec.silver_sources
        }
    return made


def changed(platform: Platform, manifest: Mapping[str, Any], months: Collection[str | None]) -> list[str]:
    """What has come, gone or been replaced in `months` since `manifest` was made: files, None being the month of those
    without one, and months of silver tables."""
    found = bronze.changed(platform, manifest, months)
    for source, known in manifest.get("silver", {}).items():
        now = _published(platform, source)
        found += [f"{source} of {month}" for month in months if month and known.get(month) != now.get(month)]
    return sorted(found)


def table_of(source: str) -> str:
    """The table of a silver source, <pipeline>.<table>."""
    return source.partition(".")[2]


def _published(platform: Platform, source: str) -> dict[str, str]:
    return silver.published_months(platform, table_of(source))
