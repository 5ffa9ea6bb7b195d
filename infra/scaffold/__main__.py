"""`python -m scaffold`: what `make new` calls."""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.table import Table

from laptop.services import ServiceError
from laptop.settings import REPOSITORY, make
from scaffold import choices, contract, raw_files
from scaffold.columns import Column, read
from scaffold.description import describe
from silverline.spec import Spec, Stage

DATA = REPOSITORY / "data"
STYLE = REPOSITORY / "pyproject.toml"
FILES = {
    "dag.py": "dags/{name}.py",
    "batch.py": "dags/{name}_batch.py",
    "train.py": "sagemaker_scripts/{name}/train.py",
    "checked.sql": "glue_like_sql/{name}/staging/checked_{name}.sql",
    "features.sql": "glue_like_sql/{name}/silver/{name}_features.sql",
    "quarantine.sql": "glue_like_sql/{name}/silver/{name}_quarantine.sql",
    "split.sql": "glue_like_sql/{name}/splits/split.sql",
    "row_counts.sql": "glue_like_sql/{name}/audit/row_counts.sql",
    "audit.sql": "glue_like_sql/{name}/audit/features.sql",
    "requests.sql": "glue_like_sql/{name}/gold/requests.sql",
    "records.sql": "glue_like_sql/{name}/gold/records.sql",
    "predictions.sql": "glue_like_sql/{name}/gold/{name}_predictions.sql",
    "summary.sql": "glue_like_sql/{name}/gold/summary.sql",
    "audit_predictions.sql": "glue_like_sql/{name}/audit/gold/predictions.sql",
    "test.py": "tests/sql/test_{name}.py",
}
SHARED = (
    *("archive", "bootstrap", "classifier", "evaluate", "event_files", "inference", "measures", "metrics"),
    *("model_quality", "records", "split", "training"),
)
"""The scripts of a classifier that are linked into the pipeline's folder."""


# SQL files are templates of their own: what is filled in here has other brackets.
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("template")),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    block_start_string="[%",
    block_end_string="%]",
    variable_start_string="[[",
    variable_end_string="]]",
    comment_start_string="[#",
    comment_end_string="#]",
)


def new(arguments: argparse.Namespace, console: Console) -> None:
    """Write a pipeline's files and lay its data; ServiceError, before anything is written, where that can't be."""
    name = arguments.name
    try:
        Spec(name=name, description="", stages=(Stage(published=("features",), audit="features"),))
    except ValueError as error:
        raise ServiceError(str(error)) from None
    if name.endswith("_batch") or name in ("monitoring", "silverline"):
        raise ServiceError(f"NAME={name} would be taken for something else: use another")
    path = Path(arguments.file).expanduser()
    targets = {template: REPOSITORY / place.format(name=name) for template, place in FILES.items()}
    folders = [REPOSITORY / folder / name for folder in ("glue_like_sql", "sagemaker_scripts", "data")]
    if there := [str(one.relative_to(REPOSITORY)) for one in (*targets.values(), *folders) if one.exists()]:
        raise ServiceError(f"there is a pipeline {name} already, nothing is overwritten: {', '.join(there)}")
    form, columns = read(path)
    left_out = choices.named(columns, "WITHOUT", arguments.without)
    time = choices.time(columns, arguments.time, console)
    key = choices.named(columns, "KEY", arguments.key) or choices.key(columns)
    label = choices.label(
        columns, arguments.label, {one.name for one in (time, *key) if one and len(key) < len(columns)}
    )
    described = describe(name, form, columns, time, key, label, left_out)

    written = {
        target: TEMPLATES.get_template(f"{template}.j2").render(described) for template, target in targets.items()
    }
    for target, text in written.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    # Lists are long or short: ruff knows how they are written then.
    scripts = [str(path) for path in written if path.suffix == ".py"]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--config", str(STYLE), *scripts], check=True)
    contract_file = REPOSITORY / "glue_like_sql" / name / "bronze" / f"{name}.json"
    contract_file.parent.mkdir(parents=True)
    contract_file.write_text(contract.text(described["contract"]))
    for script in SHARED:
        (REPOSITORY / "sagemaker_scripts" / name / f"{script}.py").symlink_to(f"../shared/{script}.py")
    laid = raw_files.lay(DATA, name, form, columns, time)
    _tell(console, described, columns, [*written, contract_file], laid)


def _tell(
    console: Console,
    described: Mapping[str, Any],
    columns: Sequence[Column],
    files: Sequence[Path],
    laid: Sequence[Path],
) -> None:
    """What was seen in the file, what was made of it, and what to do next."""
    name, table = described["name"], Table(box=None, padding=(0, 2), pad_edge=False)
    for head in ("column", "type", "missing", "used as"):
        table.add_column(head)
    for column in columns:
        missing = len(column.values) - len(column.known)
        table.add_row(column.header, column.kind, f"{missing:,}" if missing else "", _use(column, described))
    console.print(table)
    split = f"by month of {described['time']}" if described["time"] else "by a hash of the key"
    said = f"predicted: {described['label']} = {described['label_sql']}"
    console.print(f"\n{described['row_count']} rows, split {split}; {said}", soft_wrap=True, highlight=False)
    console.print("\nMade, and yours to change:")
    for path in files:
        console.print(f"  {path.relative_to(REPOSITORY)}", highlight=False, soft_wrap=True)
    console.print(f"  data/{name}/: {len(laid)} raw file(s), which `make run` puts into bronze", highlight=False)
    run = make(f"run PIPELINE={name}")
    console.print(f"\nNext: `{run}` trains, tests and deploys it", highlight=False, soft_wrap=True)


def _use(column: Column, described: Mapping[str, Any]) -> str:
    name = column.name
    uses = ["key"] * (name in described["key"] and len(described["key"]) < len(described["contract"]["columns"]))
    uses += ["time"] * (name == described["time"]) + ["label"] * (name == described["label_column"])
    uses += ["feature"] * (name in described["features"])
    return ", ".join(uses) or "not used"


def main() -> int:
    """Parse the command line and make it; 1 with one clear message where something is in the way."""
    parser = argparse.ArgumentParser(prog="scaffold", description=__doc__)
    parser.add_argument("name", help="the pipeline's name, of a-z, 0-9 and _")
    parser.add_argument("file", help="a CSV file with a line of names, a JSON list, or JSON Lines")
    parser.add_argument("--label", help="column, column=value or column>number (default: the one with two values)")
    parser.add_argument("--key", help="column(s) that tell one row from another (default: one that does)")
    parser.add_argument("--time", help="column that says when a row is of; none (default: the only date there is)")
    parser.add_argument("--without", help="columns that the model is not to see")
    try:
        new(parser.parse_args(), Console())
    except ServiceError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
