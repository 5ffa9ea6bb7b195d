"""The graph of datasets that OpenLineage's events make."""

import json
from collections import defaultdict
from pathlib import Path

TRANSPORT = "AIRFLOW__OPENLINEAGE__TRANSPORT"


def transport(events: Path) -> dict[str, str]:
    """What has Airflow append its events to that file, a line each."""
    return {TRANSPORT: json.dumps({"type": "file", "log_file_path": str(events), "append": True})}


def ancestors(events: Path, dataset: str) -> set[str]:
    """All datasets that `dataset` is made of, of what these are made of, and so on: as <namespace>/<name>."""
    made_of: dict[str, set[str]] = defaultdict(set)
    read: dict[str, set[str]] = defaultdict(set)
    written: dict[str, set[str]] = defaultdict(set)
    for event in map(json.loads, events.read_text().splitlines()):
        for runs, side in ((read, "inputs"), (written, "outputs")):
            runs[event["run"]["runId"]] |= {f"{one['namespace']}/{one['name']}" for one in event.get(side, [])}
    for run, outputs in written.items():
        for output in outputs:
            made_of[output] |= read[run]
    found: set[str] = set()
    ahead = {dataset}
    while ahead:
        found |= ahead
        ahead = {source for one in ahead for source in made_of.get(one, ())} - found
    return found - {dataset}
